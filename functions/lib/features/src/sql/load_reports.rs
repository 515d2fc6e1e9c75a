use std::ops::RangeInclusive;

use jiff::Timestamp;

use super::hours::Hours;
use super::load::{CopySource, Staging, with_refused_rows};
use super::tables::{ARRIVED_AT, LOCK_LABELS};
use super::{KNOWN_FRAUDS, REPORTS, TRANSACTIONS, UNMATCHED, literal};
use crate::Definition;

/// A column of the files alone: when the transaction occurred. With it, a load reads the reported
/// transactions' hours only.
const OCCURRED_AT: &str = ", occurred_at TIMESTAMPTZ";

/// A turn that loads fraud reports.
#[derive(Clone, Copy, Debug)]
pub struct ReportsLoad<'a> {
    /// When the files arrived. Reports that do not say when they arrived take it.
    pub arrived_at: Timestamp,
    /// Ranges that contain the times of the reported transactions. Empty if their times are not
    /// known: then they are looked for in the whole history.
    pub hours: &'a [RangeInclusive<Timestamp>],
}

/// Appends new fraud reports, and finds the transactions of frauds.
///
/// A report that says the same as the one before it, which arrived no later, is not new. A report on a transaction that is
/// not loaded yet waits in `unmatched_reports`, and each later load looks for its transaction.
pub fn load_reports(
    definition: &Definition,
    source: CopySource<'_>,
    load: ReportsLoad<'_>,
) -> Vec<String> {
    let staging = Staging {
        lock: LOCK_LABELS,
        table: REPORTS,
        more_columns: OCCURRED_AT,
    };
    let mut statements = staging.statements(source);
    statements.extend(append(load.arrived_at));
    statements.extend(match_frauds(definition, load.hours));
    with_refused_rows(statements, source)
}

/// From `incoming` to the table of reports.
fn append(arrived_at: Timestamp) -> Vec<String> {
    let arrived_at = literal::timestamp(arrived_at);
    let arrival = format!("COALESCE(incoming.arrived_at, {arrived_at})");
    let before = "PARTITION BY transaction_id
      ORDER BY reported_at, arrived_at, _is_new, CASE WHEN is_fraud THEN 1 ELSE 0 END";
    vec![
        format!("CREATE TEMP TABLE new_report (LIKE {REPORTS})"),
        format!(
            "INSERT INTO new_report (transaction_id, reported_at, arrived_at, is_fraud)
SELECT transaction_id, reported_at, arrived_at, is_fraud
FROM (
  SELECT
    transaction_id, reported_at, arrived_at, is_fraud, _is_new,
    LAG(is_fraud) OVER ({before}) AS _says_before,
    LAG(arrived_at) OVER ({before}) AS _arrived_before
  FROM (
    SELECT
      incoming.transaction_id, COALESCE(incoming.reported_at, {arrival}) AS reported_at,
      {arrival} AS arrived_at, incoming.is_fraud, 1 AS _is_new
    FROM incoming
    UNION ALL
    SELECT transaction_id, reported_at, arrived_at, is_fraud, 0 AS _is_new
    FROM {REPORTS}
    WHERE transaction_id IN (SELECT transaction_id FROM incoming)
  ) _reports
) _ordered
WHERE _is_new = 1 AND (_says_before IS NULL OR _says_before <> is_fraud
  OR _arrived_before > arrived_at)"
        ),
        format!(
            "INSERT INTO {REPORTS} (transaction_id, reported_at, arrived_at, is_fraud)
SELECT transaction_id, reported_at, arrived_at, is_fraud
FROM new_report"
        ),
    ]
}

/// From the reports to the known frauds: every report on a transaction that has a fraud report.
fn match_frauds(definition: &Definition, hours: &[RangeInclusive<Timestamp>]) -> Vec<String> {
    let entities = &definition.schema().entities;
    let list = |prefix: &str| -> String {
        let columns = entities.iter().map(|entity| format!(", {prefix}{entity}"));
        columns.collect()
    };
    let plain = list("");
    let of_fraud = list("_fraud.");
    let hours = match hours {
        [] => String::new(),
        ranges => {
            let hours = Hours::covering(ranges.iter().cloned());
            let within = literal::within("occurred_at", hours.ranges());
            format!("\n    AND {within}")
        }
    };
    let is_reported = format!("transaction_id IN (SELECT transaction_id FROM {UNMATCHED})");
    vec![
        format!(
            "INSERT INTO {UNMATCHED} (transaction_id)
SELECT DISTINCT report.transaction_id
FROM {REPORTS} report
JOIN new_report ON new_report.transaction_id = report.transaction_id
LEFT JOIN {UNMATCHED} _known ON _known.transaction_id = report.transaction_id
WHERE report.is_fraud AND _known.transaction_id IS NULL"
        ),
        format!(
            "INSERT INTO {KNOWN_FRAUDS} (transaction_id, identity_hash, occurred_at, \
             transaction_arrived_at{plain}, reported_at, arrived_at, is_fraud)
SELECT
  _fraud.transaction_id, _fraud.identity_hash, _fraud.occurred_at, \
             _fraud.transaction_arrived_at{of_fraud},
  report.reported_at, report.arrived_at, report.is_fraud
FROM (
  SELECT
    transaction_id, identity_hash, occurred_at,
    {ARRIVED_AT} AS transaction_arrived_at{plain}
  FROM {TRANSACTIONS}
  WHERE {is_reported}{hours}
  UNION
  SELECT transaction_id, identity_hash, occurred_at, transaction_arrived_at{plain}
  FROM {KNOWN_FRAUDS}
  WHERE {is_reported}
) _fraud
JOIN {REPORTS} report ON report.transaction_id = _fraud.transaction_id
LEFT JOIN {KNOWN_FRAUDS} _known
  ON _known.transaction_id = _fraud.transaction_id
  AND (_known.identity_hash = _fraud.identity_hash
    OR (_known.identity_hash IS NULL AND _fraud.identity_hash IS NULL))
  AND _known.reported_at = report.reported_at AND _known.arrived_at = report.arrived_at
  AND _known.is_fraud = report.is_fraud
WHERE _known.transaction_id IS NULL"
        ),
        format!(
            "DELETE FROM {UNMATCHED}
WHERE transaction_id IN (SELECT transaction_id FROM {KNOWN_FRAUDS})"
        ),
    ]
}
