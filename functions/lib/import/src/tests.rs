use std::fs;
use std::path::{Path, PathBuf};

use proptest::prelude::*;
use proptest::sample::Index;

use super::*;

const FEATURES: [&str; 4] = ["a", "b", "c", "d"];

fn fixtures() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/models")
}

fn saved(name: &str) -> spark::Saved {
    spark::Saved::read(&fixtures().join("spark").join(name)).unwrap()
}

#[derive(Clone, Debug)]
enum Damage {
    Byte(Index, u8),
    /// Replaces or removes the text between two commas, or two spaces. The file can still be
    /// parsed, but its numbers and lists are wrong.
    Piece(Index, Option<&'static str>),
    /// Removes the end of the file.
    End(Index),
}

fn damage() -> impl Strategy<Value = Vec<Damage>> {
    let number = prop::sample::select(vec![
        "-1",
        "0",
        "1",
        "3",
        "2.5",
        "-7e300",
        "4294967296",
        "99999999999999999999",
    ]);
    let damage = prop_oneof![
        2 => (any::<Index>(), any::<u8>()).prop_map(|(place, byte)| Damage::Byte(place, byte)),
        6 => (any::<Index>(), prop::option::of(number)).prop_map(|(place, piece)| Damage::Piece(place, piece)),
        1 => any::<Index>().prop_map(Damage::End),
    ];
    prop::collection::vec(damage, 1..3)
}

fn damaged(text: &str, damage: &[Damage]) -> Vec<u8> {
    let mut bytes = text.as_bytes().to_vec();
    let between = if text.starts_with('{') { b',' } else { b' ' };
    for damage in damage.iter().filter(|_| !text.is_empty()) {
        match damage {
            Damage::Byte(place, byte) => *place.get_mut(&mut bytes) = *byte,
            Damage::Piece(place, other) => {
                let mut pieces: Vec<&[u8]> = bytes.split(|byte| *byte == between).collect();
                let place = place.index(pieces.len());
                match other {
                    Some(other) => pieces[place] = other.as_bytes(),
                    None => drop(pieces.remove(place)),
                }
                bytes = pieces.join(&between);
            }
            Damage::End(place) => bytes.truncate(1 + place.index(bytes.len())),
        }
        if bytes.is_empty() {
            break;
        }
    }
    bytes
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(3_000))]

    #[test]
    fn a_damaged_file_never_panics_and_an_accepted_model_can_be_scored(
        name in prop::sample::select(vec!["xgboost-1.2.1.json", "xgboost-2.1.4.json", "named.txt", "sklearn.json"]),
        damage in damage(),
    ) {
        let bytes = damaged(&fs::read_to_string(fixtures().join(name)).unwrap(), &damage);
        if let Ok(forest) = parse(&bytes, &FEATURES) {
            let mut rows = scoring::Matrix::new(forest.features());
            (0..forest.features()).for_each(|_| rows.push(f64::NAN));
            prop_assert!(forest.score_one(&rows, 0).is_some());
        }
    }

    #[test]
    fn a_damaged_spark_folder_never_panics(
        name in prop::sample::select(vec!["forest", "boosted", "tree"]),
        part in 0..3usize,
        damage in damage(),
    ) {
        let mut saved = saved(name);
        let text = [&mut saved.metadata, &mut saved.trees, &mut saved.nodes].into_iter().nth(part).unwrap();
        *text = String::from_utf8_lossy(&damaged(text, &damage)).into_owned();
        saved.forest(&FEATURES).ok();
    }

    #[test]
    fn random_bytes_are_not_accepted_as_a_model(bytes in prop::collection::vec(any::<u8>(), 0..200)) {
        prop_assert!(parse(&bytes, &FEATURES).is_err());
    }
}

#[test]
fn an_inner_node_has_the_weighted_mean_of_its_leaves() {
    let split = |below, other| {
        Foreign::Inner(Split {
            feature: 0,
            threshold: 0.0,
            below,
            other,
            missing_below: false,
        })
    };
    let leaf = |value, weight| Foreign::Leaf { value, weight };
    // The nodes are not in breadth-first order, and the fourth one is unreachable.
    let nodes = [
        split(4, 2),
        leaf(1.0, 3.0),
        leaf(9.0, 4.0),
        leaf(0.0, 9.0),
        split(5, 1),
        leaf(5.0, 1.0),
    ];
    let values: Vec<f64> = tree(&nodes)
        .unwrap()
        .iter()
        .map(|node| node.value)
        .collect();
    assert_eq!(values, [5.5, 2.0, 9.0, 5.0, 1.0]);
    let unweighted = tree(&[split(1, 2), leaf(1.0, 0.0), leaf(3.0, 0.0)]).unwrap();
    assert_eq!(unweighted[0].value, 2.0);
    for malformed in [
        &[split(0, 1), leaf(0.0, 1.0)][..],
        &[split(1, 1), leaf(0.0, 1.0)],
        &[split(1, 7)],
        &[],
    ] {
        assert!(tree(malformed).is_none());
    }
}

/// The error for a fixture in which the text `from` is replaced by `to`.
fn refused(name: &str, [from, to]: [&str; 2]) -> String {
    let text = fs::read_to_string(fixtures().join(name)).unwrap();
    assert!(text.contains(from), "{name} has no {from}");
    parse(text.replacen(from, to, 1).as_bytes(), &FEATURES)
        .unwrap_err()
        .to_string()
}

#[test]
fn an_invalid_file_is_refused_with_the_reason() {
    for (name, change, expected) in [
        (
            "xgboost-2.1.4.json",
            ["\"base_score\":\"5", "\"base_score\":\"-5"],
            "base_score -0.5",
        ),
        (
            "xgboost-2.1.4.json",
            [
                "\"base_score\":\"5.119977E-1\"",
                "\"base_score\":\"[1E-1,2E-1]\"",
            ],
            "base_score is",
        ),
        (
            "xgboost-2.1.4.json",
            ["\"num_class\":\"0\"", "\"num_class\":\"many\""],
            "num_class is \"many\"",
        ),
        (
            "xgboost-2.1.4.json",
            ["\"weight_drop\":[", "\"weight_drop\":[],\"was\":["],
            "tree 0 has no weight_drop",
        ),
        (
            "xgboost-1.2.1.json",
            ["\"left_children\":[1", "\"left_children\":[0"],
            "the nodes of tree 0 do not form a tree",
        ),
        (
            "named.txt",
            ["end of trees", ""],
            "the file ends before `end of trees`",
        ),
        (
            "named.txt",
            ["left_child=-1 2 -2", "left_child=-1 2 -9"],
            "the nodes of tree 0 do not form a tree",
        ),
        (
            "named.txt",
            ["leaf_value=0.08", "leaf_value=nought"],
            "a value of leaf_value is not a number",
        ),
        (
            "named.txt",
            ["objective=binary sigmoid:1\n", ""],
            "objective custom can't be served",
        ),
        (
            "named.txt",
            ["split_feature=1", "split_feature=9"],
            "the model's trees can't be served",
        ),
        (
            "sklearn.json",
            ["\"second_look_trees\": 1", "\"second_look_trees\": 2"],
            "format version 2",
        ),
        (
            "sklearn.json",
            ["\"left\": [1", "\"left\": [0"],
            "the nodes of tree 0 do not form a tree",
        ),
    ] {
        let error = refused(name, change);
        assert!(error.contains(expected), "{name} with {change:?}: {error}");
    }
}

#[test]
fn an_unsupported_spark_model_is_refused_with_the_reason() {
    let refused = |name: &str, change: &dyn Fn(&mut spark::Saved)| {
        let mut saved = saved(name);
        change(&mut saved);
        saved.forest(&FEATURES).unwrap_err().to_string()
    };
    let metadata = |from: &'static str, to: &'static str| {
        move |saved: &mut spark::Saved| saved.metadata = saved.metadata.replacen(from, to, 1)
    };
    let error = refused("forest", &metadata("\"numClasses\":2", "\"numClasses\":3"));
    assert!(error.contains("3 classes"), "{error}");
    let error = refused(
        "forest",
        &metadata(
            "classification.RandomForestClassificationModel",
            "PipelineModel",
        ),
    );
    assert!(
        error.contains("PipelineModel") && error.contains("last stage"),
        "{error}"
    );
    let error = refused(
        "tree",
        &metadata("DecisionTreeClassificationModel", "LinearSVCModel"),
    );
    assert!(error.contains("LinearSVCModel"), "{error}");
    let error = refused("boosted", &|saved| {
        saved.nodes = saved
            .nodes
            .replacen("\"numCategories\":-1", "\"numCategories\":3", 1);
    });
    assert!(
        error.contains("the categorical split of Spark's tree 0"),
        "{error}"
    );
    let error = refused("boosted", &|saved| {
        saved.trees = saved.trees.lines().skip(1).collect::<Vec<_>>().join("\n");
    });
    assert!(error.contains("tree 0 has no weight"), "{error}");
    let error = refused("forest", &|saved| {
        saved.nodes = saved.nodes.lines().take(4).collect::<Vec<_>>().join("\n");
    });
    assert!(
        error.contains("the nodes of tree 0 do not form a tree"),
        "{error}"
    );
}
