//! Windows computed directly from their definition, row by row. Times are in milliseconds; sums are
//! exact, in quarters.

use std::collections::BTreeSet;

use features::{Aggregate, DistinctField, History, Measure, Quantity, Report, Window};
use jiff::SignedDuration;

use crate::definitions::{LAG, PERIOD};

/// The rows that a window counts, and those that count as frauds.
pub(crate) struct Counted {
    pub(crate) rows: Vec<usize>,
    pub(crate) frauds: Vec<usize>,
    /// Where the window ends, before its delay.
    pub(crate) end: i64,
}

/// Which reports count.
#[derive(Clone, Copy)]
enum Known {
    /// Those of the profiles of a cut-off.
    Profile { cut_off: i64 },
    /// Those up to an own time and an arrival.
    AsOf { time: i64, arrival: i64 },
}

impl Known {
    fn counts(self, report: &Report) -> bool {
        let reported_at = report.reported_at.as_millisecond();
        let arrived_at = report.arrived_at.as_millisecond();
        match self {
            Self::Profile { cut_off } => reported_at <= cut_off && arrived_at <= cut_off,
            Self::AsOf { time, arrival } => reported_at <= time && arrived_at <= arrival,
        }
    }
}

pub(crate) struct Oracle<'h> {
    pub(crate) history: &'h History,
    pub(crate) has_cut_offs: bool,
}

/// The arrival by which profiles take what arrived.
fn profile_arrival(own_time: i64, arrival: i64) -> i64 {
    match (arrival - own_time).abs() < PERIOD {
        true => arrival,
        false => own_time,
    }
}

impl Oracle<'_> {
    fn time(&self, row: usize) -> i64 {
        self.history.occurred_at[row].as_millisecond()
    }

    fn arrival(&self, row: usize) -> i64 {
        self.history.arrived_at[row].as_millisecond()
    }

    fn profile_arrival(&self, row: usize) -> i64 {
        profile_arrival(self.time(row), self.arrival(row))
    }

    /// Of the profiles that are active when a row arrives.
    fn cut_off(&self, row: usize) -> i64 {
        (self.profile_arrival(row) - LAG).div_euclid(PERIOD) * PERIOD
    }

    /// The rows of an entity's value, but one.
    fn others(&self, window: &Window, value: u32, not: Option<usize>) -> Vec<usize> {
        let column = &self.history.entities[window.entity];
        let is_other = |row: &usize| column[*row] == value && Some(*row) != not;
        (0..self.history.len()).filter(is_other).collect()
    }

    /// What a profile has of an entity's value.
    pub(crate) fn profile(&self, window: &Window, value: u32, cut_off: i64) -> Counted {
        let end = cut_off - millis(window.delay);
        let begin = window
            .length
            .map_or(i64::MIN, |length| end - millis(length));
        let mut rows = self.others(window, value, None);
        rows.retain(|&row| begin < self.time(row) && self.time(row) <= end);
        rows.retain(|&row| self.profile_arrival(row) <= cut_off);
        let known = Known::Profile { cut_off };
        let mut frauds = rows.clone();
        frauds.retain(|&row| self.says_fraud(row, known));
        Counted {
            rows,
            frauds,
            end: cut_off,
        }
    }

    pub(crate) fn first(&self, window: &Window, row: usize) -> Counted {
        let value = self.history.entities[window.entity][row];
        self.profile(window, value, self.cut_off(row))
    }

    pub(crate) fn second(&self, window: &Window, own: usize) -> Counted {
        let value = self.history.entities[window.entity][own];
        let time = self.time(own);
        let arrival = self.arrival(own);
        let delay = millis(window.delay);
        let is_long =
            self.has_cut_offs && window.length.is_none_or(|length| millis(length) >= PERIOD);
        let cut_off = if is_long { self.cut_off(own) } else { time };
        let begin = window
            .length
            .map_or(i64::MIN, |length| cut_off - delay - millis(length));
        let mut arrived = self.others(window, value, Some(own));
        arrived.retain(|&row| self.arrival(row) <= arrival);

        let recent_begin = if is_long { cut_off - delay } else { begin };
        let mut rows = arrived.clone();
        rows.retain(|&row| recent_begin < self.time(row) && self.time(row) <= time - delay);
        if is_long {
            rows.extend(self.profile(window, value, cut_off).rows);
        }
        if delay == 0 {
            rows.push(own);
        }

        let fraud_end = time.max(cut_off) - delay;
        let mut frauds = arrived;
        frauds.retain(|&row| begin < self.time(row) && self.time(row) <= fraud_end);
        frauds.retain(|&row| self.is_fraud(row, time, arrival));
        Counted {
            rows,
            frauds,
            end: time,
        }
    }

    pub(crate) fn is_fraud(&self, row: usize, time: i64, arrival: i64) -> bool {
        self.says_fraud(row, Known::AsOf { time, arrival })
    }

    /// Whether the last of the reports that count says fraud.
    fn says_fraud(&self, row: usize, known: Known) -> bool {
        let reports = self.history.reports[row].iter();
        let counted = reports.filter(|report| known.counts(report));
        counted
            .max_by_key(|report| order(report))
            .is_some_and(|report| report.is_fraud)
    }

    /// The values of the measured field that are not missing, in quarters.
    fn quarters(&self, measure: Measure, counted: &Counted) -> Vec<i128> {
        let column = match measure.quantity() {
            None => return Vec::new(),
            Some(Quantity::Amount) => &self.history.amounts,
            Some(Quantity::Number(number)) => &self.history.numbers[number],
        };
        let values = counted.rows.iter().map(|&row| column[row]);
        let present = values.filter(|value| !value.is_nan());
        present.map(|value| (value * 4.0) as i128).collect()
    }

    fn distinct(&self, measure: Measure, counted: &Counted) -> usize {
        let Measure::Distinct(field) = measure else {
            return 0;
        };
        let value = |row: &usize| match field {
            DistinctField::Entity(other) => Some(self.history.entities[other][*row]),
            DistinctField::Category(category) => self.history.categories[category][*row],
        };
        let values: BTreeSet<u32> = counted.rows.iter().filter_map(value).collect();
        values.len()
    }

    /// When the last fraud occurred, in whole seconds; NaN without frauds.
    fn last_fraud(&self, counted: &Counted) -> f64 {
        let times = counted.frauds.iter().map(|&row| self.time(row));
        times
            .max()
            .map_or(f64::NAN, |time| time.div_euclid(1_000) as f64)
    }

    pub(crate) fn value(&self, measure: Measure, counted: &Counted) -> f64 {
        let number = |aggregate| self.aggregate(measure, aggregate, counted);
        match measure {
            Measure::Count => number(Aggregate::Rows),
            Measure::Sum(_) => number(Aggregate::Sum),
            Measure::Mean(_) => number(Aggregate::Sum) / number(Aggregate::Values),
            Measure::Deviation(_) => number(Aggregate::Variance).sqrt(),
            Measure::Min(_) | Measure::Max(_) => number(Aggregate::Extreme),
            Measure::Distinct(_) => number(Aggregate::Distinct),
            Measure::FraudRate if counted.rows.is_empty() => 0.0,
            // A report of a transaction that the profile lacks may count.
            Measure::FraudRate => (number(Aggregate::Frauds) / number(Aggregate::Rows)).min(1.0),
            Measure::Frauds => number(Aggregate::Frauds),
            Measure::LastFraudAge => {
                counted.end.div_euclid(1_000) as f64 - number(Aggregate::LastFraud)
            }
        }
    }

    pub(crate) fn aggregate(
        &self,
        measure: Measure,
        aggregate: Aggregate,
        counted: &Counted,
    ) -> f64 {
        let quarters = self.quarters(measure, counted);
        let count = quarters.len() as i128;
        let sum: i128 = quarters.iter().sum();
        match aggregate {
            Aggregate::Rows => counted.rows.len() as f64,
            Aggregate::Values => count as f64,
            Aggregate::Sum => sum as f64 / 4.0,
            Aggregate::Variance => {
                let squares: i128 = quarters.iter().map(|value| value * value).sum();
                (squares * count - sum * sum) as f64 / (16 * count * count) as f64
            }
            Aggregate::Extreme => {
                let extreme = match measure {
                    Measure::Min(_) => quarters.iter().min(),
                    _ => quarters.iter().max(),
                };
                extreme.map_or(f64::NAN, |&value| value as f64 / 4.0)
            }
            Aggregate::Distinct => self.distinct(measure, counted) as f64,
            Aggregate::Frauds => counted.frauds.len() as f64,
            Aggregate::LastFraud => self.last_fraud(counted),
        }
    }

    /// How far a value may differ: rounding grows with the largest value, as do the means whose
    /// difference is part of a deviation.
    pub(crate) fn tolerance(&self, measure: Measure, counted: &Counted, expected: f64) -> f64 {
        let rounding = 1e-12 * expected.abs().max(1.0);
        let quarters = self.quarters(measure, counted);
        let largest = quarters.iter().map(|value| value.abs()).max().unwrap_or(0) as f64;
        match measure {
            Measure::Deviation(_) => rounding + 1e-15 * largest,
            _ => rounding,
        }
    }
}

fn order(report: &Report) -> impl Ord + use<> {
    (report.reported_at, report.arrived_at, report.is_fraud)
}

fn millis(duration: SignedDuration) -> i64 {
    i64::try_from(duration.as_millis()).unwrap()
}
