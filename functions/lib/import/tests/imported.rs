//! Imported models give the same probabilities as the libraries that trained them.

#![expect(
    clippy::indexing_slicing,
    clippy::unwrap_used,
    reason = "a test fails by panicking"
)]

use std::collections::BTreeMap;
use std::error::Error as _;
use std::fs;
use std::path::{Path, PathBuf};

use harness::peers;
use scoring::{Link, Matrix, Model, logit};

/// The largest difference from the library's own probability.
const TOLERANCE: f64 = 1e-6;

fn fixtures() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/models")
}

/// Compares a model with a table of rows and probabilities. The columns are put into the order of
/// `features`.
fn compare(model: &Path, table: &Path, features: &[&str]) -> Result<(), String> {
    let model = import::read(model, features).map_err(|error| format!("{error:?}"))?;
    let mut reader = csv::Reader::from_path(table).unwrap();
    let header = reader.headers().unwrap().clone();
    let places = features
        .iter()
        .map(|feature| header.iter().position(|name| name == *feature).unwrap());
    let places: Vec<usize> = places.collect();
    let (mut rows, mut theirs) = (Matrix::new(features.len()), Vec::new());
    for record in reader.records() {
        let record = record.unwrap();
        for &place in &places {
            rows.push(if record[place].is_empty() {
                f64::NAN
            } else {
                record[place].parse().unwrap()
            });
        }
        theirs.push(record[features.len()].parse::<f64>().unwrap());
    }
    assert!(
        theirs.len() >= 40,
        "{} has {} rows",
        table.display(),
        theirs.len()
    );
    let mut scores = Vec::new();
    model.score(&rows, &mut scores);
    assert_eq!(scores.len(), theirs.len());
    let Model::Forest(forest) = &model else {
        return Err("the model is not a forest".to_owned());
    };
    for (row, (ours, theirs)) in scores.iter().zip(&theirs).enumerate() {
        if (ours - theirs).abs() > TOLERANCE {
            return Err(format!("row {row}: {ours}, the library's {theirs}"));
        }
        let sum = model.expected() + model.contributions(&rows, row).iter().sum::<f64>();
        let by_parts = if forest.link() == Link::Logistic {
            logit(*ours)
        } else {
            *ours
        };
        if (sum - by_parts).abs() > 1e-5 {
            return Err(format!(
                "row {row}: contributions add up to {sum}, the sum is {by_parts}"
            ));
        }
    }
    Ok(())
}

/// The models that differ from their library, each with its first difference.
fn differences(models: &BTreeMap<PathBuf, PathBuf>, features: &[&str]) -> Vec<String> {
    let differs = |(table, model): (&PathBuf, &PathBuf)| {
        compare(model, table, features)
            .err()
            .map(|why| format!("{}: {why}", table.file_stem().unwrap().display()))
    };
    models.iter().filter_map(differs).collect()
}

#[test]
fn every_kind_of_model_has_its_librarys_probabilities() {
    let folder = tempfile::tempdir().unwrap();
    peers::run(&fixtures().join("peers.py"), folder.path());
    let features = ["a", "b", "c", "d", "e"];
    let tables = fs::read_dir(folder.path())
        .unwrap()
        .map(|entry| entry.unwrap().path());
    let tables = tables.filter(|path| path.extension().is_some_and(|extension| extension == "csv"));
    let model = |table: PathBuf| {
        let model = ["json", "txt"].map(|extension| table.with_extension(extension));
        (table, model.into_iter().find(|path| path.exists()).unwrap())
    };
    let models: BTreeMap<PathBuf, PathBuf> = tables.map(model).collect();
    assert_eq!(models.len(), 27, "{models:?}");
    let differences = differences(&models, &features);
    assert!(differences.is_empty(), "{differences:#?}");

    let refused: BTreeMap<String, String> =
        serde_json::from_str(&fs::read_to_string(folder.path().join("refused.json")).unwrap())
            .unwrap();
    assert_eq!(refused.len(), 12);
    for (name, why) in refused {
        let error = import::read(&folder.path().join(&name), &features)
            .unwrap_err()
            .to_string();
        assert!(error.contains(&why), "{name}: {error}");
    }
}

#[test]
fn columns_that_differ_from_the_looks_features_are_named() {
    let model = fixtures().join("named.txt");
    assert_eq!(
        import::read(&model, &["b", "a", "d", "c"])
            .unwrap()
            .features(),
        4
    );
    let refused = |features: &[&str]| import::read(&model, features).unwrap_err().to_string();
    let error = refused(&["a", "b", "c"]);
    assert!(
        error.starts_with("the look has no feature `d`: "),
        "{error}"
    );
    let error = refused(&["a", "b", "c", "d", "amount"]);
    assert!(
        error.starts_with("the model lacks the look's feature `amount`: "),
        "{error}"
    );
}

#[test]
fn older_xgboost_versions_and_spark_have_their_librarys_probabilities() {
    let features = ["a", "b", "c", "d"];
    let xgboost = ["1.2.1", "1.7.6", "2.1.4"]
        .map(|version| fixtures().join(format!("xgboost-{version}.csv")));
    let xgboost = xgboost.map(|table| (table.clone(), table.with_extension("json")));
    let spark = ["forest", "boosted", "tree"].map(|name| fixtures().join("spark").join(name));
    let spark = spark.map(|folder| (folder.with_extension("csv"), folder));
    let differences = differences(&xgboost.into_iter().chain(spark).collect(), &features);
    assert!(differences.is_empty(), "{differences:#?}");
}

#[test]
fn a_damaged_spark_table_and_a_missing_file_are_named() {
    let folder = tempfile::tempdir().unwrap();
    let saved = fixtures().join("spark/tree");
    for part in ["metadata", "data"] {
        fs::create_dir(folder.path().join(part)).unwrap();
    }
    fs::copy(
        saved.join("metadata/part-00000"),
        folder.path().join("metadata/part-00000"),
    )
    .unwrap();
    let table = fs::read_dir(saved.join("data"))
        .unwrap()
        .next()
        .unwrap()
        .unwrap();
    let (good, damaged) = (
        fs::read(table.path()).unwrap(),
        folder.path().join("data").join(table.file_name()),
    );
    let read = |bytes: &[u8]| {
        fs::write(&damaged, bytes).unwrap();
        import::read(folder.path(), &["a", "b", "c", "d"])
    };
    assert!(read(&good).is_ok());
    let error = read(&good[..good.len() / 2]).unwrap_err().to_string();
    assert!(
        error.starts_with("invalid Spark model: ") && error.contains(".snappy.parquet"),
        "{error}"
    );
    for place in (0..good.len()).step_by(97) {
        let mut bytes = good.clone();
        bytes[place] = !bytes[place];
        // Either the damage is reported, or it does not change the model.
        if let Err(error) = read(&bytes) {
            assert!(!error.to_string().is_empty());
        }
    }
    let absent = import::read(Path::new("absent.json"), &["a"]).unwrap_err();
    assert!(
        absent.to_string().contains("absent.json") && absent.source().is_some(),
        "{absent}"
    );
}
