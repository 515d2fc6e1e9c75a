//! How models are trained: `[training]` and its learners.

use serde::Deserialize;

use super::file::span;
use super::{DefinitionError, setting, share};

/// How models are trained. All of it changes verdicts, so what must be said has no default. A learner
/// that has a table is tried; the one that ranks the holdout best is served.
#[derive(Clone, Debug, PartialEq)]
pub struct Training {
    /// Seconds of labelled transactions to learn from.
    pub span: u64,
    /// Seconds of it, the last, kept apart to compare learners, to stop early, to calibrate and to
    /// choose thresholds. What is served has then learnt from them too.
    pub holdout: u64,
    /// Seconds after which a transaction without a fraud report counts as good.
    pub label_delay: u64,
    /// Share of the good transactions that are learnt from; probabilities are put right for it.
    pub negatives: f64,
    /// Seed of all that is drawn.
    pub seed: u64,
    /// Boosted trees, if they are tried.
    pub boost: Option<Boost>,
    /// A probability forest, if it is tried.
    pub forest: Option<ProbabilityForest>,
    /// A logistic regression, if it is tried.
    pub logistic: Option<Logistic>,
}

/// `[training.boost]`: trees that each put right what those before them left.
#[derive(Clone, Copy, Debug, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Boost {
    /// Trees at the most; the holdout says when to stop.
    pub rounds: usize,
    /// Questions on a path at the most.
    pub depth: u16,
    /// How much of each tree's answer is taken.
    pub learning_rate: f64,
    /// Transactions in a leaf at the least.
    pub min_leaf: usize,
    /// Share of the transactions that each tree's questions are chosen on, drawn anew; all, if it is
    /// not said. Its answers come from all of them.
    #[serde(default = "all")]
    pub rows: f64,
    /// Share of the features that each tree may ask, drawn anew; all, if it is not said.
    #[serde(default = "all")]
    pub columns: f64,
    /// What is added to a leaf's sum of p(1 − p), which its answer is divided by; nothing, if it is not
    /// said.
    #[serde(default)]
    pub l2: f64,
}

/// `[training.forest]`: the mean of the fraud shares in the leaves of independent trees.
#[derive(Clone, Copy, Debug, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ProbabilityForest {
    /// Trees.
    pub trees: usize,
    /// Questions on a path at the most.
    pub depth: u16,
    /// Transactions in a leaf at the least.
    pub min_leaf: usize,
}

/// `[training.logistic]`: a logistic regression on standardised features.
#[derive(Clone, Copy, Debug, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Logistic {
    /// What half of each squared coefficient costs, against the sum of the log losses (1 / `C`
    /// elsewhere).
    pub penalty: f64,
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
            span: span("training.span", &self.span)?,
            holdout: span("training.holdout", &self.holdout)?,
            label_delay: span("training.label_delay", &self.label_delay)?,
            negatives: share("training.negatives", self.negatives)?,
            seed,
            boost,
            forest,
            logistic,
        };
        if training.holdout >= training.span {
            return Err(setting(
                "training.holdout",
                "expected less than training.span",
            ));
        }
        if let Some(boost) = boost {
            within("training.boost.rounds", boost.rounds, 2000)?;
            within("training.boost.depth", boost.depth.into(), MAX_DEPTH)?;
            within("training.boost.min_leaf", boost.min_leaf, usize::MAX)?;
            share("training.boost.learning_rate", boost.learning_rate)?;
            share("training.boost.rows", boost.rows)?;
            share("training.boost.columns", boost.columns)?;
            at_least_0("training.boost.l2", boost.l2)?;
        }
        if let Some(forest) = forest {
            within("training.forest.trees", forest.trees, 2000)?;
            within("training.forest.depth", forest.depth.into(), MAX_DEPTH)?;
            within("training.forest.min_leaf", forest.min_leaf, usize::MAX)?;
        }
        if let Some(logistic) = logistic {
            at_least_0("training.logistic.penalty", logistic.penalty)?;
        }
        Ok(training)
    }
}

/// Deeper trees have more leaves than there are transactions to fill them.
const MAX_DEPTH: usize = 16;

fn within(name: &'static str, value: usize, most: usize) -> Result<(), DefinitionError> {
    match (1..=most).contains(&value) {
        true => Ok(()),
        false if most == usize::MAX => Err(setting(name, "expected at least 1")),
        false => Err(setting(name, &format!("expected 1 to {most}"))),
    }
}

fn at_least_0(name: &'static str, value: f64) -> Result<(), DefinitionError> {
    if value.is_finite() && value >= 0.0 {
        Ok(())
    } else {
        Err(setting(name, "expected a number from 0 on"))
    }
}
