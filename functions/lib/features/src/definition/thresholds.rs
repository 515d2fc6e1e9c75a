//! How training chooses the thresholds: by a budget, or by what mistakes cost.

use serde::Deserialize;

use super::error::{DefinitionError, invalid_setting, share_setting};

/// How the first look's threshold is chosen: exactly one of `first.hold_share`,
/// `first.holds_a_day` and `costs.false_hold` says it.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum HoldBy {
    /// Hold at most this share of all transactions.
    Share(f64),
    /// Hold at most this many transactions a day.
    PerDay(f64),
    /// Hold a transaction if the expected cost of holding is below that of approving.
    Cost {
        /// The cost of holding a good transaction until its release.
        false_hold: f64,
    },
}

/// Which holds go to people: exactly one of `costs.review` and `confirm.reviews_a_day` says it.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum ReviewBy {
    /// Those for which a review costs less than either mistake is expected to.
    Cost {
        /// The cost of one review by a person.
        review: f64,
    },
    /// At most this many a day: those for which the cheaper of the two possible mistakes has the
    /// highest expected cost.
    PerDay(f64),
}

/// Costs of mistakes, all in the same unit of your choice.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Costs {
    /// A fraud that was approved or released.
    pub missed_fraud: f64,
    /// A good transaction that was blocked.
    pub false_block: f64,
}

/// `[costs]` before it is checked.
#[derive(Clone, Copy, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct CostsEntry {
    missed_fraud: f64,
    false_block: f64,
    false_hold: Option<f64>,
    review: Option<f64>,
}

/// The settings of `[first]` and `[confirm]` that choose thresholds, before they are checked.
pub(super) struct Budgets {
    pub(super) hold_share: Option<f64>,
    pub(super) holds_a_day: Option<f64>,
    pub(super) reviews_a_day: Option<f64>,
}

impl CostsEntry {
    pub(super) fn checked(self) -> Result<Costs, DefinitionError> {
        let optional = [self.false_hold, self.review].into_iter().flatten();
        for cost in [self.missed_fraud, self.false_block]
            .into_iter()
            .chain(optional)
        {
            if !(cost.is_finite() && cost > 0.0) {
                let why = format!("found {cost}, expected numbers above 0");
                return Err(invalid_setting("costs", &why));
            }
        }
        Ok(Costs {
            missed_fraud: self.missed_fraud,
            false_block: self.false_block,
        })
    }

    pub(super) fn hold_by(self, budgets: &Budgets) -> Result<HoldBy, DefinitionError> {
        match (budgets.hold_share, budgets.holds_a_day, self.false_hold) {
            (Some(hold_share), None, None) => {
                share_setting("first.hold_share", hold_share).map(HoldBy::Share)
            }
            (None, Some(holds), None) => {
                per_day_setting("first.holds_a_day", holds).map(HoldBy::PerDay)
            }
            (None, None, Some(false_hold)) => Ok(HoldBy::Cost { false_hold }),
            _ => Err(invalid_setting(
                "first",
                "expected one of hold_share, holds_a_day and costs.false_hold",
            )),
        }
    }

    pub(super) fn review_by(self, budgets: &Budgets) -> Result<ReviewBy, DefinitionError> {
        match (self.review, budgets.reviews_a_day) {
            (Some(review), None) if review > self.checked()?.break_even_review() => {
                Err(invalid_setting(
                    "costs",
                    "review costs so much that no hold would be reviewed: lower it",
                ))
            }
            (Some(review), None) => Ok(ReviewBy::Cost { review }),
            (None, Some(reviews)) => {
                per_day_setting("confirm.reviews_a_day", reviews).map(ReviewBy::PerDay)
            }
            _ => Err(invalid_setting(
                "confirm",
                "expected one of reviews_a_day and costs.review",
            )),
        }
    }
}

impl Costs {
    /// The highest cost of a review at which one is ever worth it: at the probability at which
    /// releasing and blocking have the same expected cost, this is that cost.
    pub fn break_even_review(&self) -> f64 {
        self.missed_fraud * self.false_block / (self.missed_fraud + self.false_block)
    }
}

fn per_day_setting(name: &'static str, value: f64) -> Result<f64, DefinitionError> {
    if value.is_finite() && value > 0.0 {
        Ok(value)
    } else {
        let why = format!("found {value}, expected a number above 0");
        Err(invalid_setting(name, &why))
    }
}
