//! The Rust engine: feature values of a transaction, and windows over a history.

mod history;
mod walk;

pub use history::{History, Label};

use jiff::Timestamp;

use crate::{Calendar, Definition, FeatureKind, Look};

const DAY: i64 = 86_400;

impl Calendar {
    /// The part's value at a moment, UTC.
    pub fn at(self, moment: Timestamp) -> f64 {
        let seconds = moment.as_second();
        let hour = seconds.rem_euclid(DAY) / 3_600;
        // Day 0, 1 January 1970, was a Thursday.
        let weekday = (seconds.div_euclid(DAY) + 3).rem_euclid(7);
        match self {
            Self::Night => f64::from(u8::from(hour <= 6)),
            Self::Weekend => f64::from(u8::from(weekday >= 5)),
            Self::Hour => hour as f64,
            Self::Weekday => weekday as f64,
        }
    }
}

/// What a feature is computed from, but for windows. Missing is NaN.
pub trait FeatureSource {
    /// When the transaction happened.
    fn occurred_at(&self) -> Timestamp;
    /// Its amount.
    fn amount(&self) -> f64;
    /// Its n-th declared number.
    fn number(&self, index: usize) -> f64;
    /// Its n-th declared category, as the number that training has learnt.
    fn category(&self, index: usize) -> f64;
    /// The window that is this place's feature.
    fn window(&self, place: usize) -> f64;
}

impl Definition {
    /// One feature's value; where it is missing or no finite number, what the definition says, or NaN.
    pub fn value(&self, place: usize, facts: &impl FeatureSource) -> f64 {
        let Some(feature) = self.feature(place) else {
            return f64::NAN;
        };
        let value = match &feature.kind {
            FeatureKind::Amount => facts.amount(),
            FeatureKind::Number(index) => facts.number(*index),
            FeatureKind::Category(index) => facts.category(*index),
            FeatureKind::Calendar(part) => part.at(facts.occurred_at()),
            FeatureKind::Window(_) => facts.window(place),
            // Over 0 it is no finite number.
            FeatureKind::Ratio(over, under) => self.value(*over, facts) / self.value(*under, facts),
            FeatureKind::Difference(from, less) => {
                self.value(*from, facts) - self.value(*less, facts)
            }
        };
        if value.is_finite() {
            value
        } else {
            feature.missing.unwrap_or(f64::NAN)
        }
    }

    /// A look's row of values, in the order of its features.
    pub fn row<'r>(
        &'r self,
        look: &'r Look,
        facts: &'r impl FeatureSource,
    ) -> impl Iterator<Item = f64> + 'r {
        look.features.iter().map(|&place| self.value(place, facts))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn calendar_parts_are_those_of_utc() {
        // 2018-08-12 was a Sunday.
        let at = |text: &str| {
            let moment: Timestamp = text.parse().unwrap();
            [
                Calendar::Night,
                Calendar::Weekend,
                Calendar::Hour,
                Calendar::Weekday,
            ]
            .map(|part| part.at(moment))
        };
        assert_eq!(at("2018-08-12T06:59:59Z"), [1.0, 1.0, 6.0, 6.0]);
        assert_eq!(at("2018-08-12T23:30:00-02:00"), [1.0, 0.0, 1.0, 0.0]);
        assert_eq!(at("2018-08-10T07:00:00Z"), [0.0, 0.0, 7.0, 4.0]);
        assert_eq!(at("1969-12-31T23:00:00Z"), [0.0, 0.0, 23.0, 2.0]);
    }
}
