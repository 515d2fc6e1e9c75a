//! How thresholds are chosen: from what users know, a budget or what mistakes cost.

use serde::Deserialize;

use super::{DefinitionError, setting, share};

/// How the first look's threshold is chosen. `[first]` has one of `hold_share` and `holds_a_day`, or
/// `[costs]` has `false_hold`.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum HoldBy {
    /// At most this share of all transactions is held.
    Share(f64),
    /// At most this many holds a day.
    ADay(f64),
    /// Held where that is expected to cost less than to approve.
    Cost {
        /// A good transaction held, until its release.
        false_hold: f64,
    },
}

/// How it is chosen which holds people look at. `[costs]` has `review`, or `[confirm]` has
/// `reviews_a_day`.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum ReviewBy {
    /// Those where a review costs less than either mistake is expected to.
    Cost {
        /// A transaction looked at by a person.
        review: f64,
    },
    /// At most this many a day: those where the better of the two mistakes is expected to cost most.
    ADay(f64),
}

/// What a mistake costs, in any one unit.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Costs {
    /// A fraud approved or released.
    pub missed_fraud: f64,
    /// A good transaction blocked.
    pub false_block: f64,
}

/// `[costs]` before it is checked.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct CostsEntry {
    missed_fraud: f64,
    false_block: f64,
    false_hold: Option<f64>,
    review: Option<f64>,
}

impl CostsEntry {
    /// With `[first]`'s and `[confirm]`'s budgets.
    pub(super) fn checked(
        self,
        hold_share: Option<f64>,
        holds_a_day: Option<f64>,
        reviews_a_day: Option<f64>,
    ) -> Result<(Costs, HoldBy, ReviewBy), DefinitionError> {
        let costs = Costs {
            missed_fraud: self.missed_fraud,
            false_block: self.false_block,
        };
        let given = [
            Some(costs.missed_fraud),
            Some(costs.false_block),
            self.false_hold,
            self.review,
        ];
        if given
            .into_iter()
            .flatten()
            .any(|cost| !cost.is_finite() || cost <= 0.0)
        {
            return Err(setting("costs", "expected numbers above 0"));
        }
        let hold = match (hold_share, holds_a_day, self.false_hold) {
            (Some(of), None, None) => HoldBy::Share(share("first.hold_share", of)?),
            (None, Some(holds), None) => HoldBy::ADay(a_day("first.holds_a_day", holds)?),
            (None, None, Some(false_hold)) => HoldBy::Cost { false_hold },
            _ => {
                return Err(setting(
                    "first",
                    "expected one of hold_share, holds_a_day and costs.false_hold",
                ));
            }
        };
        let review = match (self.review, reviews_a_day) {
            (Some(review), None) => ReviewBy::Cost { review },
            (None, Some(reviews)) => ReviewBy::ADay(a_day("confirm.reviews_a_day", reviews)?),
            _ => {
                return Err(setting(
                    "confirm",
                    "expected one of reviews_a_day and costs.review",
                ));
            }
        };
        if matches!(review, ReviewBy::Cost { review } if review > costs.dearest_review()) {
            return Err(setting(
                "costs",
                "review costs so much that it would never be chosen: lower it",
            ));
        }
        Ok((costs, hold, review))
    }
}

impl Costs {
    /// What a review may cost to be worth it at all: there, releasing and blocking cost the same.
    pub fn dearest_review(&self) -> f64 {
        self.missed_fraud * self.false_block / (self.missed_fraud + self.false_block)
    }
}

fn a_day(name: &'static str, value: f64) -> Result<f64, DefinitionError> {
    if value.is_finite() && value > 0.0 {
        Ok(value)
    } else {
        Err(setting(name, "expected a number above 0"))
    }
}
