/// Probabilities are kept this far from 0 and 1 before their log odds are taken, which are infinite there.
const NEAREST: f64 = 1e-10;

/// How the sum that a forest's trees give becomes a probability.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub enum Link {
    /// The sum is log odds: gradient boosting, and what of its calibration is folded into the trees.
    #[default]
    Logistic,
    /// The sum is a probability, the mean of the trees' own: random forests. Calibrated in log odds
    /// (Platt 1999, "Probabilistic outputs for support vector machines"): `slope` times them, plus
    /// `intercept`. 1 and 0 leave it as it is.
    Probability {
        /// Above 0, so that what raises the sum raises the probability.
        slope: f64,
        /// Added in log odds.
        intercept: f64,
    },
}

impl Link {
    /// The probability of a sum.
    pub fn probability(self, sum: f64) -> f64 {
        match self {
            Self::Logistic => logistic(sum),
            Self::Probability { slope, intercept } => logistic(slope * logit(sum) + intercept),
        }
    }

    pub(crate) fn is_sound(self) -> bool {
        match self {
            Self::Logistic => true,
            Self::Probability { slope, intercept } => {
                slope > 0.0 && slope.is_finite() && intercept.is_finite()
            }
        }
    }
}

/// From log odds to a probability.
pub fn logistic(log_odds: f64) -> f64 {
    1.0 / (1.0 + (-log_odds).exp())
}

/// From a probability to log odds, finite at 0 and at 1 and beyond: what a calibration of
/// [`Link::Probability`] is to be learnt on.
pub fn logit(probability: f64) -> f64 {
    let near = probability.clamp(NEAREST, 1.0 - NEAREST);
    (near / (1.0 - near)).ln()
}
