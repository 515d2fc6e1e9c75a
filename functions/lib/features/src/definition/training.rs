//! `[training]`: the period to learn from, and the learners to try.

use jiff::{SignedDuration, Timestamp};
use md5::{Digest, Md5};
use serde::Deserialize;

use super::duration::duration_setting;
use super::error::{DefinitionError, invalid_setting, share_setting};

/// A deeper tree can have more leaves than a training set can fill.
const MAX_DEPTH: usize = 16;
const MAX_TREES: usize = 2000;
/// How many hashes there are: 8 hexadecimal digits.
const HASHES: u64 = 1 << 32;

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
    /// Share of the good transactions in the training set. Each of them stands for 1 / share, so
    /// probabilities and counts are those of all transactions.
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

impl Training {
    pub fn good_sample(&self) -> GoodSample {
        let below = (self.negatives * HASHES as f64).round() as u64;
        GoodSample {
            below: below.clamp(1, HASHES),
            seed: self.seed,
        }
    }
}

/// Which good transactions a training set has: those whose hash of the id and the seed is below a
/// limit. SQL and Rust choose the same transactions.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct GoodSample {
    /// 1 to [`HASHES`].
    below: u64,
    seed: u64,
}

impl GoodSample {
    /// The MD5 is that of the transaction's id and this text.
    pub fn suffix(self) -> String {
        format!(":{}", self.seed)
    }

    /// The MD5's first 8 hexadecimal digits are less than this text. `None` if the sample has all
    /// good transactions.
    pub fn limit(self) -> Option<String> {
        (self.below < HASHES).then(|| format!("{:08x}", self.below))
    }

    pub fn contains(self, transaction_id: &str) -> bool {
        let mut md5 = Md5::new_with_prefix(transaction_id);
        md5.update(self.suffix());
        let [a, b, c, d, ..] = <[u8; 16]>::from(md5.finalize());
        u64::from(u32::from_be_bytes([a, b, c, d])) < self.below
    }

    /// How many good transactions each one of the sample stands for.
    pub fn weight(self) -> f64 {
        HASHES as f64 / self.below as f64
    }
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

#[cfg(test)]
mod tests {
    use super::*;

    fn sample(negatives: f64, seed: u64) -> GoodSample {
        let text = include_str!("../../../../../tests/harness/src/fixture.toml");
        let training = crate::Definition::parse(text).unwrap().training;
        let training = Training {
            negatives,
            seed,
            ..training
        };
        training.good_sample()
    }

    fn sampled(sample: GoodSample) -> Vec<u32> {
        let is_in = |id: &u32| sample.contains(&format!("T{id}"));
        (0..10_000).filter(is_in).collect()
    }

    #[test]
    fn a_sample_is_decided_by_id_and_seed_and_has_its_share() {
        let (one, same, other) = (sample(0.3, 1), sample(0.3, 1), sample(0.3, 2));
        assert_eq!(sampled(one), sampled(same));
        assert_ne!(sampled(one), sampled(other));
        assert!((2_800..3_200).contains(&sampled(one).len()));
        assert!((one.weight() - 1.0 / 0.3).abs() < 1e-6);
        let smaller = sampled(sample(0.1, 1));
        let larger = sampled(one);
        assert!(smaller.iter().all(|id| larger.contains(id)));
    }

    #[test]
    fn a_share_of_1_is_no_sample() {
        let all = sample(1.0, 1);
        assert_eq!(sampled(all).len(), 10_000);
        assert_eq!((all.limit(), all.weight()), (None, 1.0));
    }

    #[test]
    fn the_limit_is_compared_with_the_md5_as_text() {
        // echo -n 'T7:1' | md5sum
        let digits = "950faecf";
        let below = |limit: &str| GoodSample {
            below: u64::from_str_radix(limit, 16).unwrap(),
            seed: 1,
        };
        assert!(!below(digits).contains("T7"));
        let next = u64::from_str_radix(digits, 16).unwrap() + 1;
        let next = GoodSample {
            below: next,
            seed: 1,
        };
        assert!(next.contains("T7"));
        assert_eq!(below(digits).limit().as_deref(), Some(digits));
        assert_eq!(below("00000010").limit().as_deref(), Some("00000010"));
    }
}
