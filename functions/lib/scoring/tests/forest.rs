//! The laid-out forest against trees walked plainly, and files that were tampered with.

#![expect(
    clippy::indexing_slicing,
    reason = "a test fails by panicking, and says where it is"
)]

use proptest::prelude::*;
use scoring::{Forest, Link, MISSING, Matrix, Model, Node, Split, Tree};

const COLUMNS: usize = 5;

/// The tree as its definition says it: no layout, no f32 thresholds, no copied columns. `added` gets
/// what each column changed on the way.
fn walk(tree: &Tree, row: &[f32], added: &mut [f64; COLUMNS]) -> f64 {
    let mut at = 0;
    while let Some(split) = tree[at].split {
        let value = row[split.feature];
        let below = if value == MISSING {
            split.missing_below
        } else {
            f64::from(value) <= split.threshold
        };
        let next = if below { split.below } else { split.other };
        added[split.feature] += tree[next].value - tree[at].value;
        at = next;
    }
    tree[at].value
}

fn logistic(log_odds: f64) -> f64 {
    1.0 / (1.0 + (-log_odds).exp())
}

/// A tree of up to `2^depth` leaves, its children anywhere after their parents.
fn tree() -> impl Strategy<Value = Tree> {
    // For each node: does it split, and how. A queue of open places gives every node one parent.
    let threshold =
        prop_oneof![18 => -3.0..3.0f64, 1 => Just(f64::INFINITY), 1 => Just(f64::NEG_INFINITY)];
    let node = (
        any::<bool>(),
        0..COLUMNS,
        threshold,
        -1.0..1.0f64,
        prop::bool::weighted(0.2),
    );
    prop::collection::vec(node, 1..60).prop_map(|drawn| {
        let leaf = |value: f64| Node {
            value: f64::from(value as f32),
            split: None,
        };
        let mut tree = vec![leaf(drawn[0].3)];
        for (at, (splits, feature, threshold, value, missing_below)) in
            drawn.into_iter().enumerate()
        {
            if at >= tree.len() {
                break;
            }
            if splits || at == 0 {
                let below = tree.len();
                tree[at].split = Some(Split {
                    feature,
                    threshold,
                    below,
                    other: below + 1,
                    missing_below,
                });
                tree.extend([leaf(value), leaf(-value / 2.0)]);
            }
        }
        tree
    })
}

fn rows() -> impl Strategy<Value = Vec<Vec<f64>>> {
    let value =
        prop_oneof![8 => -4.0..4.0f64, 1 => Just(f64::NAN), 1 => Just(1e300), 1 => Just(0.0)];
    prop::collection::vec(prop::collection::vec(value, COLUMNS), 0..70)
}

fn link() -> impl Strategy<Value = Link> {
    let calibrated = (0.1..3.0f64, -2.0..2.0f64)
        .prop_map(|(slope, intercept)| Link::Probability { slope, intercept });
    prop_oneof![3 => Just(Link::Logistic), 1 => calibrated]
}

fn matrix(rows: &[Vec<f64>]) -> Matrix {
    let mut matrix = Matrix::new(COLUMNS);
    rows.iter().flatten().for_each(|&value| matrix.push(value));
    matrix
}

proptest! {
    #[test]
    fn scores_equal_those_of_a_plain_walk_through_the_trees(
        trees in prop::collection::vec(tree(), 0..40), rows in rows(), bias in -2.0..2.0f64, link in link()
    ) {
        let forest = Forest::new(COLUMNS, bias, &trees).unwrap().with_link(link).unwrap();
        let read = Model::from_bytes(&forest.to_bytes()).unwrap();
        prop_assert_eq!(&read, &Model::from(forest.clone()));
        let matrix = matrix(&rows);
        let mut scores = vec![7.0];
        forest.score(&matrix, &mut scores);
        prop_assert_eq!(scores.len(), rows.len());
        for (row, score) in scores.iter().enumerate() {
            let mut added = [0.0; COLUMNS];
            let sum = bias + trees.iter().map(|tree| walk(tree, matrix.row(row), &mut added)).sum::<f64>();
            let expected = match link {
                Link::Logistic => logistic(sum),
                Link::Probability { slope, intercept } => {
                    let p = sum.clamp(1e-10, 1.0 - 1e-10);
                    logistic(slope * (p / (1.0 - p)).ln() + intercept)
                }
            };
            prop_assert!((score - expected).abs() < 1e-9, "{} is not {}", score, expected);
            prop_assert!((forest.score_one(&matrix, row).unwrap() - score).abs() < 1e-12);
            let said = forest.contributions(&matrix, row);
            prop_assert!(said.iter().zip(added).all(|(said, added)| (said - added).abs() < 1e-5), "{:?} {:?}", said, added);
            prop_assert!((forest.expected() + said.iter().sum::<f64>() - sum).abs() < 1e-5, "they do not add up");
        }
    }

    /// A forest's file with any byte changed is refused, or is a forest that can be walked.
    #[test]
    fn a_changed_file_never_leads_out_of_the_forest(trees in prop::collection::vec(tree(), 1..4), at in any::<prop::sample::Index>(), byte: u8) {
        let mut bytes = Forest::new(COLUMNS, 0.0, &trees).unwrap().to_bytes();
        let at = at.index(bytes.len());
        bytes[at] = byte;
        if let Ok(forest) = Model::from_bytes(&bytes) {
            let mut matrix = Matrix::new(forest.features());
            (0..forest.features() * 20).for_each(|value| matrix.push(if value % 9 == 0 { f64::NAN } else { value as f64 / 7.0 - 3.0 }));
            let mut scores = Vec::new();
            forest.score(&matrix, &mut scores);
            prop_assert_eq!(scores.len(), 20);
            prop_assert!(scores.iter().all(|score| (0.0..=1.0).contains(score)), "{:?}", scores);
        }
    }

    #[test]
    fn random_bytes_are_refused(bytes in prop::collection::vec(any::<u8>(), 0..200)) {
        prop_assert!(Forest::from_bytes(&bytes).is_err());
        prop_assert!(Forest::from_bytes(&[b"SLFOREST", bytes.as_slice()].concat()).is_err());
    }
}

#[test]
fn a_missing_value_goes_the_way_of_a_large_one() {
    let split = Some(Split {
        feature: 0,
        threshold: 1e30,
        below: 1,
        other: 2,
        missing_below: false,
    });
    let leaf = |value| Node { value, split: None };
    let forest = Forest::new(
        1,
        0.0,
        &[vec![Node { value: 0.0, split }, leaf(-1.0), leaf(1.0)]],
    )
    .unwrap();
    let mut rows = Matrix::new(1);
    [f64::NAN, f64::INFINITY, f64::NEG_INFINITY, 1e300, 1e29]
        .into_iter()
        .for_each(|value| rows.push(value));
    assert_eq!(rows.values()[..4], [MISSING; 4]);
    let mut scores = Vec::new();
    forest.score(&rows, &mut scores);
    assert_eq!(
        scores.iter().map(|&score| score > 0.5).collect::<Vec<_>>(),
        [true, true, true, true, false]
    );
}

#[test]
fn rows_of_another_width_have_no_score() {
    let forest = Forest::new(2, 0.5, &[]).unwrap();
    let rows = matrix(&[vec![0.0; COLUMNS]]);
    let mut scores = vec![1.0];
    forest.score(&rows, &mut scores);
    assert_eq!((scores.len(), forest.score_one(&rows, 0)), (0, None));
}

#[test]
fn invalid_trees_are_refused_by_node() {
    let leaf = |value| Node { value, split: None };
    let fork = |feature, threshold, below, other| Node {
        value: 0.0,
        split: Some(Split {
            feature,
            threshold,
            below,
            other,
            missing_below: true,
        }),
    };
    let cases: [(Tree, &str); 8] = [
        (vec![], "no nodes"),
        (vec![leaf(f64::NAN)], "value is not finite"),
        (
            vec![fork(2, 0.0, 1, 2), leaf(0.0), leaf(0.0)],
            "a column that rows do not have",
        ),
        (
            vec![fork(0, f64::NAN, 1, 2), leaf(0.0), leaf(0.0)],
            "threshold is NaN",
        ),
        (vec![fork(0, 0.0, 1, 3), leaf(0.0), leaf(0.0)], "children"),
        (vec![fork(0, 0.0, 0, 1), leaf(0.0)], "children"),
        (vec![fork(0, 0.0, 1, 1), leaf(0.0)], "children"),
        (vec![leaf(1e300)], "not finite"),
    ];
    for (tree, why) in cases {
        let error = Forest::new(2, 0.0, &[vec![leaf(0.0)], tree.clone()])
            .unwrap_err()
            .to_string();
        assert!(error.contains(why), "{tree:?}: {error}");
    }
}

#[test]
fn a_forest_of_probabilities_gives_their_mean_before_calibration() {
    let split = Some(Split {
        feature: 0,
        threshold: 0.0,
        below: 1,
        other: 2,
        missing_below: true,
    });
    let leaf = |value| Node { value, split: None };
    // Two trees, each with half a say.
    let trees = [[0.0, 0.9], [0.0, 0.7]].map(|[below, other]| {
        vec![
            Node { value: 0.25, split },
            leaf(below / 2.0),
            leaf(other / 2.0),
        ]
    });
    let forest = Forest::new(1, 0.0, &trees).unwrap();
    let mut rows = Matrix::new(1);
    [-1.0, f64::NAN, 1.0]
        .into_iter()
        .for_each(|value| rows.push(value));
    let scores = |link| {
        let mut scores = Vec::new();
        forest
            .clone()
            .with_link(link)
            .unwrap()
            .score(&rows, &mut scores);
        scores
    };
    let plain = scores(Link::Probability {
        slope: 1.0,
        intercept: 0.0,
    });
    assert!(
        plain
            .iter()
            .zip([0.0, 0.0, 0.8])
            .all(|(score, p)| (score - p).abs() < 1e-7),
        "{plain:?}"
    );
    let halved = scores(Link::Probability {
        slope: 1.0,
        intercept: 0.5f64.ln(),
    });
    assert!(
        (halved[2] - 2.0 / 3.0).abs() < 1e-7,
        "odds of 4 become 2: {halved:?}"
    );
    for (slope, intercept) in [
        (0.0, 0.0),
        (-1.0, 0.0),
        (f64::NAN, 0.0),
        (1.0, f64::INFINITY),
    ] {
        assert!(
            forest
                .clone()
                .with_link(Link::Probability { slope, intercept })
                .is_err(),
            "{slope} {intercept}"
        );
    }
}

#[test]
fn more_columns_than_a_node_can_address_are_refused() {
    let tree = |feature, missing_below| {
        let split = Some(Split {
            feature,
            threshold: 0.0,
            below: 1,
            other: 2,
            missing_below,
        });
        vec![
            Node { value: 0.0, split },
            Node {
                value: 1.0,
                split: None,
            },
            Node {
                value: -1.0,
                split: None,
            },
        ]
    };
    assert!(Forest::new(256, 0.0, &[tree(255, false)]).is_ok());
    assert!(Forest::new(255, 0.0, &[tree(254, true)]).is_ok());
    for (columns, tree) in [
        (257, tree(0, false)),
        (256, tree(0, true)),
        (300, tree(299, true)),
        (0, vec![]),
    ] {
        let error = Forest::new(columns, 0.0, &[tree]).unwrap_err().to_string();
        assert!(error.contains("more than 256"), "{error}");
    }
}

#[test]
fn a_batch_of_any_length_scores_as_its_single_rows() {
    let split = |feature, missing_below| {
        Some(Split {
            feature,
            threshold: 0.5,
            below: 1,
            other: 2,
            missing_below,
        })
    };
    let leaf = |value| Node { value, split: None };
    let tree = |feature, missing_below| {
        vec![
            Node {
                value: 0.0,
                split: split(feature, missing_below),
            },
            leaf(-1.0),
            leaf(feature as f64),
        ]
    };
    let forest = Forest::new(
        COLUMNS,
        0.0,
        &[tree(1, true), tree(1, false), tree(4, true)],
    )
    .unwrap();
    for len in [1, 15, 16, 255, 256, 257, 600] {
        let mut rows = Matrix::new(COLUMNS);
        (0..len * COLUMNS).for_each(|at| {
            rows.push(if at % 3 == 0 {
                f64::NAN
            } else {
                (at % 7) as f64 / 7.0
            });
        });
        let mut scores = Vec::new();
        forest.score(&rows, &mut scores);
        let alone: Vec<f64> = (0..len)
            .map(|row| forest.score_one(&rows, row).unwrap())
            .collect();
        assert_eq!(scores, alone);
    }
}
