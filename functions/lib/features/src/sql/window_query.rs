//! A query over held transactions with their windows: what evidence and training sets share.

use std::fmt::Write as _;

use jiff::Timestamp;

use super::window_columns::{HeldTransaction, WindowColumns};
use super::{REPORTS, TRANSACTIONS, literal};
use crate::{Definition, Look, Measure, NamedWindow, PROFILE_PREFIX, Reach, TrainingPeriod};

/// The column of `held` with the last cut-off, for looks that have cut-offs.
pub(super) const CUT_OFF: &str = "_cut_off";

/// Leaves out the held transaction itself. NULL if the ids are equal and an identity is missing.
const OTHER_TRANSACTION: &str = "
    AND (past.transaction_id <> held.transaction_id
      OR past.identity_hash <> held.identity_hash)";

/// A held transaction may be in the table `transactions` or not yet. So the join leaves it out by
/// its identity, and windows that end at its own timestamp count it from `held`: it counts exactly
/// once. A row of `transactions` without identity is left out by its id.
///
/// Windows that end at a cut-off are computed once for each entity value and cut-off.
pub(super) struct WindowQuery<'q> {
    pub(super) definition: &'q Definition,
    /// The windows of the first look are named [`PROFILE_PREFIX`] and the window's name.
    pub(super) looks: &'q [&'q Look],
    /// The common table expression `held`, and others that the result's columns need.
    pub(super) held: &'q str,
    /// A column that is unique in `held`. The identity is not, if a transaction is held twice.
    pub(super) key: &'q str,
    /// The result's columns before the windows.
    pub(super) columns: &'q [String],
    pub(super) joins: &'q str,
    /// Set if `held` are the many transactions of a period.
    ///
    /// A hash join would then pair each of them with all transactions of its entity. So time is
    /// cut into periods as long as the windows reach, and each is paired only with those of the two
    /// periods that its windows touch. Transactions outside of all windows are not read.
    pub(super) period: Option<&'q TrainingPeriod>,
}

/// The windows of one look and one entity, computed by one common table expression.
struct WindowGroup<'q> {
    look: &'q Look,
    /// See [`WindowQuery::key`].
    key: &'q str,
    entity: &'q str,
    windows: Vec<NamedWindow<'q>>,
}

impl WindowQuery<'_> {
    pub(super) fn text(&self) -> String {
        let mut ctes = self.held.to_owned();
        let mut columns = self.columns.join(",\n  ");
        let mut joins = String::new();
        for group in self.groups() {
            let _ = write!(ctes, ", {}", self.cte(&group));
            for column in group.values(self.definition) {
                let _ = write!(columns, ",\n  {column}");
            }
            // The LEFT JOIN keeps rows without an entity.
            let _ = write!(joins, "\nLEFT JOIN {0} ON {1}", group.name(), group.on());
        }
        let further_joins = self.joins;
        format!("WITH {ctes}\nSELECT\n  {columns}\nFROM held{joins}{further_joins}")
    }

    fn groups(&self) -> Vec<WindowGroup<'_>> {
        let mut groups = Vec::new();
        for look in self.looks {
            let all_windows = self.definition.windows(look);
            for (index, entity) in self.definition.schema().entities.iter().enumerate() {
                let mut windows = all_windows.clone();
                windows.retain(|(_, window)| window.entity == index);
                if !windows.is_empty() {
                    groups.push(WindowGroup {
                        look,
                        key: self.key,
                        entity,
                        windows,
                    });
                }
            }
        }
        groups
    }

    fn cte(&self, group: &WindowGroup<'_>) -> String {
        let entity = group.entity;
        let end = group.end();
        let reach = Reach::of(&group.windows);
        let mut from = group.source();
        let mut conditions = format!("past.{entity} = held.{entity}");
        if group.look.cut_off.is_none() {
            conditions.push_str(OTHER_TRANSACTION);
        }
        if let Some(period) = self.period {
            from.push_str("\n  CROSS JOIN (SELECT 0 AS back UNION ALL SELECT 1 AS back) periods");
            conditions.push_str(&period_conditions(group.look, end, reach, period));
        }
        let keys: Vec<String> = group
            .keys()
            .iter()
            .map(|key| format!("held.{key}"))
            .collect();
        let keys = keys.join(", ");
        let mut aggregates = String::new();
        for columns in group.columns(self.definition) {
            for column in columns.aggregates(end) {
                let _ = write!(aggregates, ",\n    {column}");
            }
        }
        let first = literal::before(end, reach.start);
        let last = literal::before(end, reach.end);
        let reports = reports_join(&group.windows, end);
        format!(
            "{name} AS (
  SELECT
    {keys}{aggregates}
  FROM {from}
  LEFT JOIN {TRANSACTIONS} past
    ON {conditions}
    AND past.occurred_at > {first} AND past.occurred_at <= {last}{reports}
  GROUP BY {keys}
)",
            name = group.name()
        )
    }
}

impl<'q> WindowGroup<'q> {
    fn prefix(&self) -> &'static str {
        match self.look.cut_off {
            Some(_) => PROFILE_PREFIX,
            None => "",
        }
    }

    /// The name of the common table expression. Two groups of one query have different names,
    /// also if one entity is `customer` and another is `profile_customer`.
    fn name(&self) -> String {
        match self.look.cut_off {
            Some(_) => profile_name(self.entity),
            None => format!("_past_{}", self.entity),
        }
    }

    /// Where the windows end, before their delays.
    fn end(&self) -> &'static str {
        match self.look.cut_off {
            Some(_) => "held._cut_off",
            None => "held.occurred_at",
        }
    }

    fn keys(&self) -> Vec<&str> {
        match self.look.cut_off {
            Some(_) => vec![self.entity, CUT_OFF],
            None => vec![self.key],
        }
    }

    /// A row for each value of [`WindowGroup::keys`], under the name `held`.
    fn source(&self) -> String {
        match self.look.cut_off {
            Some(_) => format!(
                "(SELECT DISTINCT {}, {CUT_OFF} FROM held) held",
                self.entity
            ),
            None => "held".to_owned(),
        }
    }

    fn on(&self) -> String {
        let name = self.name();
        let equal: Vec<String> = self
            .keys()
            .iter()
            .map(|key| format!("{name}.{key} = held.{key}"))
            .collect();
        equal.join(" AND ")
    }

    fn columns(&self, definition: &'q Definition) -> impl Iterator<Item = WindowColumns<'q>> {
        let has_cut_off = self.look.cut_off.is_some();
        self.windows
            .iter()
            .map(move |&(name, window)| WindowColumns {
                schema: definition.schema(),
                name,
                window,
                held: if has_cut_off || !window.delay.is_zero() {
                    HeldTransaction::Outside
                } else {
                    HeldTransaction::Inside
                },
            })
    }

    fn values(&self, definition: &'q Definition) -> Vec<String> {
        let prefix = self.prefix();
        let cte = self.name();
        self.columns(definition)
            .map(|columns| {
                let value = columns.value(&cte);
                format!(
                    "CAST({value} AS DOUBLE PRECISION) AS {prefix}{}",
                    columns.name
                )
            })
            .collect()
    }
}

/// The name of the common table expression with the profiles of an entity.
pub(super) fn profile_name(entity: &str) -> String {
    format!("{PROFILE_PREFIX}{entity}")
}

/// Joins the reports of the past transactions, as of `end`, if a window needs them.
pub(super) fn reports_join(windows: &[NamedWindow<'_>], end: &str) -> String {
    let needs_reports = |(_, window): &NamedWindow<'_>| window.measure == Measure::FraudRate;
    if !windows.iter().any(needs_reports) {
        return String::new();
    }
    format!(
        "\n  LEFT JOIN {REPORTS} report
    ON report.transaction_id = past.transaction_id AND report.reported_at <= {end}"
    )
}

/// See [`WindowQuery::period`].
fn period_conditions(look: &Look, end: &str, reach: Reach, held: &TrainingPeriod) -> String {
    let length = (reach.start - reach.end).as_secs();
    let delay = reach.end.as_secs();
    // A window ends at most one cut-off period before its transaction.
    let longest = reach.start + look.cut_off.unwrap_or_default();
    let earliest = held.from.saturating_sub(longest);
    let earliest = literal::timestamp(earliest.unwrap_or(Timestamp::UNIX_EPOCH));
    let latest = literal::timestamp(held.to);
    format!(
        "
    AND FLOOR((EXTRACT(EPOCH FROM past.occurred_at)) / {length})
      = FLOOR((EXTRACT(EPOCH FROM {end}) - {delay}) / {length}) - periods.back
    AND past.occurred_at > {earliest} AND past.occurred_at < {latest}"
    )
}
