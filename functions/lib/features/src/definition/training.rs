//! `[training]`: the period to learn from, and the learners to try.

use jiff::{SignedDuration, Timestamp};
use serde::Deserialize;

use super::duration::duration_setting;
use super::error::{DefinitionError, invalid_setting, share_setting};

/// A deeper tree can have more leaves than a training set can fill.
const MAX_DEPTH: usize = 16;
const MAX_TREES: usize = 2000;

/// Every key changes decisions, so only keys whose default has no effect have one: `rows`,
/// `columns` and `l2` of [`Boost`]. Training tries every learner that has a section, and chooses
/// the one that ranks the holdout best.
#[derive(Clone, Debug, PartialEq)]
pub struct Training {
    /// The length of the period whose labelled transactions are used.
    pub span: SignedDuration,
    /// The last part of `span`, kept apart to compare learners, to stop early, to calibrate and to
    /// choose thresholds. The served model is then trained again on all of `span`.
    pub holdout: SignedDuration,
    /// The time after which a transaction without a fraud report counts as good.
    pub label_delay: SignedDuration,
    /// Share of the good transactions to train on; probabilities are corrected for it.
    pub negatives: f64,
    /// Seed of all random choices.
    pub seed: u64,
    /// A learner that is `None` is not tried.
    pub boost: Option<Boost>,
    pub forest: Option<ProbabilityForest>,
    pub logistic: Option<Logistic>,
}

#[derive(Clone, Copy, Debug, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Boost {
    /// Maximum number of trees; the holdout decides when to stop.
    pub rounds: usize,
    /// Maximum number of splits on a path.
    pub depth: u16,
    /// Factor on each tree's values.
    pub learning_rate: f64,
    /// Minimum number of transactions in a leaf.
    pub min_leaf: usize,
    /// Share of the transactions on which a tree's splits are chosen, drawn again for each tree.
    /// The values of the leaves are computed on all transactions.
    #[serde(default = "all")]
    pub rows: f64,
    /// Share of the features on which a tree may split, drawn again for each tree.
    #[serde(default = "all")]
    pub columns: f64,
    /// Added to a leaf's sum of p(1 − p), which is the divisor of its value.
    #[serde(default)]
    pub l2: f64,
}

/// `[training.forest]`: the mean of the fraud shares in the leaves of independent trees.
#[derive(Clone, Copy, Debug, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ProbabilityForest {
    pub trees: usize,
    /// Maximum number of splits on a path.
    pub depth: u16,
    /// Minimum number of transactions in a leaf.
    pub min_leaf: usize,
}

/// `[training.logistic]`: a logistic regression on standardised features.
#[derive(Clone, Copy, Debug, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Logistic {
    /// The loss is the sum of the log losses plus `penalty / 2` times the sum of the squared
    /// coefficients. Other libraries have its inverse, `C`.
    pub penalty: f64,
}

/// The period of a training set's transactions, and the end of the reports that label them.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct TrainingPeriod {
    pub from: Timestamp,
    /// The end of the period, exclusive.
    pub to: Timestamp,
    /// A transaction is a fraud if it was reported as one at or before this timestamp.
    pub as_of: Timestamp,
}

impl TrainingPeriod {
    /// The latest period whose labels are complete at `as_of`. It ends [`Training::label_delay`]
    /// before `as_of`, and its length is [`Training::span`].
    pub fn ending_before(as_of: Timestamp, training: &Training) -> Self {
        let back = |end: Timestamp, duration: SignedDuration| {
            end.saturating_sub(duration)
                .unwrap_or(Timestamp::UNIX_EPOCH)
        };
        let to = back(as_of, training.label_delay);
        Self {
            from: back(to, training.span),
            to,
            as_of,
        }
    }

    pub fn contains(&self, occurred_at: Timestamp) -> bool {
        (self.from..self.to).contains(&occurred_at)
    }
}

fn all() -> f64 {
    1.0
}

/// `[training]` before it is checked.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct TrainingEntry {
    span: String,
    holdout: String,
    label_delay: String,
    negatives: f64,
    seed: u64,
    boost: Option<Boost>,
    forest: Option<ProbabilityForest>,
    logistic: Option<Logistic>,
}

impl TrainingEntry {
    pub(super) fn checked(self) -> Result<Training, DefinitionError> {
        let Self {
            boost,
            forest,
            logistic,
            seed,
            ..
        } = self;
        let training = Training {
            span: duration_setting("training.span", &self.span)?,
            holdout: duration_setting("training.holdout", &self.holdout)?,
            label_delay: duration_setting("training.label_delay", &self.label_delay)?,
            negatives: share_setting("training.negatives", self.negatives)?,
            seed,
            boost,
            forest,
            logistic,
        };
        if training.holdout >= training.span {
            return Err(invalid_setting(
                "training.holdout",
                "expected less than training.span",
            ));
        }
        if let Some(boost) = boost {
            within("training.boost.rounds", boost.rounds, MAX_TREES)?;
            within("training.boost.depth", boost.depth.into(), MAX_DEPTH)?;
            within("training.boost.min_leaf", boost.min_leaf, usize::MAX)?;
            share_setting("training.boost.learning_rate", boost.learning_rate)?;
            share_setting("training.boost.rows", boost.rows)?;
            share_setting("training.boost.columns", boost.columns)?;
            at_least_0("training.boost.l2", boost.l2)?;
        }
        if let Some(forest) = forest {
            within("training.forest.trees", forest.trees, MAX_TREES)?;
            within("training.forest.depth", forest.depth.into(), MAX_DEPTH)?;
            within("training.forest.min_leaf", forest.min_leaf, usize::MAX)?;
        }
        if let Some(logistic) = logistic {
            at_least_0("training.logistic.penalty", logistic.penalty)?;
        }
        Ok(training)
    }
}

fn within(name: &'static str, value: usize, most: usize) -> Result<(), DefinitionError> {
    match (1..=most).contains(&value) {
        true => Ok(()),
        false if most == usize::MAX => Err(invalid_setting(name, "expected at least 1")),
        false => Err(invalid_setting(name, &format!("expected 1 to {most}"))),
    }
}

fn at_least_0(name: &'static str, value: f64) -> Result<(), DefinitionError> {
    if value.is_finite() && value >= 0.0 {
        Ok(())
    } else {
        Err(invalid_setting(name, "expected a number of at least 0"))
    }
}
