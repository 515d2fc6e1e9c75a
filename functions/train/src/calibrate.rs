//! From scores to probabilities that can be taken at their word.

use scoring::logistic;
use serde::{Deserialize, Serialize};

use crate::metrics::log_loss;

/// Frauds, and good transactions, that something can be learnt from.
pub(crate) const MIN_CLASS: usize = 10;

/// `slope` times the log odds, plus `intercept` (Platt 1999, "Probabilistic outputs for support vector
/// machines").
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct Calibration {
    pub slope: f64,
    pub intercept: f64,
}

impl Calibration {
    /// Leaves everything as it is.
    pub const NONE: Self = Self {
        slope: 1.0,
        intercept: 0.0,
    };

    pub fn log_odds(self, log_odds: f64) -> f64 {
        self.slope * log_odds + self.intercept
    }
}

/// Newton steps at the most; a dozen are needed.
const STEPS: usize = 100;

/// Learns it from `(log odds, is fraud)`, with Platt's targets in place of 0 and 1. None where there are
/// too few of either class, or where higher scores do not mean more frauds.
pub(crate) fn calibrate(scored: &[(f64, bool)]) -> Option<Calibration> {
    let frauds = scored.iter().filter(|(_, fraud)| *fraud).count();
    let good = scored.len() - frauds;
    if frauds < MIN_CLASS || good < MIN_CLASS {
        return None;
    }
    let (of_fraud, of_good) = (
        (frauds as f64 + 1.0) / (frauds as f64 + 2.0),
        1.0 / (good as f64 + 2.0),
    );
    let loss = |at: Calibration| -> f64 {
        let one = |&(log_odds, fraud): &(f64, bool)| {
            let (log_odds, target) = (
                at.log_odds(log_odds),
                if fraud { of_fraud } else { of_good },
            );
            target * log_loss([(log_odds, true)]) + (1.0 - target) * log_loss([(log_odds, false)])
        };
        scored.iter().map(one).sum()
    };
    let mut at = Calibration::NONE;
    let mut best = loss(at);
    for _ in 0..STEPS {
        // Gradient and Hessian by slope and intercept.
        let (mut g, mut h) = ([0.0; 2], [0.0; 3]);
        for &(log_odds, fraud) in scored {
            let p = logistic(at.log_odds(log_odds));
            let (off, weight) = (p - if fraud { of_fraud } else { of_good }, p * (1.0 - p));
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

/// A span of probabilities, and what became of the transactions that were given one of them.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct Bin {
    pub from: f64,
    /// Below this one; the last has it too.
    pub to: f64,
    pub transactions: usize,
    /// How many of them were frauds.
    pub frauds: usize,
    /// The mean of their probabilities.
    pub said: f64,
}

/// Narrow where frauds are rare, which is where thresholds are.
const EDGES: [f64; 14] = [
    0.0, 0.001, 0.003, 0.01, 0.03, 0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 0.7, 0.8, 0.9,
];

/// The reliability table of `(probability, is fraud)`; spans without a transaction are left out.
pub(crate) fn reliability(scored: &[(f64, bool)]) -> Vec<Bin> {
    let ends = EDGES.iter().skip(1).copied().chain([f64::INFINITY]);
    let bin = |(&from, to): (&f64, f64)| {
        let within: Vec<&(f64, bool)> = scored
            .iter()
            .filter(|(p, _)| *p >= from && *p < to)
            .collect();
        let said = within.iter().map(|(p, _)| p).sum::<f64>() / within.len() as f64;
        let frauds = within.iter().filter(|(_, fraud)| *fraud).count();
        Bin {
            from,
            to: to.min(1.0),
            transactions: within.len(),
            frauds,
            said,
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

    /// `(log odds, is fraud)` where the true log odds are 0.5 x − 2.
    fn scored() -> Vec<(f64, bool)> {
        let of = |x: i32| {
            let share = logistic(0.5 * f64::from(x) - 2.0);
            (0..1000).map(move |i| (f64::from(x), f64::from(i) < share * 1000.0))
        };
        (-5..=10).flat_map(of).collect()
    }

    #[test]
    fn a_distortion_in_log_odds_is_found_and_undone() {
        let found = calibrate(&scored()).unwrap();
        assert!(
            (found.slope - 0.5).abs() < 0.01 && (found.intercept + 2.0).abs() < 0.02,
            "{found:?}"
        );
        let right: Vec<(f64, bool)> = scored()
            .iter()
            .map(|(x, fraud)| (logistic(found.log_odds(*x)), *fraud))
            .collect();
        for bin in reliability(&right) {
            let share = bin.frauds as f64 / bin.transactions as f64;
            assert!((share - bin.said).abs() < 0.02, "{bin:?}");
        }
    }

    #[test]
    fn what_can_t_be_calibrated_is_left_alone() {
        let few: Vec<(f64, bool)> = (0..100).map(|i| (f64::from(i), i > 95)).collect();
        assert_eq!(calibrate(&few), None);
        let upside_down: Vec<(f64, bool)> =
            scored().iter().map(|(x, fraud)| (-x, *fraud)).collect();
        assert_eq!(calibrate(&upside_down), None);
        // Told apart without a miss: the targets keep the slope finite.
        let apart: Vec<(f64, bool)> = (0..100).map(|i| (f64::from(i) - 50.0, i >= 50)).collect();
        assert!(calibrate(&apart).is_some_and(|found| found.slope.is_finite()));
    }

    #[test]
    fn every_probability_is_in_one_span() {
        let scored: Vec<(f64, bool)> = [0.0, 0.001, 0.05, 0.95, 1.0]
            .into_iter()
            .map(|p| (p, p > 0.5))
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
