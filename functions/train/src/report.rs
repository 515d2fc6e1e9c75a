use decision::{Action, Policy};
use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use crate::calibrate::{Bin, Calibration};
use crate::metrics::{Choice, Ranking, choice};

/// What training says of its bundle. All scores and shares are of the holdout, by models that have not
/// seen it; what is served has then learnt from the holdout too, in the same way.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct TrainingReport {
    /// The bundle's name.
    pub bundle: String,
    /// The bundle's version.
    pub version: String,
    /// Transactions to learn from and to hold out.
    pub transactions: usize,
    /// Frauds among them.
    pub frauds: usize,
    /// When the first and the last of them happened.
    pub between: [Timestamp; 2],
    /// Transactions held out.
    pub holdout: usize,
    /// Frauds held out.
    pub holdout_frauds: usize,
    /// Days that they are of.
    pub holdout_days: f64,
    /// The first look.
    pub first: LookReport,
    /// The confirming look, on all of the holdout.
    pub confirm: LookReport,
    /// What the first look would hold.
    pub held: Choice,
    /// What of it the confirming look would block or hand to review.
    pub kept: Choice,
    /// What the confirming look would make of the holds.
    pub settled: HoldOutcomes,
    /// The thresholds in use: hold from, release below, block from.
    pub thresholds: [f64; 3],
}

/// What training says of one look.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct LookReport {
    /// Its features.
    pub features: Vec<String>,
    /// What is served.
    pub learner: String,
    /// Its trees.
    pub trees: usize,
    /// Nodes of all trees.
    pub nodes: usize,
    /// None where the holdout has no frauds.
    pub ranking: Option<Ranking>,
    /// What was tried, the best ranking first.
    pub leaderboard: Vec<LearnerScore>,
    /// What became of what was given which probability.
    pub reliability: Vec<Bin>,
    /// For each feature, its share in what moves scores, the largest first.
    pub importance: Vec<(String, f64)>,
}

/// One learner on the holdout.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct LearnerScore {
    /// Its name.
    pub learner: String,
    /// Its trees.
    pub trees: usize,
    /// None where the holdout has no frauds.
    pub ranking: Option<Ranking>,
    /// Mean −ln of the probability that was given to what came.
    pub log_loss: f64,
    /// What made its scores probabilities; None where too few frauds were held out, or for a model
    /// that was imported.
    pub calibration: Option<Calibration>,
}

impl LearnerScore {
    /// A figure of its ranking, to three places, for people.
    pub fn figure(&self, pick: fn(&Ranking) -> f64) -> String {
        self.ranking.as_ref().map_or_else(
            || "unknown".to_owned(),
            |ranking| format!("{:.3}", pick(ranking)),
        )
    }
}

/// What the confirming look makes of holds.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct HoldOutcomes {
    /// Released.
    pub released: Count,
    /// Handed to people.
    pub review: Count,
    /// Blocked.
    pub blocked: Count,
}

/// Transactions by their label.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Count {
    /// Frauds.
    pub frauds: usize,
    /// Good ones.
    pub good: usize,
}

/// What the looks would have done on the holdout.
pub(crate) struct HoldoutOutcome {
    pub(crate) held: Choice,
    pub(crate) kept: Choice,
    pub(crate) settled: HoldOutcomes,
}

impl HoldoutOutcome {
    /// From `(probability, is fraud)` of both looks.
    pub(crate) fn new(policy: &Policy, first: &[(f64, bool)], confirm: &[(f64, bool)]) -> Self {
        let held = |score: f64| policy.provisional(score) == Action::Hold;
        let both = || {
            first
                .iter()
                .zip(confirm)
                .map(|(&(first, fraud), &(second, _))| (first, second, fraud))
        };
        let kept = |(first, second, fraud)| {
            (
                held(first) && policy.settled(second) != Action::Release,
                fraud,
            )
        };
        let mut settled = HoldOutcomes::default();
        for (_, second, fraud) in both().filter(|(first, ..)| held(*first)) {
            let count = match policy.settled(second) {
                Action::Release => &mut settled.released,
                Action::Block => &mut settled.blocked,
                _ => &mut settled.review,
            };
            *(if fraud {
                &mut count.frauds
            } else {
                &mut count.good
            }) += 1;
        }
        Self {
            held: choice(first.iter().map(|(score, fraud)| (held(*score), *fraud))),
            kept: choice(both().map(kept)),
            settled,
        }
    }
}

impl HoldOutcomes {
    /// All holds.
    pub fn held(&self) -> Count {
        let Self {
            released,
            review,
            blocked,
        } = self;
        Count {
            frauds: released.frauds + review.frauds + blocked.frauds,
            good: released.good + review.good + blocked.good,
        }
    }

    /// Of the frauds held, the share that is not released; None of none.
    pub fn true_holds_kept(&self) -> Option<f64> {
        let held = self.held().frauds;
        (held > 0).then(|| (held - self.released.frauds) as f64 / held as f64)
    }

    /// Of the good ones held, the share that is released; None of none.
    pub fn false_holds_released(&self) -> Option<f64> {
        let held = self.held().good;
        (held > 0).then(|| self.released.good as f64 / held as f64)
    }
}
