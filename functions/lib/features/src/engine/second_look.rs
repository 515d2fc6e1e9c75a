//! The windows of one entity value as the second look has them.

use super::History;
use super::profiles::{ProfilePart, ProfileTimeline};
use super::timeline::{Arrivals, AsOf, Span, Timeline};
use super::walk::{FraudWalk, RowWalk};
use crate::{Definition, Parts, Window};

/// The transactions of one entity value.
pub(super) struct SecondTimeline<'h> {
    history: &'h History,
    definition: &'h Definition,
    timeline: Timeline,
    /// `None` without cut-offs.
    profiles: Option<ProfileTimeline<'h>>,
}

/// A window that moves from one transaction to the next.
struct SecondWalk<'t> {
    history: &'t History,
    window: &'t Window,
    rows: Option<RowWalk<'t>>,
    frauds: Option<FraudWalk<'t>>,
}

/// What the window of one transaction counts.
struct Bounds {
    /// Of transactions that are not counted by the profile.
    rows: Span,
    frauds: Span,
    as_of: AsOf,
}

impl<'h> SecondTimeline<'h> {
    /// `rows` are those of one entity value, the oldest first.
    pub(super) fn new(history: &'h History, definition: &'h Definition, rows: &[usize]) -> Self {
        let profiles = |cut_offs| ProfileTimeline::new(history, rows, cut_offs);
        Self {
            history,
            definition,
            timeline: Timeline::new(history, rows, Arrivals::AsRecorded),
            profiles: definition.cut_offs.map(profiles),
        }
    }

    /// Sets the window's value of each row.
    pub(super) fn measure(&self, window: &Window, values: &mut [f64]) {
        let is_long = self.definition.is_long(window);
        let profiles = self.profiles.as_ref().filter(|_| is_long);
        let row_parts = profiles.map(|profiles| profiles.row_parts(window));
        let part = |position: usize| row_parts.as_ref()?.get(position).copied();
        let mut walk = SecondWalk::new(self, window);
        // In the order of arrival, bounds move back only for late transactions.
        for &position in &self.timeline.by_arrival.positions {
            let Some(&row) = self.timeline.rows.get(position) else {
                continue;
            };
            if let Some(value) = values.get_mut(row) {
                *value = walk.value(position, row, part(position));
            }
        }
    }
}

impl<'t> SecondWalk<'t> {
    fn new(entity_value: &'t SecondTimeline, window: &'t Window) -> Self {
        let history = entity_value.history;
        let timeline = &entity_value.timeline;
        Self {
            history,
            window,
            rows: RowWalk::for_measure(history, timeline, window.measure),
            frauds: FraudWalk::for_measure(history, timeline, window.measure),
        }
    }

    /// The value of the transaction at a position. `profile` is its part of a long window.
    fn value(&mut self, position: usize, row: usize, profile: Option<ProfilePart>) -> f64 {
        let bounds = self.bounds(row, profile);
        let mut parts = profile.map_or(Parts::EMPTY, |profile| profile.parts);
        if let Some(rows) = &mut self.rows {
            rows.move_to(bounds.rows, bounds.as_of.arrival);
            let recent = match self.window.delay.is_zero() {
                true => rows.parts_with(position),
                false => rows.parts(),
            };
            parts = parts.merge(recent, self.window.measure);
        }
        if let Some(frauds) = &mut self.frauds {
            frauds.move_to(bounds.frauds, bounds.as_of);
            // In place of the profile's: reports of its transactions may have come since.
            let known = frauds.parts(Some(position));
            parts.frauds = known.frauds;
            parts.last_fraud = known.last_fraud;
        }
        let occurred_at = self.history.occurred_at_row(row);
        parts.value(self.window.measure, occurred_at)
    }

    fn bounds(&self, row: usize, profile: Option<ProfilePart>) -> Bounds {
        let time = self.history.occurred_at_row(row).as_microsecond();
        let arrival = self.history.arrived_at_row(row).as_microsecond();
        let as_of = AsOf { time, arrival };
        let Some(profile) = profile else {
            let whole = Span::of_window(self.window, time, time);
            return Bounds {
                rows: whole,
                frauds: whole,
                as_of,
            };
        };
        let cut_off = profile.cut_off.as_microsecond();
        Bounds {
            rows: Span::delayed(self.window, cut_off, time),
            frauds: Span::of_window(self.window, cut_off, time.max(cut_off)),
            as_of,
        }
    }
}
