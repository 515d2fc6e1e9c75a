//! What every learner is given and what it returns. `learn.rs` chooses among the learners.

use features::Training;
use scoring::{
    Forest, ForestError, Linear, LinearError, Link, Matrix, Model, Scaling, Tree, logistic,
};

use crate::calibrate::{Calibration, MIN_CLASS};
use crate::metrics::Labels;

/// The largest difference between a served score and smartcore's own.
pub(crate) const TOLERANCE: f64 = 1e-6;
/// About how many rows the served model is compared on.
const CHECKED: usize = 2_000;

#[derive(Debug, thiserror::Error)]
pub enum LearnError {
    #[error(
        "the training set has {frauds} frauds and {good} good transactions: expected at least \
         {MIN_CLASS} of each"
    )]
    TooFew { frauds: usize, good: usize },
    #[error("the definition names no learner: add [training.boost], or import a model")]
    NoLearner,
    #[error("the imported model has {found} columns, expected the look's {expected} features")]
    Columns { found: usize, expected: usize },
    #[error("smartcore can't fit the training set")]
    Fit(#[source] smartcore::error::Failed),
    #[error("smartcore's serialized tree does not have the expected fields")]
    Form(#[from] serde_json::Error),
    #[error("the trees can't be served")]
    Forest(#[from] ForestError),
    #[error("the coefficients can't be served")]
    Linear(#[from] LinearError),
    #[error("row {row}: the served score is {served}, expected smartcore's {expected}")]
    Parity {
        row: usize,
        served: f64,
        expected: f64,
    },
}

/// The rows, labels and settings that a learner works on.
pub(crate) struct Task<'a> {
    pub(crate) rows: &'a Matrix,
    pub(crate) labels: Labels<'a>,
    /// True for the rows of the holdout.
    pub(crate) held_out: &'a [bool],
    pub(crate) training: &'a Training,
}

impl Task<'_> {
    pub(crate) fn is_fraud(&self, row: usize) -> bool {
        self.labels.frauds.get(row).copied().unwrap_or(false)
    }

    /// Rows on which the served scores are compared with smartcore's.
    pub(crate) fn checked(&self) -> Vec<usize> {
        (0..self.rows.rows())
            .step_by((self.rows.rows() / CHECKED).max(1))
            .collect()
    }

    pub(crate) fn rows_where(&self, held_out: bool) -> Vec<usize> {
        let flags = self.held_out.iter().enumerate();
        flags
            .filter(|(_, flag)| **flag == held_out)
            .map(|(row, _)| row)
            .collect()
    }
}

/// Rows to train on. They have all frauds, but only a sample of the good transactions.
pub(crate) struct Sample {
    pub(crate) rows: Vec<usize>,
    frauds: usize,
    /// Added to log odds to correct the prior: learners do not weigh rows, so the odds are as many
    /// times too high as a good row's weight.
    pub(crate) correction: f64,
}

impl Sample {
    pub(crate) fn new(task: &Task<'_>, rows: Vec<usize>) -> Result<Self, LearnError> {
        let frauds = rows.iter().filter(|&&row| task.is_fraud(row)).count();
        let good = rows.len() - frauds;
        if frauds < MIN_CLASS || good < MIN_CLASS {
            return Err(LearnError::TooFew { frauds, good });
        }
        Ok(Self {
            rows,
            frauds,
            correction: -task.labels.good_weight.ln(),
        })
    }

    /// 1 for a fraud, else 0.
    pub(crate) fn frauds(&self, task: &Task<'_>) -> Vec<f64> {
        self.rows
            .iter()
            .map(|&row| f64::from(u8::from(task.is_fraud(row))))
            .collect()
    }

    /// Log odds of fraud in the sample.
    pub(crate) fn prior(&self) -> f64 {
        (self.frauds as f64 / (self.rows.len() - self.frauds) as f64).ln()
    }
}

/// A trained model before its calibration.
#[derive(Clone)]
pub(crate) enum RawModel {
    /// In log odds: the bias plus each tree's value.
    Boosted { bias: f64, trees: Vec<Tree> },
    /// A probability: the sum of the trees' values. `correction` is added to its log odds.
    Forest { trees: Vec<Tree>, correction: f64 },
    /// In log odds: the bias plus each column's contribution.
    Logistic { bias: f64, columns: Vec<Scaling> },
}

/// A trained model with smartcore's own log odds for [`Task::checked`].
pub(crate) struct FittedModel {
    pub(crate) model: RawModel,
    pub(crate) smartcore_log_odds: Vec<f64>,
}

impl FittedModel {
    /// The served model with the calibration applied, checked against smartcore's scores.
    #[expect(
        clippy::neg_cmp_op_on_partial_ord,
        reason = "a served NaN must fail too"
    )]
    pub(crate) fn export(
        &self,
        task: &Task<'_>,
        calibration: Calibration,
    ) -> Result<Model, LearnError> {
        let model = self.model.served(task.rows.columns(), calibration)?;
        for (row, own) in task.checked().into_iter().zip(&self.smartcore_log_odds) {
            let served = model.score_one(task.rows, row).unwrap_or(f64::NAN);
            let expected = logistic(calibration.log_odds(*own));
            if !((served - expected).abs() <= TOLERANCE) {
                return Err(LearnError::Parity {
                    row,
                    served,
                    expected,
                });
            }
        }
        Ok(model)
    }
}

impl RawModel {
    fn served(&self, features: usize, calibration: Calibration) -> Result<Model, LearnError> {
        let Calibration { slope, intercept } = calibration;
        Ok(match self {
            Self::Boosted { bias, trees } => {
                let mut trees = trees.clone();
                trees
                    .iter_mut()
                    .flatten()
                    .for_each(|node| node.value *= slope);
                Forest::new(features, calibration.log_odds(*bias), &trees)?.into()
            }
            Self::Forest { trees, correction } => {
                let link = Link::Probability {
                    slope,
                    intercept: slope * correction + intercept,
                };
                Forest::new(features, 0.0, trees)?.with_link(link)?.into()
            }
            Self::Logistic { bias, columns } => {
                let mut columns = columns.clone();
                columns
                    .iter_mut()
                    .for_each(|column| column.coefficient *= slope);
                Linear::new(calibration.log_odds(*bias), columns)?.into()
            }
        })
    }

    pub(crate) fn trees(&self) -> usize {
        match self {
            Self::Boosted { trees, .. } | Self::Forest { trees, .. } => trees.len(),
            Self::Logistic { .. } => 0,
        }
    }
}

/// When to stop growing trees.
#[derive(Clone, Copy)]
pub(crate) enum Stop<'a> {
    /// When the log loss on these rows stops improving. Trees after the best round are dropped.
    Holdout(&'a [usize]),
    /// After this many rounds.
    After(usize),
}

/// The given rows of a matrix.
pub(crate) fn take_rows(matrix: &Matrix, rows: &[usize]) -> Matrix {
    let mut taken = Matrix::default();
    taken.reset(matrix.columns(), rows.len());
    for &row in rows {
        for value in matrix.row(row) {
            taken.push(f64::from(*value));
        }
    }
    taken
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_served_score_that_differs_from_smartcores_is_refused() {
        let mut rows = Matrix::new(1);
        (0..10).for_each(|value| rows.push(f64::from(value)));
        let text = include_str!("../../../tests/harness/src/fixture.toml");
        let training = features::Definition::parse(text).unwrap().training;
        let task = Task {
            rows: &rows,
            labels: Labels {
                frauds: &[],
                good_weight: 1.0,
            },
            held_out: &[],
            training: &training,
        };
        let column = Scaling {
            mean: 4.0,
            sd: 2.0,
            coefficient: 1.0,
        };
        let raw = RawModel::Logistic {
            bias: -1.0,
            columns: vec![column],
        };
        let mut own: Vec<f64> = (0..10)
            .map(|value| (f64::from(value) - 4.0) / 2.0 - 1.0)
            .collect();
        let halved = Calibration {
            slope: 0.5,
            intercept: 1.0,
        };
        let fitted = FittedModel {
            model: raw.clone(),
            smartcore_log_odds: own.clone(),
        };
        let model = fitted.export(&task, halved).unwrap();
        assert!(
            (model.score_one(&rows, 6).unwrap() - logistic(1.0)).abs() < 1e-12,
            "0.5 · (1 − 1) + 1"
        );
        own[3] += 1e-4;
        let wrong = FittedModel {
            model: raw,
            smartcore_log_odds: own,
        }
        .export(&task, halved)
        .unwrap_err();
        assert!(
            matches!(wrong, LearnError::Parity { row: 3, .. }),
            "{wrong}"
        );
    }
}
