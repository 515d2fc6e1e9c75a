//! Newton logistic boosting over smartcore's regression trees: each round fits `(y − p) / w` with the
//! weights `w = p(1 − p)`, so that a leaf's weighted mean is one Newton step of the log loss (Friedman,
//! Hastie, Tibshirani 2000, "Additive logistic regression", LogitBoost).

use model::{Forest, ForestError, Matrix, Node, Split, Tree, logistic};
use serde::Deserialize;
use smartcore::linalg::basic::matrix::DenseMatrix;
use smartcore::tree::decision_tree_regressor::{DecisionTreeRegressor, DecisionTreeRegressorParameters};

/// Rounds without a better log loss on the holdout after which no further tree is grown.
const PATIENCE: usize = 25;
/// No weight is below this: a row that is certain still counts for something.
const MIN_WEIGHT: f64 = 1e-6;
/// How far a served score may be from smartcore's own.
const TOLERANCE: f64 = 1e-6;

type Regressor = DecisionTreeRegressor<f32, f64, DenseMatrix<f32>, Vec<f64>>;

/// Why no model was learnt.
#[derive(Debug, thiserror::Error)]
pub enum BoostError {
    /// One class alone.
    #[error("{0} frauds and {1} good transactions to learn from: expected at least {MIN_CLASS} of each")]
    OneClass(usize, usize),
    /// smartcore refused the data.
    #[error("smartcore could not fit a tree")]
    Fit(#[source] smartcore::error::Failed),
    /// smartcore's trees are not what we know.
    #[error("smartcore's tree has another form than this version reads")]
    Form(#[from] serde_json::Error),
    /// The trees can't be laid out.
    #[error("the trees can't be laid out")]
    Forest(#[from] ForestError),
    /// Served scores are not the learnt ones.
    #[error("the served score of row {row} is {served}, smartcore's own is {learnt}")]
    Parity {
        /// The holdout's row.
        row: usize,
        /// The flat forest's.
        served: f64,
        /// smartcore's.
        learnt: f64,
    },
}

const MIN_CLASS: usize = 10;

/// What is learnt from, and how.
pub(crate) struct Task<'a> {
    pub(crate) rows: &'a Matrix,
    pub(crate) frauds: &'a [bool],
    /// Rows to learn from; the others are the holdout.
    pub(crate) learn: &'a [bool],
    pub(crate) training: &'a model::Training,
}

/// Grows trees until the holdout's log loss gets no better. `grown` hears of every round.
pub(crate) fn boost(task: &Task<'_>, mut grown: impl FnMut(usize)) -> Result<Forest, BoostError> {
    let training = task.training;
    let sample = sample(task);
    let holdout: Vec<usize> = (0..task.rows.rows()).filter(|&row| !at(task.learn, row)).collect();
    let frauds: Vec<f64> = sample.iter().map(|&row| f64::from(u8::from(at(task.frauds, row)))).collect();
    let positive = frauds.iter().filter(|y| **y > 0.0).count();
    let negative = frauds.len() - positive;
    if positive < MIN_CLASS || negative < MIN_CLASS {
        return Err(BoostError::OneClass(positive, negative));
    }
    let prior = (positive as f64 / negative as f64).ln();
    // Odds in the sample are 1/negatives times too high: this puts the prior right.
    let correction = training.negatives.ln();

    let learn_x = dense(task.rows, &sample)?;
    let holdout_x = if holdout.is_empty() { None } else { Some(dense(task.rows, &holdout)?) };
    let mut log_odds = vec![prior; sample.len()];
    let mut held_out = vec![prior; holdout.len()];
    let mut trees: Vec<Tree> = Vec::new();
    let mut best = Best { loss: f64::INFINITY, trees: 0, log_odds: held_out.clone() };
    for round in 0..training.rounds {
        let (targets, weights): (Vec<f64>, Vec<f64>) = log_odds
            .iter()
            .zip(&frauds)
            .map(|(log_odds, y)| {
                let p = logistic(*log_odds);
                let weight = (p * (1.0 - p)).max(MIN_WEIGHT);
                ((y - p) / weight, weight)
            })
            .unzip();
        let parameters = DecisionTreeRegressorParameters {
            max_depth: Some(training.depth),
            min_samples_leaf: training.min_leaf,
            min_samples_split: 2 * training.min_leaf,
            seed: Some(training.seed),
        };
        let tree = Regressor::fit_with_weights(&learn_x, &targets, &weights, parameters).map_err(BoostError::Fit)?;
        add(&mut log_odds, &tree.predict(&learn_x).map_err(BoostError::Fit)?, training.learning_rate);
        trees.push(nodes(&tree, training.learning_rate)?);
        grown(round + 1);
        let Some(holdout_x) = &holdout_x else {
            best.trees = trees.len();
            continue;
        };
        add(&mut held_out, &tree.predict(holdout_x).map_err(BoostError::Fit)?, training.learning_rate);
        let labels = holdout.iter().map(|&row| at(task.frauds, row));
        let loss = log_loss(held_out.iter().map(|log_odds| log_odds + correction).zip(labels));
        if loss < best.loss {
            best = Best { loss, trees: trees.len(), log_odds: held_out.clone() };
        } else if trees.len() >= best.trees + PATIENCE {
            break;
        }
    }
    trees.truncate(best.trees.max(1));
    let forest = Forest::new(task.rows.columns(), prior + correction, &trees)?;
    verify(&forest, task.rows, &holdout, best.log_odds.iter().map(|log_odds| logistic(log_odds + correction)))?;
    Ok(forest)
}

struct Best {
    loss: f64,
    trees: usize,
    log_odds: Vec<f64>,
}

/// All frauds to learn from, and the declared share of the rest.
fn sample(task: &Task<'_>) -> Vec<usize> {
    let kept = |row: &usize| at(task.frauds, *row) || drawn(task.training.seed, *row) < task.training.negatives;
    (0..task.rows.rows()).filter(|&row| at(task.learn, row)).filter(kept).collect()
}

/// A number in [0, 1) for each row, the same at every training (SplitMix64, Steele et al. 2014).
fn drawn(seed: u64, row: usize) -> f64 {
    let mut z = seed.wrapping_add((row as u64 + 1).wrapping_mul(0x9E37_79B9_7F4A_7C15));
    z = (z ^ (z >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
    z = (z ^ (z >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
    ((z ^ (z >> 31)) >> 11) as f64 / (1u64 << 53) as f64
}

fn dense(rows: &Matrix, of: &[usize]) -> Result<DenseMatrix<f32>, BoostError> {
    let values = of.iter().flat_map(|&row| rows.row(row)).copied().collect();
    DenseMatrix::new(of.len(), rows.columns(), values, false).map_err(BoostError::Fit)
}

fn add(log_odds: &mut [f64], answers: &[f64], rate: f64) {
    log_odds.iter_mut().zip(answers).for_each(|(log_odds, answer)| *log_odds += rate * answer);
}

fn at(flags: &[bool], row: usize) -> bool {
    flags.get(row).copied().unwrap_or(false)
}

fn log_loss(scored: impl Iterator<Item = (f64, bool)>) -> f64 {
    // ln(1 + e^x), without overflow.
    let softplus = |x: f64| x.max(0.0) + (-x.abs()).exp().ln_1p();
    scored.map(|(log_odds, fraud)| softplus(if fraud { -log_odds } else { log_odds })).sum()
}

/// smartcore keeps its nodes to itself; serde is the way in. The version is pinned for this.
fn nodes(tree: &Regressor, rate: f64) -> Result<Tree, BoostError> {
    #[derive(Deserialize)]
    struct Fitted {
        tree_regressor: Base,
    }
    #[derive(Deserialize)]
    struct Base {
        nodes: Vec<FittedNode>,
    }
    #[derive(Deserialize)]
    struct FittedNode {
        output: f64,
        split_feature: usize,
        split_value: Option<f64>,
        true_child: Option<usize>,
        false_child: Option<usize>,
    }
    let fitted: Fitted = serde_json::from_value(serde_json::to_value(tree)?)?;
    let node = |node: FittedNode| Node {
        value: rate * node.output,
        split: match (node.split_value, node.true_child, node.false_child) {
            (Some(threshold), Some(below), Some(other)) => {
                Some(Split { feature: node.split_feature, threshold, below, other, missing_below: false })
            }
            _ => None,
        },
    };
    Ok(fitted.tree_regressor.nodes.into_iter().map(node).collect())
}

/// Compares the served form's scores with smartcore's own, row by row of the holdout.
#[expect(clippy::neg_cmp_op_on_partial_ord, reason = "a served score that is no number must fail too")]
fn verify(
    forest: &Forest,
    rows: &Matrix,
    holdout: &[usize],
    learnt: impl Iterator<Item = f64>,
) -> Result<(), BoostError> {
    for (&row, learnt) in holdout.iter().zip(learnt) {
        let served = forest.score_one(rows, row).unwrap_or(f64::NAN);
        // A served score that is no number fails too.
        if !((served - learnt).abs() <= TOLERANCE) {
            return Err(BoostError::Parity { row, served, learnt });
        }
    }
    Ok(())
}
