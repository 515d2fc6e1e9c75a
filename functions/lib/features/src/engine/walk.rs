//! A window that moves over the rows of one entity value, the oldest first. Each row enters once and
//! leaves once, so the cost does not depend on the window's length.

use std::cmp::Reverse;
use std::collections::{BinaryHeap, HashMap, HashSet, VecDeque};

use jiff::{SignedDuration, Timestamp};

use super::History;
use crate::{Measure, Window};

/// The window `(end − delay − length, end − delay]` at its current end.
pub(super) struct Walk<'a> {
    history: &'a History,
    window: &'a Window,
    rows: &'a [usize],
    /// The indexes `from..to` of `rows` are inside.
    from: usize,
    to: usize,
    /// The number, sum and sum of squares of the values inside that are not missing.
    present: usize,
    sum: Sum,
    squares: Sum,
    /// The minimum or maximum inside, and the values that follow it in that role when it leaves.
    extremes: VecDeque<Extreme>,
    /// Value of a field → number of rows inside that have it.
    distinct: HashMap<u32, u32>,
    /// Frauds that entered and are not reported yet, the next report first: its time, and the
    /// row's index in `rows`.
    reports: BinaryHeap<Reverse<(Timestamp, usize)>>,
    /// Indexes of the frauds inside that are reported.
    reported: HashSet<usize>,
}

struct Extreme {
    index: usize,
    value: f64,
}

impl<'a> Walk<'a> {
    pub(super) fn new(history: &'a History, window: &'a Window, rows: &'a [usize]) -> Self {
        Self {
            history,
            window,
            rows,
            from: 0,
            to: 0,
            present: 0,
            sum: Sum::default(),
            squares: Sum::default(),
            extremes: VecDeque::new(),
            distinct: HashMap::new(),
            reports: BinaryHeap::new(),
            reported: HashSet::new(),
        }
    }

    /// Moves the window to a later end.
    pub(super) fn move_to(&mut self, end: Timestamp) {
        let micros =
            |duration: SignedDuration| i64::try_from(duration.as_micros()).unwrap_or(i64::MAX);
        let end = end
            .as_microsecond()
            .saturating_sub(micros(self.window.delay));
        let begin = end.saturating_sub(micros(self.window.length));
        let history = self.history;
        while let Some(&row) = self
            .rows
            .get(self.to)
            .filter(|row| history.occurred_at_row(**row).as_microsecond() <= end)
        {
            self.enter(self.to, row);
            self.to += 1;
        }
        let leaves = |row: &&usize| history.occurred_at_row(**row).as_microsecond() <= begin;
        while let Some(&row) = self
            .rows
            .get(self.from..self.to)
            .and_then(<[_]>::first)
            .filter(leaves)
        {
            self.leave(self.from, row);
            self.from += 1;
        }
    }

    fn enter(&mut self, index: usize, row: usize) {
        let value = self.value_of(row);
        self.tally(value, 1.0);
        match self.window.measure {
            Measure::Min(_) => self.push_extreme(index, value, |other| other >= value),
            Measure::Max(_) => self.push_extreme(index, value, |other| other <= value),
            Measure::Distinct(of) => {
                if let Some(value) = self.history.field(of, row) {
                    *self.distinct.entry(value).or_default() += 1;
                }
            }
            Measure::FraudRate => {
                self.reports.extend(
                    self.history
                        .fraud_reported_at(row)
                        .map(|reported_at| Reverse((reported_at, index))),
                );
            }
            _ => {}
        }
    }

    fn leave(&mut self, index: usize, row: usize) {
        self.tally(self.value_of(row), -1.0);
        if self
            .extremes
            .front()
            .is_some_and(|first| first.index == index)
        {
            self.extremes.pop_front();
        }
        if let Measure::Distinct(of) = self.window.measure
            && let Some(value) = self.history.field(of, row)
            && let Some(times) = self.distinct.get_mut(&value)
        {
            *times -= 1;
            if *times == 0 {
                self.distinct.remove(&value);
            }
        }
        self.reported.remove(&index);
    }

    /// The row's value of the measured quantity; NaN if it is missing or the measure has none.
    fn value_of(&self, row: usize) -> f64 {
        self.window
            .measure
            .quantity()
            .map_or(f64::NAN, |of| self.history.quantity(of, row))
    }

    /// Counts a value that enters (1) or leaves (−1).
    fn tally(&mut self, value: f64, times: f64) {
        if value.is_nan() {
            return;
        }
        self.present = if times > 0.0 {
            self.present + 1
        } else {
            self.present - 1
        };
        if matches!(
            self.window.measure,
            Measure::Sum(_) | Measure::Mean(_) | Measure::Deviation(_)
        ) {
            self.sum.add(times * value);
        }
        if matches!(self.window.measure, Measure::Deviation(_)) {
            self.squares.add_square(value, times);
        }
    }

    /// A value that a later one replaces can never be the extreme again: it leaves first.
    fn push_extreme(&mut self, index: usize, value: f64, replaces: impl Fn(f64) -> bool) {
        if value.is_nan() {
            return;
        }
        while self
            .extremes
            .back()
            .is_some_and(|other| replaces(other.value))
        {
            self.extremes.pop_back();
        }
        self.extremes.push_back(Extreme { index, value });
    }

    /// The measure of the rows inside, with the reports up to `as_of`, which may only increase.
    pub(super) fn value(&mut self, as_of: Timestamp) -> f64 {
        while let Some(&Reverse((reported_at, index))) = self.reports.peek()
            && reported_at <= as_of
        {
            self.reports.pop();
            if index >= self.from {
                self.reported.insert(index);
            }
        }
        let (inside, present) = (self.to - self.from, self.present as f64);
        let empty_value = self.window.measure.empty_value();
        match self.window.measure {
            Measure::Count => inside as f64,
            Measure::Distinct(_) => self.distinct.len() as f64,
            Measure::FraudRate if inside > 0 => self.reported.len() as f64 / inside as f64,
            _ if self.present == 0 => empty_value,
            Measure::Sum(_) => self.sum.value(),
            Measure::Mean(_) => self.sum.value() / present,
            Measure::Deviation(_) => {
                (self.squares.times(present).minus_square(self.sum).max(0.0)).sqrt() / present
            }
            Measure::Min(_) | Measure::Max(_) => self
                .extremes
                .front()
                .map_or(empty_value, |first| first.value),
            Measure::FraudRate => empty_value,
        }
    }
}

/// A sum with twice the digits of its values, so that a value that leaves takes its rounding error
/// with it (T. J. Dekker, *A floating-point technique for extending the available precision*, 1971).
#[derive(Clone, Copy, Debug, Default)]
struct Sum {
    high: f64,
    low: f64,
}

impl Sum {
    fn add(&mut self, value: f64) {
        let high = self.high + value;
        let rest = high - self.high;
        let error = (self.high - (high - rest)) + (value - rest);
        *self = Self::of(high, self.low + error);
    }

    fn add_square(&mut self, value: f64, times: f64) {
        let square = value * value;
        self.add(times * square);
        self.add(times * value.mul_add(value, -square));
    }

    /// From a large and a small part.
    fn of(high: f64, low: f64) -> Self {
        let sum = high + low;
        Self {
            high: sum,
            low: low - (sum - high),
        }
    }

    fn times(self, factor: f64) -> Self {
        let high = self.high * factor;
        Self::of(high, self.high.mul_add(factor, -high) + self.low * factor)
    }

    /// This minus the square of `other`.
    fn minus_square(self, other: Self) -> f64 {
        let high = other.high * other.high;
        let square = Self::of(
            high,
            other.high.mul_add(other.high, -high) + 2.0 * other.high * other.low,
        );
        (self.high - square.high) + (self.low - square.low)
    }

    fn value(self) -> f64 {
        self.high + self.low
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_value_that_left_leaves_no_rounding_error() {
        let (mut sum, mut squares) = (Sum::default(), Sum::default());
        for value in [0.1, 1e9, 0.3] {
            sum.add(value);
            squares.add_square(value, 1.0);
        }
        sum.add(-1e9);
        squares.add_square(1e9, -1.0);
        assert_eq!(sum.value(), 0.4);
        assert!((squares.times(2.0).minus_square(sum).sqrt() / 2.0 - 0.1).abs() < 1e-9);
    }

    #[test]
    fn small_deviations_of_large_values_keep_their_digits() {
        let (mut sum, mut squares) = (Sum::default(), Sum::default());
        for value in [1_700_000_000.25, 1_700_000_000.5, 1_700_000_000.75] {
            sum.add(value);
            squares.add_square(value, 1.0);
        }
        let deviation = squares.times(3.0).minus_square(sum).sqrt() / 3.0;
        assert!(
            (deviation - (0.125_f64 / 3.0).sqrt()).abs() < 1e-12,
            "{deviation}"
        );
    }
}
