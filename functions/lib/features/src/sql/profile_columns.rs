//! The numbers of profiles: the windows of an entity up to a cut-off.

use jiff::SignedDuration;

use super::literal;
use super::window_columns::{Column, Prefix, WindowColumns};
use crate::{CutOffs, Definition, Window};

/// The numbers of an entity's profiles at a cut-off.
#[derive(Clone, Copy)]
pub(super) struct ProfileColumns<'q> {
    pub(super) definition: &'q Definition,
    pub(super) cut_offs: CutOffs,
    /// Index into the schema.
    pub(super) entity: usize,
    /// The cut-off as an SQL expression.
    pub(super) cut_off: &'q str,
}

/// All windows begin at most `start` and end at least `end` before the cut-off.
pub(super) struct Reach {
    pub(super) start: SignedDuration,
    pub(super) end: SignedDuration,
}

impl ProfileColumns<'_> {
    /// Over transactions `past`.
    pub(super) fn of_transactions(&self) -> Vec<Column> {
        let mut columns = Vec::new();
        for window in self.windows() {
            let inside = self.inside("past", window.window);
            columns.extend(window.of_transactions(Prefix::Profile, Some(&inside)));
        }
        columns
    }

    /// Over known frauds `fraud`.
    pub(super) fn of_frauds(&self) -> Vec<Column> {
        let mut columns = Vec::new();
        for window in self.windows() {
            let inside = self.inside("fraud", window.window);
            columns.extend(window.of_frauds(Prefix::Profile, &inside));
        }
        columns
    }

    fn windows(&self) -> impl Iterator<Item = WindowColumns<'_>> {
        let windows = self.definition.profile_windows(self.entity).into_iter();
        windows.map(|(name, window)| WindowColumns {
            schema: self.definition.schema(),
            name,
            window,
        })
    }

    fn inside(&self, alias: &str, window: &Window) -> String {
        let last = literal::before(self.cut_off, window.delay);
        let ends = format!("{alias}.occurred_at <= {last}");
        let Some(length) = window.length else {
            return ends;
        };
        let first = literal::before(self.cut_off, window.delay + length);
        format!("{alias}.occurred_at > {first} AND {ends}")
    }

    /// Over the windows of transactions. `None` if there are only windows of known frauds.
    pub(super) fn reach(&self) -> Option<Reach> {
        let windows = self.definition.profile_windows(self.entity);
        let of_transactions = windows
            .iter()
            .filter(|(_, window)| !window.measure.is_of_frauds());
        let spans = of_transactions
            .filter_map(|(_, window)| Some((window.delay + window.length?, window.delay)));
        spans.fold(None, |reach: Option<Reach>, (start, end)| {
            let reach = reach.unwrap_or(Reach { start, end });
            Some(Reach {
                start: reach.start.max(start),
                end: reach.end.min(end),
            })
        })
    }

    /// Whether a transaction arrived up to the cut-off.
    pub(super) fn has_arrived(&self, occurred_at: &str, arrived_at: &str) -> String {
        let arrival = arrival(self.cut_offs, occurred_at, arrived_at);
        format!("{arrival} <= {}", self.cut_off)
    }

    /// Whether a report `report` and its transaction were known at the cut-off.
    pub(super) fn report_known(&self) -> String {
        let cut_off = self.cut_off;
        let transaction = self.has_arrived("report.occurred_at", "report.transaction_arrived_at");
        format!(
            "report.reported_at <= {cut_off} AND report.arrived_at <= {cut_off}
      AND {transaction}"
        )
    }
}

/// [`CutOffs::arrival`] in SQL.
pub(super) fn arrival(cut_offs: CutOffs, own_time: &str, arrived_at: &str) -> String {
    let earliest = literal::before(own_time, cut_offs.period);
    let latest = literal::after(own_time, cut_offs.period);
    format!(
        "CASE WHEN {arrived_at} > {earliest} AND {arrived_at} < {latest} \
         THEN {arrived_at} ELSE {own_time} END"
    )
}
