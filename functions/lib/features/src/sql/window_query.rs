//! A query over held transactions with the numbers of their windows: what evidence and training sets
//! share.

mod frauds;
mod profiles;
mod recent;

use std::fmt::Write as _;
use std::ops::RangeInclusive;

use jiff::{SignedDuration, Timestamp};

use super::literal;
use super::tables::LOADED_AT;
use super::window_columns::{Column, WindowColumns};
use crate::{CutOffs, Definition, Window};

pub(super) use profiles::cut_off_of;

/// The column of `held` with the cut-off of the active profiles.
pub(super) const CUT_OFF: &str = "_cut_off";
const HELD_CUT_OFF: &str = "held._cut_off";
/// The number of transactions and reports that count and were loaded after the hold, or after its
/// profiles were computed.
pub(super) const LATE: &str = "_late";

/// A statement is cancelled after this time.
const STATEMENT_TIME: SignedDuration = SignedDuration::from_mins(10);

/// Leaves out the held transaction itself. NULL if the ids are equal and an identity is missing.
const OTHER_TRANSACTION: &str = "(past.transaction_id <> held.transaction_id
      OR past.identity_hash <> held.identity_hash)";
const OTHER_REPORT: &str = "(report.transaction_id <> held.transaction_id
        OR report.identity_hash <> held.identity_hash)";

/// A held transaction may be in the table `transactions` or not yet. So the join leaves it out by
/// its identity, and [`crate::Parts::of_transaction`] adds it: it counts exactly once. A row of
/// `transactions` without identity is left out by its id.
pub(super) struct WindowQuery<'q> {
    pub(super) definition: &'q Definition,
    /// The common table expression `held`: the key, the transactions, and [`CUT_OFF`] if there are
    /// profiles.
    pub(super) held: &'q str,
    /// A column that is unique in `held`. The identity is not, if a transaction is held twice.
    pub(super) key: &'q str,
    /// The result's columns before the windows.
    pub(super) columns: &'q [String],
    /// Joins that these columns need.
    pub(super) joins: &'q str,
    pub(super) of: Held<'q>,
}

/// The transactions in `held`.
#[derive(Clone, Copy, Debug)]
pub(super) enum Held<'q> {
    /// A few, which were judged with the profiles of one cut-off, or without profiles.
    Few {
        cut_off: Option<Timestamp>,
        /// Ranges that contain their times. Empty if their times are not known.
        hours: &'q [RangeInclusive<Timestamp>],
    },
    /// As `Few`, of which the whole evidence is computed again: the result also has the numbers of
    /// the profiles, and [`LATE`].
    Again {
        cut_off: Option<Timestamp>,
        hours: &'q [RangeInclusive<Timestamp>],
        /// When the profiles were computed.
        profiles_at: Timestamp,
    },
    /// All of a period, each with a cut-off of its own. The result also has the numbers of the
    /// profiles.
    ///
    /// A hash join would pair each of them with all transactions of its entity. So time is cut into
    /// periods as long as the windows reach, and each is paired only with those of the two periods
    /// that its windows touch.
    Period {
        from: Timestamp,
        /// Exclusive.
        to: Timestamp,
    },
}

/// The common table expressions, joins and columns of a query.
#[derive(Default)]
struct Text {
    ctes: Vec<String>,
    joins: String,
    columns: Vec<String>,
    /// The counts that [`LATE`] is the sum of.
    late: Vec<String>,
}

impl Text {
    /// The LEFT JOIN keeps rows whose entity is NULL.
    fn join(&mut self, name: &str, on: &str) {
        let _ = write!(self.joins, "\nLEFT JOIN {name} ON {on}");
    }

    fn select(&mut self, cte: &str, columns: &[Column]) {
        for Column { name, .. } in columns {
            let column = format!("CAST({cte}.{name} AS DOUBLE PRECISION) AS {name}");
            self.columns.push(column);
        }
    }
}

/// The windows of the second look with one delay that count transactions.
struct DelayGroup<'q> {
    delay: SignedDuration,
    windows: Vec<WindowColumns<'q>>,
}

impl WindowQuery<'_> {
    pub(super) fn text(&self) -> String {
        let mut text = Text {
            ctes: vec![self.held.to_owned()],
            columns: self.columns.to_vec(),
            ..Text::default()
        };
        for group in self.delay_groups() {
            text.ctes.push(self.past(&group));
            for entity in 0..self.definition.schema().entities.len() {
                self.add_recent(&mut text, &group, entity);
            }
        }
        for entity in 0..self.definition.schema().entities.len() {
            self.add_frauds(&mut text, entity);
        }
        if let Some(cut_offs) = self.profiles() {
            for entity in self.definition.profiled_entities() {
                self.add_profiles(&mut text, cut_offs, entity);
            }
        }
        if matches!(self.of, Held::Again { .. }) {
            let late = match text.late.join(" + ") {
                none if none.is_empty() => "0".to_owned(),
                sum => sum,
            };
            text.columns.push(format!("{late} AS {LATE}"));
        }
        let Text {
            ctes,
            joins,
            columns,
            ..
        } = text;
        format!(
            "WITH {}\nSELECT\n  {}\nFROM held{joins}{}",
            ctes.join(", "),
            columns.join(",\n  "),
            self.joins
        )
    }

    /// Set if the result has the numbers of the profiles.
    fn profiles(&self) -> Option<CutOffs> {
        let has_profiles = match self.of {
            Held::Few { .. } => false,
            Held::Again { cut_off, .. } => cut_off.is_some(),
            Held::Period { .. } => true,
        };
        self.definition.cut_offs.filter(|_| has_profiles)
    }

    fn second_windows(&self) -> impl Iterator<Item = WindowColumns<'_>> {
        let windows = self.definition.windows(&self.definition.confirm);
        windows.into_iter().map(|(name, window)| WindowColumns {
            schema: self.definition.schema(),
            name,
            window,
        })
    }

    fn delay_groups(&self) -> Vec<DelayGroup<'_>> {
        let mut groups: Vec<DelayGroup<'_>> = Vec::new();
        for columns in self.second_windows() {
            if columns.window.measure.is_of_frauds() {
                continue;
            }
            let delay = columns.window.delay;
            match groups.iter_mut().find(|group| group.delay == delay) {
                Some(group) => group.windows.push(columns),
                None => groups.push(DelayGroup {
                    delay,
                    windows: vec![columns],
                }),
            }
        }
        groups
    }

    fn entity(&self, entity: usize) -> &str {
        let entities = &self.definition.schema().entities;
        entities.get(entity).map_or("", String::as_str)
    }

    /// Whether a window begins at the cut-off.
    fn begins_at_cut_off(&self, window: &Window) -> bool {
        let has_profiles = match self.of {
            Held::Few { cut_off, .. } | Held::Again { cut_off, .. } => cut_off.is_some(),
            Held::Period { .. } => true,
        };
        has_profiles && self.definition.is_long(window)
    }
}

/// As a further column: how many rows of a table were loaded after a time.
fn count_late(table: &str, after: &str) -> String {
    format!(",\n    COUNT(CASE WHEN {table}.{LOADED_AT} > {after} THEN 1 END) AS {LATE}")
}

/// How long before `t` a window of the second look begins at most.
fn reach(window: &Window) -> SignedDuration {
    window.delay + window.length.unwrap_or_default()
}

const PERIODS: &str = "\n  CROSS JOIN (SELECT 0 AS back UNION ALL SELECT 1 AS back) periods";

/// See [`Held::Period`].
fn same_period(end: &str, length: SignedDuration) -> String {
    let length = length.as_secs();
    let past = literal::whole_seconds("past.occurred_at");
    let end = literal::whole_seconds(end);
    format!(
        "
    AND FLOOR({past} / {length}) = FLOOR({end} / {length}) - periods.back"
    )
}
