//! The Rust engine: feature values of a transaction, and windows over a history.

mod history;
mod walk;

pub use history::{History, Label};

use decision::{Batch, Evidence, Hold};
use jiff::Timestamp;

use crate::{Calendar, Categories, Definition, Kind, Look, Matrix, Profiles};

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
pub trait Facts {
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

/// Where a window of the first look lies among the profiles.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct Slot {
    pub(crate) table: usize,
    pub(crate) column: usize,
    /// What it is for an entity that has no profile: what it is of no transactions.
    pub(crate) of_nothing: f64,
}

/// A row of a batch, and what the profiles know of its entities.
pub(crate) struct BatchRow<'a> {
    pub(crate) batch: &'a Batch<'a>,
    pub(crate) row: usize,
    pub(crate) categories: &'a Categories,
    pub(crate) profiles: Option<&'a Profiles>,
    /// For each feature, its slot if it is a window.
    pub(crate) slots: &'a [Option<Slot>],
    /// For each table, the row of this transaction's entity.
    pub(crate) found: &'a [Option<u32>],
}

impl Facts for BatchRow<'_> {
    fn occurred_at(&self) -> Timestamp {
        self.batch.occurred_at(self.row)
    }
    fn amount(&self) -> f64 {
        self.batch.amount(self.row)
    }
    fn number(&self, index: usize) -> f64 {
        self.batch.number(self.row, index)
    }
    fn category(&self, index: usize) -> f64 {
        let name = self.batch.schema().categories.get(index).map_or("", String::as_str);
        self.categories.value(name, self.batch.category(self.row, index))
    }
    fn window(&self, place: usize) -> f64 {
        let Some(&Slot { table, column, of_nothing }) = self.slots.get(place).and_then(Option::as_ref) else {
            return f64::NAN;
        };
        match (self.profiles, self.found.get(table)) {
            (Some(profiles), Some(&Some(row))) => profiles.value(table, row, column),
            _ => of_nothing,
        }
    }
}

/// A held transaction and its evidence.
pub(crate) struct HeldRow<'a> {
    pub(crate) definition: &'a Definition,
    pub(crate) categories: &'a Categories,
    pub(crate) hold: &'a Hold,
    pub(crate) evidence: &'a Evidence,
}

impl Facts for HeldRow<'_> {
    fn occurred_at(&self) -> Timestamp {
        self.hold.occurred_at
    }
    fn amount(&self) -> f64 {
        self.hold.amount
    }
    fn number(&self, index: usize) -> f64 {
        let name = self.definition.schema().numbers.get(index);
        name.and_then(|name| self.hold.numbers.get(name)).copied().unwrap_or(f64::NAN)
    }
    fn category(&self, index: usize) -> f64 {
        let name = self.definition.schema().categories.get(index).map_or("", String::as_str);
        self.categories.value(name, self.hold.categories.get(name).map(String::as_str))
    }
    fn window(&self, place: usize) -> f64 {
        let name = self.definition.feature(place).map_or("", |feature| &feature.name);
        self.evidence.get(name).copied().flatten().unwrap_or(f64::NAN)
    }
}

impl Definition {
    /// One feature's value; where it is missing or no finite number, what the definition says, or NaN.
    pub fn value(&self, place: usize, facts: &impl Facts) -> f64 {
        let Some(feature) = self.feature(place) else { return f64::NAN };
        let value = match &feature.kind {
            Kind::Amount => facts.amount(),
            Kind::Number(index) => facts.number(*index),
            Kind::Category(index) => facts.category(*index),
            Kind::Calendar(part) => part.at(facts.occurred_at()),
            Kind::Window(_) => facts.window(place),
            // Over 0 it is no finite number.
            Kind::Ratio(over, under) => self.value(*over, facts) / self.value(*under, facts),
            Kind::Difference(from, less) => self.value(*from, facts) - self.value(*less, facts),
        };
        if value.is_finite() { value } else { feature.missing.unwrap_or(f64::NAN) }
    }

    /// Appends a look's row of values.
    pub fn push_row(&self, look: &Look, facts: &impl Facts, matrix: &mut Matrix) {
        for &place in &look.features {
            matrix.push(self.value(place, facts));
        }
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
            [Calendar::Night, Calendar::Weekend, Calendar::Hour, Calendar::Weekday].map(|part| part.at(moment))
        };
        assert_eq!(at("2018-08-12T06:59:59Z"), [1.0, 1.0, 6.0, 6.0]);
        assert_eq!(at("2018-08-12T23:30:00-02:00"), [1.0, 0.0, 1.0, 0.0]);
        assert_eq!(at("2018-08-10T07:00:00Z"), [0.0, 0.0, 7.0, 4.0]);
        assert_eq!(at("1969-12-31T23:00:00Z"), [0.0, 0.0, 23.0, 2.0]);
    }
}
