//! `[training]`: the period to learn from, and the learners to try.

use jiff::{SignedDuration, Timestamp};
use serde::Deserialize;

use super::duration::duration_setting;
use super::error::{DefinitionError, invalid_setting, share_setting};

/// Deeper trees have more leaves than there are transactions to fill them.
const MAX_DEPTH: usize = 16;
const MAX_TREES: usize = 2000;

/// All of it changes decisions, so keys that must be set have no default. Training tries every
/// learner that has a section, and serves the one that ranks the holdout best.
#[derive(Clone, Debug, PartialEq)]
pub struct Training {
    /// The time that labelled transactions are taken from.
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
    /// `None`: not tried, as for the other learners.
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
    /// Share of the transactions, drawn anew for each tree, that its splits are chosen on. Its
    /// values are computed on all transactions.
    #[serde(default = "all")]
    pub rows: f64,
    /// Share of the features, drawn anew for each tree, that it may split on.
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
    /// Half of it is the weight of each squared coefficient in the loss, which is the sum of the
    /// log losses plus this. Other libraries call the inverse `C`.
    pub penalty: f64,
}

/// Which transactions a training set has, and which reports label them.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct TrainingPeriod {
    pub from: Timestamp,
    /// The first timestamp after `from` that is outside.
    pub to: Timestamp,
    /// A transaction is a fraud if it was reported as one at or before this.
    pub as_of: Timestamp,
}

impl TrainingPeriod {
    /// The period that `as_of` allows: it ends [`Training::label_delay`] before, and has the
    /// length [`Training::span`].
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
