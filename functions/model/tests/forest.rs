//! The laid-out forest against trees walked plainly, and files that were tampered with.

#![expect(clippy::indexing_slicing, reason = "a test fails by panicking, and says where it is")]

use model::{Forest, MISSING, Matrix, Node, Split, Tree};
use proptest::prelude::*;

const COLUMNS: usize = 5;

/// The tree as its definition says it: no layout, no f32 thresholds.
fn walk(tree: &Tree, row: &[f32]) -> f64 {
    let mut at = 0;
    while let Some(split) = tree[at].split {
        at = if f64::from(row[split.feature]) <= split.threshold { split.below } else { split.other };
    }
    tree[at].value
}

fn logistic(log_odds: f64) -> f64 {
    1.0 / (1.0 + (-log_odds).exp())
}

/// A tree of up to `2^depth` leaves, its children anywhere after their parents.
fn tree() -> impl Strategy<Value = Tree> {
    // For each node: does it split, and how. A queue of open places gives every node one parent.
    let node = (any::<bool>(), 0..COLUMNS, -3.0..3.0f64, -1.0..1.0f64);
    prop::collection::vec(node, 1..60).prop_map(|drawn| {
        let leaf = |value: f64| Node { value: f64::from(value as f32), split: None };
        let mut tree = vec![leaf(drawn[0].3)];
        for (at, (splits, feature, threshold, value)) in drawn.into_iter().enumerate() {
            if at >= tree.len() {
                break;
            }
            if splits || at == 0 {
                let below = tree.len();
                tree[at].split = Some(Split { feature, threshold, below, other: below + 1 });
                tree.extend([leaf(value), leaf(-value / 2.0)]);
            }
        }
        tree
    })
}

fn rows() -> impl Strategy<Value = Vec<Vec<f64>>> {
    let value = prop_oneof![8 => -4.0..4.0f64, 1 => Just(f64::NAN), 1 => Just(1e300), 1 => Just(0.0)];
    prop::collection::vec(prop::collection::vec(value, COLUMNS), 0..70)
}

fn matrix(rows: &[Vec<f64>]) -> Matrix {
    let mut matrix = Matrix::new(COLUMNS);
    rows.iter().flatten().for_each(|&value| matrix.push(value));
    matrix
}

proptest! {
    #[test]
    fn scores_are_those_of_the_trees_walked_plainly(
        trees in prop::collection::vec(tree(), 0..40), rows in rows(), bias in -2.0..2.0f64
    ) {
        let forest = Forest::new(COLUMNS, bias, &trees).unwrap();
        let read = Forest::from_bytes(&forest.to_bytes()).unwrap();
        prop_assert_eq!(&read, &forest);
        let matrix = matrix(&rows);
        let mut scores = vec![7.0];
        forest.score(&matrix, &mut scores);
        prop_assert_eq!(scores.len(), rows.len());
        for (row, score) in scores.iter().enumerate() {
            let odds = bias + trees.iter().map(|tree| walk(tree, matrix.row(row))).sum::<f64>();
            prop_assert!((score - logistic(odds)).abs() < 1e-9, "{} is not {}", score, logistic(odds));
            prop_assert!((forest.score_one(&matrix, row).unwrap() - score).abs() < 1e-12);
            let added: f64 = forest.contributions(&matrix, row).iter().sum();
            prop_assert!((forest.expected() + added - odds).abs() < 1e-5, "contributions do not add up");
        }
    }

    /// A forest's file with any byte changed is refused, or is a forest that can be walked.
    #[test]
    fn no_file_leads_out_of_the_forest(trees in prop::collection::vec(tree(), 1..4), at in any::<prop::sample::Index>(), byte: u8) {
        let mut bytes = Forest::new(COLUMNS, 0.0, &trees).unwrap().to_bytes();
        let at = at.index(bytes.len());
        bytes[at] = byte;
        if let Ok(forest) = Forest::from_bytes(&bytes) {
            let mut matrix = Matrix::new(forest.features());
            (0..forest.features() * 20).for_each(|value| matrix.push(value as f64 / 7.0 - 3.0));
            let mut scores = Vec::new();
            forest.score(&matrix, &mut scores);
            prop_assert_eq!(scores.len(), 20);
        }
    }

    #[test]
    fn no_bytes_are_taken_for_a_forest_they_are_not(bytes in prop::collection::vec(any::<u8>(), 0..200)) {
        prop_assert!(Forest::from_bytes(&bytes).is_err());
        prop_assert!(Forest::from_bytes(&[b"SLFOREST", bytes.as_slice()].concat()).is_err());
    }
}

#[test]
fn what_is_missing_goes_the_way_of_the_large() {
    let split = Some(Split { feature: 0, threshold: 1e30, below: 1, other: 2 });
    let leaf = |value| Node { value, split: None };
    let forest = Forest::new(1, 0.0, &[vec![Node { value: 0.0, split }, leaf(-1.0), leaf(1.0)]]).unwrap();
    let mut rows = Matrix::new(1);
    [f64::NAN, f64::INFINITY, f64::NEG_INFINITY, 1e300, 1e29].into_iter().for_each(|value| rows.push(value));
    assert_eq!(rows.values()[..4], [MISSING; 4]);
    let mut scores = Vec::new();
    forest.score(&rows, &mut scores);
    assert_eq!(scores.iter().map(|&score| score > 0.5).collect::<Vec<_>>(), [true, true, true, true, false]);
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
fn trees_that_are_none_are_refused_by_place() {
    let leaf = |value| Node { value, split: None };
    let fork =
        |feature, threshold, below, other| Node { value: 0.0, split: Some(Split { feature, threshold, below, other }) };
    let cases: [(Tree, &str); 8] = [
        (vec![], "no nodes"),
        (vec![leaf(f64::NAN)], "value is not finite"),
        (vec![fork(2, 0.0, 1, 2), leaf(0.0), leaf(0.0)], "a column that rows do not have"),
        (vec![fork(0, f64::NAN, 1, 2), leaf(0.0), leaf(0.0)], "threshold is no number"),
        (vec![fork(0, 0.0, 1, 3), leaf(0.0), leaf(0.0)], "children"),
        (vec![fork(0, 0.0, 0, 1), leaf(0.0)], "children"),
        (vec![fork(0, 0.0, 1, 1), leaf(0.0)], "children"),
        (vec![leaf(1e300)], "not finite"),
    ];
    for (tree, why) in cases {
        let error = Forest::new(2, 0.0, &[vec![leaf(0.0)], tree.clone()]).unwrap_err().to_string();
        assert!(error.contains(why), "{tree:?}: {error}");
    }
}
