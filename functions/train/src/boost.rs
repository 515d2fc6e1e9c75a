//! Newton logistic boosting over smartcore's regression trees: each round fits `(y − p) / w` with
//! the weights `w = p(1 − p)`, so that a leaf's weighted mean is one Newton step of the log loss
//! (Friedman, Hastie, Tibshirani 2000, "Additive logistic regression", LogitBoost).

use scoring::{Node, Tree, logistic};
use smartcore::linalg::basic::matrix::DenseMatrix;
use smartcore::tree::decision_tree_regressor::{
    DecisionTreeRegressor, DecisionTreeRegressorParameters,
};

use crate::draw::drawn;
use crate::learner::{FittedModel, LearnError, RawModel, Sample, Stop, TOLERANCE, Task};
use crate::metrics::{ScoredLabel, log_loss};
use crate::tree::{Columns, SmartcoreTree, read};

/// Growing stops after this many rounds without a better log loss on the holdout.
const PATIENCE: usize = 25;
/// The smallest weight of a row, so that a row with a certain prediction still counts.
const MIN_WEIGHT: f64 = 1e-6;

type Regressor = DecisionTreeRegressor<f32, f64, DenseMatrix<f32>, Vec<f64>>;

/// Grows trees. Calls `grown` with the number of trees after each round.
pub(crate) fn boost(
    task: &Task<'_>,
    settings: &features::Boost,
    sample: &Sample,
    stop: Stop<'_>,
    mut grown: impl FnMut(usize),
) -> Result<FittedModel, LearnError> {
    let (rounds, holdout) = match stop {
        Stop::Holdout(rows) => (settings.rounds, rows),
        Stop::After(rounds) => (rounds, &[][..]),
    };
    let frauds = sample.frauds(task);
    let checked = task.checked();
    // Copied once, because every round reads them.
    let rows = Rows {
        sample: Columns::of(task.rows, &sample.rows),
        holdout: Columns::of(task.rows, holdout),
        checked: Columns::of(task.rows, &checked),
    };
    let prior = sample.prior();
    let mut log_odds = vec![prior; sample.rows.len()];
    let mut held_out = vec![prior; holdout.len()];
    let mut trees: Vec<Tree> = Vec::new();
    let mut best = (f64::INFINITY, rounds);
    for round in 0..rounds {
        let (targets, weights): (Vec<f64>, Vec<f64>) = log_odds
            .iter()
            .zip(&frauds)
            .map(|(log_odds, y)| {
                let p = logistic(*log_odds);
                let weight = (p * (1.0 - p)).max(MIN_WEIGHT);
                ((y - p) / weight, weight)
            })
            .unzip();
        let mut tree = grow(task, settings, &rows, (&targets, &weights), round)?;
        let leaves: Vec<usize> = rows.sample.leaves(&tree).collect();
        let own = tree.clone();
        set_values(&mut tree, settings, &leaves, (&targets, &weights));
        if settings.rows >= 1.0 && settings.l2 == 0.0 {
            compare(&tree, &own, settings.learning_rate, &checked, &rows.checked)?;
        }
        add(&mut log_odds, &tree, leaves.into_iter());
        add(&mut held_out, &tree, rows.holdout.leaves(&tree));
        trees.push(tree);
        grown(round + 1);
        if let Stop::Holdout(_) = stop {
            let scored = |(log_odds, &row): (&f64, &usize)| ScoredLabel {
                score: log_odds + sample.correction,
                is_fraud: task.is_fraud(row),
                weight: task.labels.weight(task.is_fraud(row)),
            };
            let loss = log_loss(held_out.iter().zip(holdout).map(scored));
            if loss < best.0 {
                best = (loss, trees.len());
            } else if trees.len() >= best.1 + PATIENCE {
                break;
            }
        }
    }
    trees.truncate(best.1.max(1));
    let bias = prior + sample.correction;
    let mut own = vec![bias; checked.len()];
    trees
        .iter()
        .for_each(|tree| add(&mut own, tree, rows.checked.leaves(tree)));
    Ok(FittedModel {
        model: RawModel::Boosted { bias, trees },
        smartcore_log_odds: own,
    })
}

struct Rows {
    sample: Columns,
    holdout: Columns,
    /// [`Task::checked`].
    checked: Columns,
}

/// One round's tree with smartcore's own values, grown on the rows and columns drawn for it.
fn grow(
    task: &Task<'_>,
    settings: &features::Boost,
    rows: &Rows,
    (targets, weights): (&[f64], &[f64]),
    round: usize,
) -> Result<Tree, LearnError> {
    let seed = task.training.seed.wrapping_add(1 + round as u64);
    let columns = columns(task.rows.columns(), settings.columns, seed);
    let of: Vec<usize> = (0..targets.len())
        .filter(|&place| settings.rows >= 1.0 || drawn(seed, place) < settings.rows)
        .collect();
    let pick = |values: &[f64]| {
        of.iter()
            .filter_map(|&place| values.get(place))
            .copied()
            .collect::<Vec<f64>>()
    };
    let parameters = DecisionTreeRegressorParameters {
        // smartcore counts the root's level too.
        max_depth: Some(settings.depth + 1),
        min_samples_leaf: settings.min_leaf,
        min_samples_split: 2 * settings.min_leaf,
        seed: Some(seed),
    };
    let x = rows.sample.dense(&of, &columns)?;
    let fitted = Regressor::fit_with_weights(&x, &pick(targets), &pick(weights), parameters);
    let fitted = fitted.map_err(LearnError::Fit)?;
    let tree = read::<Whole>(&fitted)?.tree_regressor.tree(&columns);
    let checked = task.checked();
    let all: Vec<usize> = (0..checked.len()).collect();
    let own = fitted
        .predict(&rows.checked.dense(&all, &columns)?)
        .map_err(LearnError::Fit)?;
    for ((row, leaf), expected) in checked.into_iter().zip(rows.checked.leaves(&tree)).zip(own) {
        let served = value(&tree, leaf);
        if served != expected {
            return Err(LearnError::Parity {
                row,
                served,
                expected,
            });
        }
    }
    Ok(tree)
}

#[derive(serde::Deserialize)]
struct Whole {
    tree_regressor: SmartcoreTree,
}

/// The columns drawn for a tree: this share of them, at least one.
fn columns(all: usize, share: f64, seed: u64) -> Vec<usize> {
    let mut columns: Vec<usize> = (0..all).collect();
    let count = ((all as f64 * share).round() as usize).max(1);
    if count < all {
        columns.sort_by(|a, b| drawn(!seed, *a).total_cmp(&drawn(!seed, *b)));
        columns.truncate(count);
        columns.sort_unstable();
    }
    columns
}

/// Sets every node's value to its Newton step over all rows of the sample, times the learning rate:
/// `Σ(y − p) / (Σw + l2)`. If the tree was grown on all rows and l2 is 0, this equals smartcore's
/// value.
fn set_values(
    tree: &mut Tree,
    settings: &features::Boost,
    leaves: &[usize],
    (targets, weights): (&[f64], &[f64]),
) {
    let mut sums = vec![(0.0, 0.0); tree.len()];
    for ((&leaf, target), weight) in leaves.iter().zip(targets).zip(weights) {
        if let Some((gradient, curvature)) = sums.get_mut(leaf) {
            *gradient += target * weight;
            *curvature += weight;
        }
    }
    // Backwards: children come after their parents.
    for (place, node) in tree.iter_mut().enumerate().rev() {
        let of = |place: usize| sums.get(place).copied().unwrap_or_default();
        let sum = match node.split.map(|split| [of(split.below), of(split.other)]) {
            Some([below, other]) => (below.0 + other.0, below.1 + other.1),
            None => of(place),
        };
        if let Some(kept) = sums.get_mut(place) {
            *kept = sum;
        }
        // The rows that a node was grown on are in the sample, so the divisor is not 0.
        node.value = settings.learning_rate * sum.0 / (sum.1 + settings.l2);
    }
}

/// Compares our values with smartcore's. They must be equal if the tree was grown on all rows.
fn compare(
    tree: &[Node],
    own: &[Node],
    rate: f64,
    checked: &[usize],
    rows: &Columns,
) -> Result<(), LearnError> {
    for (&row, leaf) in checked.iter().zip(rows.leaves(tree)) {
        let served = value(tree, leaf);
        let expected = rate * value(own, leaf);
        let difference = (served - expected).abs();
        if difference.is_nan() || difference > TOLERANCE * expected.abs().max(1.0) {
            return Err(LearnError::Parity {
                row,
                served,
                expected,
            });
        }
    }
    Ok(())
}

fn value(tree: &[Node], leaf: usize) -> f64 {
    tree.get(leaf).map_or(f64::NAN, |leaf| leaf.value)
}

/// Adds the value of each row's leaf.
fn add(log_odds: &mut [f64], tree: &[Node], leaves: impl Iterator<Item = usize>) {
    log_odds
        .iter_mut()
        .zip(leaves)
        .for_each(|(log_odds, leaf)| *log_odds += value(tree, leaf));
}

#[cfg(test)]
mod tests {
    use features::Boost;
    use scoring::{Matrix, Split};

    use super::*;

    #[test]
    fn columns_differ_between_trees_and_are_the_same_in_every_training() {
        assert_eq!(columns(5, 1.0, 7), [0, 1, 2, 3, 4]);
        let drawn: Vec<Vec<usize>> = (0..50).map(|seed| columns(10, 0.4, seed)).collect();
        assert!(
            drawn
                .iter()
                .all(|columns| columns.len() == 4 && columns.is_sorted())
        );
        assert!((0..10).all(|column| drawn.iter().any(|columns| columns.contains(&column))));
        assert_eq!(columns(10, 0.4, 3), columns(10, 0.4, 3));
        assert_eq!(columns(3, 0.01, 3).len(), 1);
    }

    #[test]
    fn values_that_differ_from_smartcores_are_refused() {
        let mut rows = Matrix::new(1);
        (0..4).for_each(|value| rows.push(f64::from(value)));
        let rows = Columns::of(&rows, &[0, 1, 2, 3]);
        let split = Split {
            feature: 0,
            threshold: 1.0,
            below: 1,
            other: 2,
            missing_below: false,
        };
        let node = |value, split| Node { value, split };
        let own = vec![node(0.0, Some(split)), node(1.0, None), node(-8.0, None)];
        let mut tree: Vec<Node> = own
            .iter()
            .map(|of| node(0.5 * of.value, of.split))
            .collect();
        assert!(compare(&tree, &own, 0.5, &[10, 11, 12, 13], &rows).is_ok());
        tree[2].value += 1e-4;
        let wrong = compare(&tree, &own, 0.5, &[10, 11, 12, 13], &rows).unwrap_err();
        assert!(
            matches!(wrong, LearnError::Parity { row: 12, .. }),
            "{wrong}"
        );
    }

    #[test]
    fn a_nodes_value_covers_all_rows_below_it() {
        let node = |split| Node { value: 7.0, split };
        let split = Split {
            feature: 0,
            threshold: 0.0,
            below: 1,
            other: 2,
            missing_below: false,
        };
        let mut tree = vec![node(Some(split)), node(None), node(None)];
        let settings = Boost {
            rounds: 1,
            depth: 1,
            learning_rate: 0.5,
            min_leaf: 1,
            rows: 1.0,
            columns: 1.0,
            l2: 2.0,
        };
        set_values(
            &mut tree,
            &settings,
            &[1, 2, 2],
            (&[3.0, -1.0, 5.0], &[2.0, 1.0, 3.0]),
        );
        let values: Vec<f64> = tree.iter().map(|node| node.value).collect();
        assert_eq!(
            values,
            [0.5 * 20.0 / 8.0, 0.5 * 6.0 / 4.0, 0.5 * 14.0 / 6.0]
        );
    }
}
