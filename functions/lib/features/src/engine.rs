//! The Rust engine: feature values of a transaction, and windows over a history.

mod history;
mod profiles;
mod second_look;
mod sum;
mod tally;
mod timeline;
mod walk;
mod windows;

pub use history::{History, Report};

use jiff::Timestamp;

use crate::{Calendar, Definition, FeatureKind, Look};

const DAY: i64 = 86_400;

impl Calendar {
    /// The value of this calendar part at a timestamp, in UTC.
    pub fn at(self, timestamp: Timestamp) -> f64 {
        let seconds = timestamp.as_second();
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

/// Where the values of one transaction come from. A missing value is NaN.
pub trait FeatureSource {
    fn occurred_at(&self) -> Timestamp;
    fn amount(&self) -> f64;
    /// The number at an index of the schema.
    fn number(&self, index: usize) -> f64;
    /// The category at an index of the schema, as its value's fraud rate in training.
    fn category(&self, index: usize) -> f64;
    /// The value of the window feature at an index of the definition.
    fn window(&self, feature: usize) -> f64;
}

impl Definition {
    /// The value of the feature at an index. A value that is missing or not finite is replaced by
    /// the feature's `missing`, or by NaN if the feature has no `missing`.
    pub fn value(&self, index: usize, source: &impl FeatureSource) -> f64 {
        let Some(feature) = self.feature(index) else {
            return f64::NAN;
        };
        let value = match &feature.kind {
            FeatureKind::Amount => source.amount(),
            FeatureKind::Number(number) => source.number(*number),
            FeatureKind::Category(category) => source.category(*category),
            FeatureKind::Calendar(part) => part.at(source.occurred_at()),
            FeatureKind::Window(_) => source.window(index),
            // The result of a division by 0 is not finite.
            FeatureKind::Ratio(left, right) => {
                self.value(*left, source) / self.value(*right, source)
            }
            FeatureKind::Difference(left, right) => {
                self.value(*left, source) - self.value(*right, source)
            }
        };
        if value.is_finite() {
            value
        } else {
            feature.missing.unwrap_or(f64::NAN)
        }
    }

    /// The values of a look's features, in their order.
    pub fn row<'r>(
        &'r self,
        look: &'r Look,
        source: &'r impl FeatureSource,
    ) -> impl Iterator<Item = f64> + 'r {
        look.features.iter().map(|&index| self.value(index, source))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn calendar_parts_are_in_utc() {
        // 2018-08-12 was a Sunday.
        let at = |text: &str| {
            let timestamp: Timestamp = text.parse().unwrap();
            [
                Calendar::Night,
                Calendar::Weekend,
                Calendar::Hour,
                Calendar::Weekday,
            ]
            .map(|part| part.at(timestamp))
        };
        assert_eq!(at("2018-08-12T06:59:59Z"), [1.0, 1.0, 6.0, 6.0]);
        assert_eq!(at("2018-08-12T23:30:00-02:00"), [1.0, 0.0, 1.0, 0.0]);
        assert_eq!(at("2018-08-10T07:00:00Z"), [0.0, 0.0, 7.0, 4.0]);
        assert_eq!(at("1969-12-31T23:00:00Z"), [0.0, 0.0, 23.0, 2.0]);
    }
}
