use decision::{Action, Policy};
use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use crate::calibrate::{Bin, Calibration};
use crate::metrics::{Choice, Ranking, ScoredLabel, choice_of_rows};

/// All scores and rates are measured on the holdout with models that were not trained on it. The
/// served models are then trained in the same way on all transactions.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct TrainingReport {
    pub bundle: String,
    pub version: String,
    /// Number of transactions in the period, the holdout included. Numbers of good transactions are
    /// estimated from the sample.
    pub transactions: usize,
    pub frauds: usize,
    /// Rows of the training set: all frauds and the sample of the good transactions.
    pub rows: usize,
    /// How many good transactions each good row stands for.
    pub good_weight: f64,
    /// Timestamps of the first and the last transaction.
    pub between: [Timestamp; 2],
    pub holdout: usize,
    pub holdout_frauds: usize,
    pub holdout_days: f64,
    pub first: LookReport,
    /// The second look on all transactions of the holdout, held or not.
    pub confirm: LookReport,
    /// The transactions that the first look would hold.
    pub held: Choice,
    /// The holds that the second look would block or hand to review.
    pub kept: Choice,
    pub settled: HoldOutcomes,
    /// `hold_at`, `release_below`, `block_at`.
    pub thresholds: [f64; 3],
}

impl TrainingReport {
    pub const LEADERBOARD_COLUMNS: [&'static str; 7] = [
        "look",
        "learner",
        "trees",
        "AUC",
        "average precision",
        "log loss",
        "",
    ];

    /// The leaderboards of both looks as rows of text.
    pub fn leaderboard(&self) -> Vec<[String; 7]> {
        let mut rows = Vec::new();
        for (name, look) in [("first", &self.first), ("second", &self.confirm)] {
            for score in &look.leaderboard {
                let served = match (score.learner == look.learner, score.calibration) {
                    (true, Some(_)) => "served",
                    (true, None) => "served, not calibrated",
                    (false, _) => "",
                };
                let trees = match score.trees {
                    0 => String::new(),
                    trees => trees.to_string(),
                };
                rows.push([
                    name.to_owned(),
                    score.learner.clone(),
                    trees,
                    score.figure(|ranking| ranking.auc),
                    score.figure(|ranking| ranking.average_precision),
                    format!("{:.5}", score.log_loss),
                    served.to_owned(),
                ]);
            }
        }
        rows
    }
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct LookReport {
    pub features: Vec<String>,
    /// The learner that is served.
    pub learner: String,
    pub trees: usize,
    /// Total over all trees.
    pub nodes: usize,
    /// `None` if the holdout has no frauds.
    pub ranking: Option<Ranking>,
    /// The learners, the best average precision first.
    pub leaderboard: Vec<LearnerScore>,
    pub reliability: Vec<Bin>,
    /// For each feature, its share of all contributions to scores, the largest first.
    pub importance: Vec<(String, f64)>,
}

/// One learner's results on the holdout.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct LearnerScore {
    pub learner: String,
    pub trees: usize,
    /// `None` if the holdout has no frauds.
    pub ranking: Option<Ranking>,
    /// Mean of −ln of the probability given to the true label.
    pub log_loss: f64,
    /// `None` if the holdout has too few frauds, and for an imported model.
    pub calibration: Option<Calibration>,
}

impl LearnerScore {
    /// A figure of the ranking to three decimal places; `unknown` without a ranking.
    fn figure(&self, pick: fn(&Ranking) -> f64) -> String {
        self.ranking.as_ref().map_or_else(
            || "unknown".to_owned(),
            |ranking| format!("{:.3}", pick(ranking)),
        )
    }
}

/// What the second look would do with the holds.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct HoldOutcomes {
    pub released: Count,
    pub review: Count,
    pub blocked: Count,
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Count {
    pub frauds: usize,
    pub good: usize,
}

/// What both looks would have done on the holdout.
pub(crate) struct HoldoutOutcome {
    pub(crate) held: Choice,
    pub(crate) kept: Choice,
    pub(crate) settled: HoldOutcomes,
}

impl HoldoutOutcome {
    /// `first` and `confirm` are the looks' probabilities of the same rows.
    pub(crate) fn new(policy: &Policy, first: &[ScoredLabel], confirm: &[ScoredLabel]) -> Self {
        let mut held = Vec::with_capacity(first.len());
        let mut kept = Vec::with_capacity(first.len());
        let mut settled = HoldOutcomes::default();
        for (first, confirm) in first.iter().zip(confirm) {
            let is_held = policy.provisional(first.score) == Action::Hold;
            let action = policy.settled(confirm.score);
            held.push((is_held, *first));
            kept.push((is_held && action != Action::Release, *first));
            if is_held {
                settled.count_mut(action).add(first.is_fraud);
            }
        }
        let of_good = first.iter().find(|one| !one.is_fraud);
        settled.weigh_good(of_good.map_or(1.0, |one| one.weight));
        Self {
            held: choice_of_rows(held),
            kept: choice_of_rows(kept),
            settled,
        }
    }
}

impl Count {
    fn add(&mut self, is_fraud: bool) {
        if is_fraud {
            self.frauds += 1;
        } else {
            self.good += 1;
        }
    }
}

impl HoldOutcomes {
    fn weigh_good(&mut self, weight: f64) {
        for count in [&mut self.released, &mut self.review, &mut self.blocked] {
            count.good = (count.good as f64 * weight).round() as usize;
        }
    }

    fn count_mut(&mut self, action: Action) -> &mut Count {
        match action {
            Action::Release => &mut self.released,
            Action::Block => &mut self.blocked,
            _ => &mut self.review,
        }
    }

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

    /// The share of held frauds that is not released; `None` if no fraud was held.
    pub fn true_holds_kept(&self) -> Option<f64> {
        let held = self.held().frauds;
        (held > 0).then(|| (held - self.released.frauds) as f64 / held as f64)
    }

    /// The share of held good transactions that is released; `None` if none was held.
    pub fn false_holds_released(&self) -> Option<f64> {
        let held = self.held().good;
        (held > 0).then(|| self.released.good as f64 / held as f64)
    }
}
