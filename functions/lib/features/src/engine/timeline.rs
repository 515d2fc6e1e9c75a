//! The transactions of one entity value, and their fraud reports, in the order of time. Times are
//! in microseconds since 1970.

use std::collections::BTreeMap;
use std::ops::Range;

use jiff::{SignedDuration, Timestamp};

use super::{History, Report};
use crate::{CutOffs, Window};

/// The arrival by which transactions and reports count.
#[derive(Clone, Copy)]
pub(super) enum Arrivals {
    AsRecorded,
    /// As in [`CutOffs::arrival`].
    ForProfiles(CutOffs),
}

/// The transactions of one entity value, the oldest first. A position is an index into them.
pub(super) struct Timeline {
    /// Rows of the history.
    pub(super) rows: Vec<usize>,
    pub(super) times: Vec<i64>,
    pub(super) arrivals: Vec<i64>,
    pub(super) by_arrival: Events,
    /// Position → reports, the decisive one last. Only of transactions with a report of fraud.
    pub(super) cases: BTreeMap<usize, Vec<CaseReport>>,
    /// The arrivals of the cases' transactions and reports.
    pub(super) case_arrivals: Events,
    /// The own times of the cases' reports.
    pub(super) reported: Events,
}

pub(super) struct CaseReport {
    reported_at: i64,
    arrival: i64,
    is_fraud: bool,
}

/// At which times positions change, in the order of time.
pub(super) struct Events {
    times: Vec<i64>,
    pub(super) positions: Vec<usize>,
}

/// The times in `(after, up_to]`.
#[derive(Clone, Copy)]
pub(super) struct Span {
    after: i64,
    up_to: i64,
}

/// Reports count up to this own time and this arrival, both included.
#[derive(Clone, Copy)]
pub(super) struct AsOf {
    pub(super) time: i64,
    pub(super) arrival: i64,
}

impl CaseReport {
    fn is_known(&self, as_of: AsOf) -> bool {
        self.reported_at <= as_of.time && self.arrival <= as_of.arrival
    }
}

impl Arrivals {
    fn of(self, own_time: Timestamp, arrived_at: Timestamp) -> i64 {
        let arrival = match self {
            Self::AsRecorded => arrived_at,
            Self::ForProfiles(cut_offs) => cut_offs.arrival(own_time, arrived_at),
        };
        arrival.as_microsecond()
    }
}

impl Timeline {
    /// `rows` are those of one entity value, the oldest first.
    pub(super) fn new(history: &History, rows: &[usize], arrivals: Arrivals) -> Self {
        let mut times = Vec::with_capacity(rows.len());
        let mut row_arrivals = Vec::with_capacity(rows.len());
        let mut cases = BTreeMap::new();
        for (position, &row) in rows.iter().enumerate() {
            let occurred_at = history.occurred_at_row(row);
            times.push(occurred_at.as_microsecond());
            row_arrivals.push(arrivals.of(occurred_at, history.arrived_at_row(row)));
            let reports = case_reports(history, row);
            if reports.iter().any(|report| report.is_fraud) {
                cases.insert(position, reports);
            }
        }
        let mut case_arrivals = Vec::new();
        let mut reported = Vec::new();
        for (&position, reports) in &cases {
            case_arrivals.extend(row_arrivals.get(position).map(|&at| (at, position)));
            case_arrivals.extend(reports.iter().map(|report| (report.arrival, position)));
            reported.extend(reports.iter().map(|report| (report.reported_at, position)));
        }
        let by_arrival = row_arrivals.iter().copied().zip(0..).collect();
        Self {
            rows: rows.to_vec(),
            times,
            arrivals: row_arrivals,
            by_arrival: Events::new(by_arrival),
            cases,
            case_arrivals: Events::new(case_arrivals),
            reported: Events::new(reported),
        }
    }

    pub(super) fn has_arrived(&self, position: usize, arrived_by: i64) -> bool {
        let arrival = self.arrivals.get(position);
        arrival.is_some_and(|&arrival| arrival <= arrived_by)
    }

    pub(super) fn is_known_fraud(&self, position: usize, as_of: AsOf) -> bool {
        let reports = self.cases.get(&position).into_iter().flatten();
        let decisive = reports.rev().find(|report| report.is_known(as_of));
        decisive.is_some_and(|report| report.is_fraud)
    }
}

fn case_reports(history: &History, row: usize) -> Vec<CaseReport> {
    let mut reports = history.reports_of(row).to_vec();
    reports.sort_unstable();
    let case_report = |report: &Report| CaseReport {
        reported_at: report.reported_at.as_microsecond(),
        arrival: report.arrived_at.as_microsecond(),
        is_fraud: report.is_fraud,
    };
    reports.iter().map(case_report).collect()
}

impl Events {
    fn new(mut events: Vec<(i64, usize)>) -> Self {
        events.sort_unstable();
        let (times, positions) = events.into_iter().unzip();
        Self { times, positions }
    }

    /// The positions that change when a bound moves from one time to the other.
    pub(super) fn between(&self, one: i64, other: i64) -> &[usize] {
        let span = Span {
            after: one.min(other),
            up_to: one.max(other),
        };
        let range = span.indexes(&self.times);
        self.positions.get(range).unwrap_or_default()
    }
}

impl AsOf {
    pub(super) const NOTHING: Self = Self {
        time: i64::MIN,
        arrival: i64::MIN,
    };
}

impl Span {
    /// `(start − delay − length, end − delay]`. A window without a length has no beginning.
    pub(super) fn of_window(window: &Window, start: i64, end: i64) -> Self {
        let begin = match window.length {
            Some(length) => start.saturating_sub(micros(length)),
            None => i64::MIN,
        };
        Self::delayed(window, begin, end)
    }

    /// `(start − delay, end − delay]`.
    pub(super) fn delayed(window: &Window, start: i64, end: i64) -> Self {
        let delay = micros(window.delay);
        Self {
            after: start.saturating_sub(delay),
            up_to: end.saturating_sub(delay),
        }
    }

    /// The indexes of the ascending times that are inside.
    pub(super) fn indexes(self, times: &[i64]) -> Range<usize> {
        let start = times.partition_point(|&time| time <= self.after);
        let end = times.partition_point(|&time| time <= self.up_to);
        start..end.max(start)
    }
}

fn micros(duration: SignedDuration) -> i64 {
    i64::try_from(duration.as_micros()).unwrap_or(i64::MAX)
}
