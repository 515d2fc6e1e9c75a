//! Known frauds as of a time and an arrival.

use std::fmt::Write as _;

use super::KNOWN_FRAUDS;
use super::window_columns::Column;

/// Of several reports on one transaction, the first in this order decides.
pub(super) const LATEST_FIRST: &str = "report.reported_at DESC, report.arrived_at DESC, \
                                       CASE WHEN report.is_fraud THEN 0 ELSE 1 END";

/// A common table expression with aggregates over known frauds `fraud`.
///
/// The table has every report on a transaction that was ever reported as a fraud. Of the reports
/// that were known, the latest decides.
pub(super) struct KnownFrauds<'q> {
    pub(super) name: &'q str,
    /// The common table expression or subquery, with the alias `held`.
    pub(super) source: &'q str,
    /// The columns of `held` that identify its rows.
    pub(super) keys: &'q [&'q str],
    pub(super) entity: &'q str,
    /// Which reports `report` were known, as conditions.
    pub(super) known: &'q str,
    pub(super) columns: &'q [Column],
}

impl KnownFrauds<'_> {
    pub(super) fn cte(&self) -> String {
        let Self {
            name,
            source,
            entity,
            known,
            ..
        } = self;
        let keys: Vec<String> = self.keys.iter().map(|key| format!("held.{key}")).collect();
        let keys = keys.join(", ");
        let same = |key: &&str| format!("fraud.{key} = held.{key}");
        let on: Vec<String> = self.keys.iter().map(same).collect();
        let on = on.join(" AND ");
        let latest = latest_first(&keys);
        let aggregates = column_list(self.columns);
        format!(
            "{name} AS (
  SELECT
    {keys}{aggregates}
  FROM {source}
  LEFT JOIN (
    SELECT
      {keys}, report.occurred_at, report.is_fraud,
      {latest} AS _rank
    FROM {source}
    JOIN {KNOWN_FRAUDS} report
      ON report.{entity} = held.{entity}
      AND {known}
  ) fraud
    ON {on} AND fraud._rank = 1 AND fraud.is_fraud
  GROUP BY {keys}
)"
        )
    }
}

/// Numbers the reports on each transaction, the latest first.
pub(super) fn latest_first(keys: &str) -> String {
    let separator = if keys.is_empty() { "" } else { ", " };
    format!(
        "ROW_NUMBER() OVER (PARTITION BY {keys}{separator}report.transaction_id, \
         report.identity_hash ORDER BY {LATEST_FIRST})"
    )
}

/// The columns as they follow the keys in a SELECT.
pub(super) fn column_list(columns: &[Column]) -> String {
    let mut list = String::new();
    for Column { name, sql } in columns {
        let _ = write!(list, ",\n    {sql} AS {name}");
    }
    list
}
