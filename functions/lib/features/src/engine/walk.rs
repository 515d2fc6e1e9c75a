//! The transactions of one entity value that a window counts, while its bounds move. A move looks
//! only at transactions and reports that a bound passes, so windows that move forward cost the
//! same however long they are. Bounds may also move back: a late transaction costs what lies
//! between.

#[cfg(test)]
mod tests;

use std::collections::BTreeSet;
use std::mem::replace;
use std::ops::Range;

use super::History;
use super::tally::Tally;
use super::timeline::{AsOf, Span, Timeline};
use crate::parts::whole_seconds;
use crate::{Measure, Parts};

/// Transactions with own times in a span that arrived by a time, the time included.
pub(super) struct RowWalk<'t> {
    timeline: &'t Timeline,
    inside: Range<usize>,
    arrived_by: i64,
    /// For each position, whether the tally counts it.
    counted: Vec<bool>,
    tally: Tally<'t>,
    /// How often a transaction was looked at.
    #[cfg(test)]
    steps: usize,
}

impl<'t> RowWalk<'t> {
    /// `None` if the measure needs no transactions but known frauds.
    pub(super) fn for_measure(
        history: &'t History,
        timeline: &'t Timeline,
        measure: Measure,
    ) -> Option<Self> {
        if measure.is_of_frauds() {
            return None;
        }
        Some(Self {
            timeline,
            inside: 0..0,
            arrived_by: i64::MIN,
            counted: vec![false; timeline.rows.len()],
            tally: Tally::new(history, measure),
            #[cfg(test)]
            steps: 0,
        })
    }

    pub(super) fn move_to(&mut self, span: Span, arrived_by: i64) {
        let timeline = self.timeline;
        let now = span.indexes(&timeline.times);
        let before = replace(&mut self.inside, now.clone());
        let arrived_before = replace(&mut self.arrived_by, arrived_by);
        for position in changed(&before, &now).into_iter().flatten() {
            self.update(position);
        }
        for &position in timeline.by_arrival.between(arrived_before, arrived_by) {
            self.update(position);
        }
    }

    fn update(&mut self, position: usize) {
        #[cfg(test)]
        {
            self.steps += 1;
        }
        let counts =
            self.inside.contains(&position) && self.timeline.has_arrived(position, self.arrived_by);
        let Some(counted) = self.counted.get_mut(position) else {
            return;
        };
        let Some(&row) = self.timeline.rows.get(position) else {
            return;
        };
        match (replace(counted, counts), counts) {
            (false, true) => self.tally.enter(row),
            (true, false) => self.tally.leave(row),
            _ => {}
        }
    }

    pub(super) fn parts(&self) -> Parts {
        self.tally.parts()
    }

    /// The parts together with those of the transaction at a position, which counts once.
    pub(super) fn parts_with(&self, position: usize) -> Parts {
        let parts = self.tally.parts();
        match self.timeline.rows.get(position) {
            Some(&row) if self.counted.get(position) == Some(&false) => {
                let own = Parts::of_transaction(self.tally.own_value(row));
                parts.merge(own, self.tally.measure())
            }
            _ => parts,
        }
    }
}

/// Known frauds with own times in a span, by the transactions and reports that count as of a time.
pub(super) struct FraudWalk<'t> {
    history: &'t History,
    timeline: &'t Timeline,
    inside: Range<usize>,
    as_of: AsOf,
    /// The positions of the known frauds.
    known: BTreeSet<usize>,
    /// How often a transaction was looked at.
    #[cfg(test)]
    steps: usize,
}

impl<'t> FraudWalk<'t> {
    /// `None` if the measure needs no frauds.
    pub(super) fn for_measure(
        history: &'t History,
        timeline: &'t Timeline,
        measure: Measure,
    ) -> Option<Self> {
        let mut aggregates = measure.aggregates().iter();
        let needs_frauds = aggregates.any(|aggregate| aggregate.is_of_reports());
        needs_frauds.then(|| Self {
            history,
            timeline,
            inside: 0..0,
            as_of: AsOf::NOTHING,
            known: BTreeSet::new(),
            #[cfg(test)]
            steps: 0,
        })
    }

    pub(super) fn move_to(&mut self, span: Span, as_of: AsOf) {
        let timeline = self.timeline;
        let now = span.indexes(&timeline.times);
        let inside_before = replace(&mut self.inside, now.clone());
        let before = replace(&mut self.as_of, as_of);
        for range in changed(&inside_before, &now) {
            for &position in timeline.cases.range(range).map(|(position, _)| position) {
                self.update(position);
            }
        }
        for &position in timeline.reported.between(before.time, as_of.time) {
            self.update(position);
        }
        let arrivals = &timeline.case_arrivals;
        for &position in arrivals.between(before.arrival, as_of.arrival) {
            self.update(position);
        }
    }

    fn update(&mut self, position: usize) {
        #[cfg(test)]
        {
            self.steps += 1;
        }
        let counts = self.inside.contains(&position)
            && self.timeline.has_arrived(position, self.as_of.arrival)
            && self.timeline.is_known_fraud(position, self.as_of);
        if counts {
            self.known.insert(position);
        } else {
            self.known.remove(&position);
        }
    }

    /// The parts of the known frauds. `without` is the position of a transaction to leave out.
    pub(super) fn parts(&self, without: Option<usize>) -> Parts {
        let is_counted = |position: &&usize| Some(**position) != without;
        let last = self.known.iter().rev().find(is_counted);
        let last_row = last.and_then(|&position| self.timeline.rows.get(position));
        let last_time = last_row.map(|&row| self.history.occurred_at_row(row));
        let is_known = without.is_some_and(|position| self.known.contains(&position));
        Parts {
            frauds: (self.known.len() - usize::from(is_known)) as f64,
            last_fraud: last_time.map_or(f64::NAN, whole_seconds),
            ..Parts::EMPTY
        }
    }
}

/// The positions that are in one of two ranges.
fn changed(before: &Range<usize>, now: &Range<usize>) -> [Range<usize>; 4] {
    let [left, also_left] = without(before, now);
    let [entered, also_entered] = without(now, before);
    [left, also_left, entered, also_entered]
}

/// The two parts of a range that are outside of another one.
fn without(range: &Range<usize>, other: &Range<usize>) -> [Range<usize>; 2] {
    let first_end = range.end.min(other.start).max(range.start);
    let second_start = range.start.max(other.end).min(range.end);
    [range.start..first_end, second_start..range.end]
}
