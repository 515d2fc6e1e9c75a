/// The log odds of 0 and 1 are infinite, so probabilities are clamped to this distance from both.
const MIN_DISTANCE: f64 = 1e-10;

/// How the sum of a forest's trees becomes a probability.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub enum Link {
    /// The sum is log odds, as in gradient boosting: probability = [`logistic`] of the sum.
    #[default]
    Logistic,
    /// The sum is a probability, the mean of the trees' probabilities, as in random forests. It is
    /// calibrated by Platt scaling (J. Platt, "Probabilistic outputs for support vector machines",
    /// 1999), here on log odds: probability = logistic(slope · logit(sum) + intercept). A slope of
    /// 1 and an intercept of 0 change nothing.
    Probability {
        /// Above 0, so that a larger sum is a larger probability.
        slope: f64,
        intercept: f64,
    },
}

impl Link {
    /// The probability, between 0 and 1, of a forest's sum.
    pub fn probability(self, sum: f64) -> f64 {
        match self {
            Self::Logistic => logistic(sum),
            Self::Probability { slope, intercept } => logistic(slope * logit(sum) + intercept),
        }
    }

    /// Whether it is finite and increasing.
    pub(crate) fn is_valid(self) -> bool {
        match self {
            Self::Logistic => true,
            Self::Probability { slope, intercept } => {
                slope > 0.0 && slope.is_finite() && intercept.is_finite()
            }
        }
    }
}

/// The probability of log odds: 1 / (1 + e^(−x)).
pub fn logistic(log_odds: f64) -> f64 {
    1.0 / (1.0 + (-log_odds).exp())
}

/// The log odds of a probability: ln(p / (1 − p)), with `p` clamped to [1e-10, 1 − 1e-10]. A
/// calibration for [`Link::Probability`] must be fitted on these values.
pub fn logit(probability: f64) -> f64 {
    let clamped = probability.clamp(MIN_DISTANCE, 1.0 - MIN_DISTANCE);
    (clamped / (1.0 - clamped)).ln()
}
