//! The windows of one entity value as its profiles have them.

use jiff::Timestamp;

use super::History;
use super::timeline::{Arrivals, AsOf, Span, Timeline};
use super::walk::{FraudWalk, RowWalk};
use crate::{CutOffs, Parts, Window};

/// The transactions of one entity value, with the arrivals by which profiles are filled.
pub(super) struct ProfileTimeline<'h> {
    history: &'h History,
    timeline: Timeline,
    /// For each position, the cut-off of the profiles that are active at its arrival.
    row_cut_offs: Vec<Timestamp>,
}

/// The part of a transaction's window that is in the profile.
#[derive(Clone, Copy)]
pub(super) struct ProfilePart {
    pub(super) cut_off: Timestamp,
    pub(super) parts: Parts,
}

/// A window that moves from one cut-off to the next.
struct ProfileWalk<'t> {
    window: &'t Window,
    rows: Option<RowWalk<'t>>,
    frauds: Option<FraudWalk<'t>>,
}

impl<'h> ProfileTimeline<'h> {
    /// `rows` are those of one entity value, the oldest first.
    pub(super) fn new(history: &'h History, rows: &[usize], cut_offs: CutOffs) -> Self {
        let mut row_cut_offs = Vec::with_capacity(rows.len());
        for &row in rows {
            let occurred_at = history.occurred_at_row(row);
            row_cut_offs.push(cut_offs.of(occurred_at, history.arrived_at_row(row)));
        }
        Self {
            history,
            timeline: Timeline::new(history, rows, Arrivals::ForProfiles(cut_offs)),
            row_cut_offs,
        }
    }

    /// Sets the window's value of each row in the first look.
    pub(super) fn measure(&self, window: &Window, values: &mut [f64]) {
        for (&row, part) in self.timeline.rows.iter().zip(self.row_parts(window)) {
            if let Some(value) = values.get_mut(row) {
                *value = part.parts.value(window.measure, part.cut_off);
            }
        }
    }

    /// For each position, the window's part up to the cut-off.
    pub(super) fn row_parts(&self, window: &Window) -> Vec<ProfilePart> {
        let empty = |&cut_off: &Timestamp| ProfilePart::empty(cut_off);
        let mut row_parts: Vec<ProfilePart> = self.row_cut_offs.iter().map(empty).collect();
        let mut by_cut_off: Vec<&mut ProfilePart> = row_parts.iter_mut().collect();
        by_cut_off.sort_by_key(|part| part.cut_off);
        let mut walk = ProfileWalk::new(self, window);
        for part in by_cut_off {
            part.parts = walk.parts_at(part.cut_off);
        }
        row_parts
    }

    /// The window's parts at one cut-off.
    pub(super) fn parts_at(&self, window: &Window, cut_off: Timestamp) -> Parts {
        ProfileWalk::new(self, window).parts_at(cut_off)
    }
}

impl ProfilePart {
    fn empty(cut_off: Timestamp) -> Self {
        let parts = Parts::EMPTY;
        Self { cut_off, parts }
    }
}

impl<'t> ProfileWalk<'t> {
    fn new(profiles: &'t ProfileTimeline, window: &'t Window) -> Self {
        let history = profiles.history;
        let timeline = &profiles.timeline;
        Self {
            window,
            rows: RowWalk::for_measure(history, timeline, window.measure),
            frauds: FraudWalk::for_measure(history, timeline, window.measure),
        }
    }

    fn parts_at(&mut self, cut_off: Timestamp) -> Parts {
        let time = cut_off.as_microsecond();
        let span = Span::of_window(self.window, time, time);
        let mut parts = Parts::EMPTY;
        if let Some(rows) = &mut self.rows {
            rows.move_to(span, time);
            parts = rows.parts();
        }
        if let Some(frauds) = &mut self.frauds {
            let as_of = AsOf {
                time,
                arrival: time,
            };
            frauds.move_to(span, as_of);
            parts = parts.merge(frauds.parts(None), self.window.measure);
        }
        parts
    }
}
