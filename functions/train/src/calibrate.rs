//! Calibrates scores to probabilities.

use scoring::logistic;
use serde::{Deserialize, Serialize};

use crate::metrics::{ScoredLabel, count_frauds, count_transactions, softplus};

/// The smallest number of frauds, and of good transactions, to train or calibrate on.
pub(crate) const MIN_CLASS: usize = 10;

/// Calibrated log odds are `slope` × log odds + `intercept` (Platt 1999, "Probabilistic outputs for
/// support vector machines").
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct Calibration {
    pub slope: f64,
    pub intercept: f64,
}

impl Calibration {
    /// Changes nothing.
    pub const NONE: Self = Self {
        slope: 1.0,
        intercept: 0.0,
    };

    pub fn log_odds(self, log_odds: f64) -> f64 {
        self.slope * log_odds + self.intercept
    }
}

/// Upper limit of Newton steps; about a dozen are needed.
const STEPS: usize = 100;

/// Fits the calibration to log odds, with Platt's targets instead of 0 and 1. `None` if a class has
/// fewer than [`MIN_CLASS`] rows, or if higher scores do not mean a higher fraud rate.
pub(crate) fn calibrate(scored: &[ScoredLabel]) -> Option<Calibration> {
    let frauds = count_frauds(scored);
    let good = scored.len() - frauds;
    if frauds < MIN_CLASS || good < MIN_CLASS {
        return None;
    }
    let of_fraud = (frauds as f64 + 1.0) / (frauds as f64 + 2.0);
    let all_good = count_transactions(scored) - frauds as f64;
    let of_good = 1.0 / (all_good + 2.0);
    let loss = |at: Calibration| -> f64 {
        let one = |one: &ScoredLabel| {
            let log_odds = at.log_odds(one.score);
            let target = if one.is_fraud { of_fraud } else { of_good };
            one.weight * (target * softplus(-log_odds) + (1.0 - target) * softplus(log_odds))
        };
        scored.iter().map(one).sum()
    };
    let mut at = Calibration::NONE;
    let mut best = loss(at);
    for _ in 0..STEPS {
        // Gradient and Hessian by slope and intercept.
        let (mut g, mut h) = ([0.0; 2], [0.0; 3]);
        for one in scored {
            let log_odds = one.score;
            let p = logistic(at.log_odds(log_odds));
            let target = if one.is_fraud { of_fraud } else { of_good };
            let off = one.weight * (p - target);
            let weight = one.weight * p * (1.0 - p);
            g = [g[0] + off * log_odds, g[1] + off];
            h = [
                h[0] + weight * log_odds * log_odds,
                h[1] + weight * log_odds,
                h[2] + weight,
            ];
        }
        let determinant = h[0] * h[2] - h[1] * h[1];
        if determinant.partial_cmp(&0.0) != Some(std::cmp::Ordering::Greater) {
            break;
        }
        let step = [
            (h[2] * g[0] - h[1] * g[1]) / determinant,
            (h[0] * g[1] - h[1] * g[0]) / determinant,
        ];
        let along = |share: f64| Calibration {
            slope: at.slope - share * step[0],
            intercept: at.intercept - share * step[1],
        };
        let better = (0..30)
            .map(|halved| along(0.5_f64.powi(halved)))
            .find(|to| loss(*to) < best);
        let Some(to) = better else { break };
        let gained = best - loss(to);
        (at, best) = (to, best - gained);
        if gained < 1e-10 * best {
            break;
        }
    }
    (at.slope > 0.0 && at.slope.is_finite() && at.intercept.is_finite()).then_some(at)
}

/// The transactions with a probability in one bin of the reliability table. The good ones are
/// estimated from a sample.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct Bin {
    pub from: f64,
    /// Upper bound, exclusive; inclusive in the last bin.
    pub to: f64,
    pub transactions: usize,
    pub frauds: usize,
    pub said: f64,
}

/// Narrow at low probabilities, where the thresholds are.
const EDGES: [f64; 14] = [
    0.0, 0.001, 0.003, 0.01, 0.03, 0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 0.7, 0.8, 0.9,
];

/// The reliability table of probabilities. Empty bins are left out.
pub(crate) fn reliability(scored: &[ScoredLabel]) -> Vec<Bin> {
    let ends = EDGES.iter().skip(1).copied().chain([f64::INFINITY]);
    let bin = |(&from, to): (&f64, f64)| {
        let is_within = |one: &&ScoredLabel| one.score >= from && one.score < to;
        let within: Vec<ScoredLabel> = scored.iter().filter(is_within).copied().collect();
        let all = count_transactions(&within);
        let sum: f64 = within.iter().map(|one| one.weight * one.score).sum();
        Bin {
            from,
            to: to.min(1.0),
            transactions: all.round() as usize,
            frauds: count_frauds(&within),
            said: sum / all,
        }
    };
    EDGES
        .iter()
        .zip(ends)
        .map(bin)
        .filter(|bin| bin.transactions > 0)
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn label(score: f64, is_fraud: bool) -> ScoredLabel {
        ScoredLabel::new(score, is_fraud)
    }

    /// Log odds x where the true log odds are 0.5 x − 2.
    fn scored() -> Vec<ScoredLabel> {
        let of = |x: i32| {
            let share = logistic(0.5 * f64::from(x) - 2.0);
            (0..1000).map(move |i| label(f64::from(x), f64::from(i) < share * 1000.0))
        };
        (-5..=10).flat_map(of).collect()
    }

    #[test]
    fn calibration_reverts_a_linear_distortion_of_log_odds() {
        let found = calibrate(&scored()).unwrap();
        assert!(
            (found.slope - 0.5).abs() < 0.01 && (found.intercept + 2.0).abs() < 0.02,
            "{found:?}"
        );
        let right: Vec<ScoredLabel> = scored()
            .iter()
            .map(|one| label(logistic(found.log_odds(one.score)), one.is_fraud))
            .collect();
        for bin in reliability(&right) {
            let share = bin.frauds as f64 / bin.transactions as f64;
            assert!((share - bin.said).abs() < 0.02, "{bin:?}");
        }
    }

    #[test]
    fn a_sample_of_the_good_transactions_gives_the_calibration_of_all() {
        let all = scored();
        let mut sample = Vec::new();
        let mut good = 0;
        for one in &all {
            good += usize::from(!one.is_fraud);
            let weight = if one.is_fraud { 1.0 } else { 10.0 };
            if one.is_fraud || good % 10 == 0 {
                sample.push(ScoredLabel { weight, ..*one });
            }
        }
        assert!(sample.len() < all.len() / 2);
        let (all, sample) = (calibrate(&all).unwrap(), calibrate(&sample).unwrap());
        assert!(
            (all.slope - sample.slope).abs() < 0.01
                && (all.intercept - sample.intercept).abs() < 0.02,
            "{all:?} and {sample:?}"
        );
        let weight = 10.0;
        let half = [ScoredLabel::new(0.5, true), label(0.5, false)];
        let half = [half[0], ScoredLabel { weight, ..half[1] }];
        let bin = reliability(&half)[0];
        assert_eq!((bin.transactions, bin.frauds, bin.said), (11, 1, 0.5));
    }

    #[test]
    fn too_few_frauds_or_inverted_scores_give_no_calibration() {
        let few: Vec<ScoredLabel> = (0..100).map(|i| label(f64::from(i), i > 95)).collect();
        assert_eq!(calibrate(&few), None);
        let upside_down: Vec<ScoredLabel> = scored()
            .iter()
            .map(|one| label(-one.score, one.is_fraud))
            .collect();
        assert_eq!(calibrate(&upside_down), None);
        // Perfectly separated classes: Platt's targets keep the slope finite.
        let apart: Vec<ScoredLabel> = (0..100)
            .map(|i| label(f64::from(i) - 50.0, i >= 50))
            .collect();
        assert!(calibrate(&apart).is_some_and(|found| found.slope.is_finite()));
    }

    #[test]
    fn every_probability_is_in_one_bin() {
        let scored: Vec<ScoredLabel> = [0.0, 0.001, 0.05, 0.95, 1.0]
            .into_iter()
            .map(|p| label(p, p > 0.5))
            .collect();
        let bins = reliability(&scored);
        assert_eq!(bins.iter().map(|bin| bin.transactions).sum::<usize>(), 5);
        assert_eq!((bins[0].transactions, bins[1].from), (1, 0.001));
        let last = bins.last().unwrap();
        assert_eq!(
            (last.to, last.transactions, last.frauds, last.said),
            (1.0, 2, 2, 0.975)
        );
    }
}
