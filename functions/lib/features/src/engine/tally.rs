//! The numbers of a window that transactions enter and leave in any order.

use std::cmp::Ordering;
use std::collections::BTreeMap;

use super::History;
use super::sum::Sum;
use crate::{Measure, OwnValue, Parts};

/// The transactions inside a window, without their frauds.
pub(super) struct Tally<'h> {
    history: &'h History,
    measure: Measure,
    rows: usize,
    /// The number, sum and sum of squares of the values that are not missing.
    values: usize,
    sum: Sum,
    squares: Sum,
    /// Value → number of rows that have it. For minima and maxima.
    numbers: BTreeMap<Number, usize>,
    /// Value of a field → number of rows that have it.
    distinct: BTreeMap<u32, usize>,
}

impl<'h> Tally<'h> {
    pub(super) fn new(history: &'h History, measure: Measure) -> Self {
        Self {
            history,
            measure,
            rows: 0,
            values: 0,
            sum: Sum::default(),
            squares: Sum::default(),
            numbers: BTreeMap::new(),
            distinct: BTreeMap::new(),
        }
    }

    pub(super) fn measure(&self) -> Measure {
        self.measure
    }

    pub(super) fn enter(&mut self, row: usize) {
        self.rows += 1;
        if let Some(value) = self.number(row) {
            self.values += 1;
            match self.measure {
                Measure::Min(_) | Measure::Max(_) => {
                    *self.numbers.entry(Number(value)).or_default() += 1;
                }
                Measure::Deviation(_) => {
                    self.sum.add(value);
                    self.squares.add_square(value, 1.0);
                }
                _ => self.sum.add(value),
            }
        }
        if let Some(value) = self.field(row) {
            *self.distinct.entry(value).or_default() += 1;
        }
    }

    /// The row must have entered before.
    pub(super) fn leave(&mut self, row: usize) {
        self.rows -= 1;
        if let Some(value) = self.number(row) {
            self.values -= 1;
            match self.measure {
                Measure::Min(_) | Measure::Max(_) => take_one(&mut self.numbers, &Number(value)),
                Measure::Deviation(_) => {
                    self.sum.add(-value);
                    self.squares.add_square(value, -1.0);
                }
                _ => self.sum.add(-value),
            }
        }
        if let Some(value) = self.field(row) {
            take_one(&mut self.distinct, &value);
        }
        if self.values == 0 {
            self.sum = Sum::default();
            self.squares = Sum::default();
        }
    }

    pub(super) fn parts(&self) -> Parts {
        let values = self.values as f64;
        let squares = match self.values {
            0 => 0.0,
            _ => self.squares.times(values).minus_square(self.sum).max(0.0) / values,
        };
        let extreme = match self.measure {
            Measure::Min(_) => self.numbers.keys().next(),
            _ => self.numbers.keys().next_back(),
        };
        Parts {
            rows: self.rows as f64,
            values,
            sum: self.sum.value(),
            squares,
            extreme: extreme.map_or(f64::NAN, |number| number.0),
            distinct: self.distinct.len() as f64,
            ..Parts::EMPTY
        }
    }

    /// The value of a transaction that is not inside.
    pub(super) fn own_value(&self, row: usize) -> OwnValue {
        if self.measure.quantity().is_some() {
            return OwnValue::Number(self.number(row).unwrap_or(f64::NAN));
        }
        let is_new = |value| !self.distinct.contains_key(&value);
        match self.field(row).is_some_and(is_new) {
            true => OwnValue::New,
            false => OwnValue::Known,
        }
    }

    /// The row's value of the measured quantity.
    fn number(&self, row: usize) -> Option<f64> {
        let quantity = self.measure.quantity()?;
        let value = self.history.quantity(quantity, row);
        (!value.is_nan()).then_some(value)
    }

    /// The row's value of the field whose different values are counted.
    fn field(&self, row: usize) -> Option<u32> {
        match self.measure {
            Measure::Distinct(field) => self.history.field(field, row),
            _ => None,
        }
    }
}

fn take_one<K: Ord>(counts: &mut BTreeMap<K, usize>, key: &K) {
    let Some(count) = counts.get_mut(key) else {
        return;
    };
    *count -= 1;
    if *count == 0 {
        counts.remove(key);
    }
}

/// A number in the order of [`f64::total_cmp`].
#[derive(Clone, Copy, Debug)]
struct Number(f64);

impl Ord for Number {
    fn cmp(&self, other: &Self) -> Ordering {
        self.0.total_cmp(&other.0)
    }
}

impl PartialOrd for Number {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl PartialEq for Number {
    fn eq(&self, other: &Self) -> bool {
        self.cmp(other).is_eq()
    }
}

impl Eq for Number {}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Quantity;

    #[test]
    fn a_value_whose_square_overflows_spoils_no_later_window() {
        let history = History {
            amounts: vec![1e200, 2.0, 4.0],
            ..History::default()
        };
        let mut tally = Tally::new(&history, Measure::Deviation(Quantity::Amount));
        tally.enter(0);
        tally.leave(0);
        assert_eq!([tally.parts().sum, tally.parts().squares], [0.0, 0.0]);
        tally.enter(1);
        tally.enter(2);
        let parts = tally.parts();
        assert_eq!([parts.values, parts.sum, parts.squares], [2.0, 6.0, 2.0]);
    }
}
