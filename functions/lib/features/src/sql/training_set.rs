use super::known_frauds::LATEST_FIRST;
use super::tables::ARRIVED_AT;
use super::window_query::{CUT_OFF, Held, WindowQuery, cut_off_of};
use super::{REPORTS, TRANSACTIONS, literal};
use crate::{Definition, TrainingPeriod};

/// The training rows of a period: all frauds, and the sample of the good transactions
/// ([`crate::Training::good_sample`]). Columns: `transaction_id`, `occurred_at` (UTC, such as
/// `2026-01-31 09:00:00.25`), `arrived_at`, `amount`, entities, numbers, categories, `label` (1 for
/// a fraud, else 0), and the numbers of [`crate::Parts`], named by [`super::recent_column`],
/// [`super::has_held_column`] and [`super::profile_column`].
pub fn training_set(definition: &Definition, period: &TrainingPeriod) -> String {
    let schema = definition.schema();
    let declared: String = schema.declared().map(|name| format!(", {name}")).collect();
    let cut_off = definition.cut_offs.map_or(String::new(), |cut_offs| {
        let cut_off = cut_off_of(cut_offs, "occurred_at", ARRIVED_AT);
        format!(",\n    {cut_off} AS {CUT_OFF}")
    });
    let TrainingPeriod { from, to, .. } = *period;
    let labels = labels(period);
    let rows = rows(definition, period);
    // A row without identity, for example one inserted by hand, is identified by its id.
    let held = format!(
        "{labels}, held AS (
  SELECT
    transaction_id, identity_hash, COALESCE(identity_hash, transaction_id) AS _identity,
    occurred_at, {ARRIVED_AT} AS arrived_at, amount{declared}, _labels._is_fraud{cut_off}
  {rows}
)"
    );
    let mut columns = vec![
        "held.transaction_id".to_owned(),
        literal::in_utc("held.occurred_at", "occurred_at"),
        literal::in_utc("held.arrived_at", "arrived_at"),
        "held.amount".to_owned(),
    ];
    columns.extend(schema.declared().map(|name| format!("held.{name}")));
    columns.push("CASE WHEN held._is_fraud THEN 1 ELSE 0 END AS label".to_owned());
    WindowQuery {
        definition,
        held: &held,
        key: "_identity",
        columns: &columns,
        joins: "",
        of: Held::Period { from, to },
    }
    .text()
}

/// One row: how many `frauds` and `good` transactions [`training_set`] has.
pub fn training_count(definition: &Definition, period: &TrainingPeriod) -> String {
    format!(
        "WITH {}
SELECT
  COUNT(CASE WHEN _labels._is_fraud THEN 1 END) AS frauds,
  COUNT(CASE WHEN _labels._is_fraud THEN NULL ELSE 1 END) AS good
{}",
        labels(period),
        rows(definition, period).replace("\n  ", "\n")
    )
}

/// A common table expression: the reports known at the end of the period, the latest on each
/// transaction first.
fn labels(period: &TrainingPeriod) -> String {
    let as_of = literal::timestamp(period.as_of);
    format!(
        "_labels AS (
  SELECT
    report.transaction_id AS _transaction_id, report.is_fraud AS _is_fraud,
    ROW_NUMBER() OVER (PARTITION BY report.transaction_id ORDER BY {LATEST_FIRST}) AS _rank
  FROM {REPORTS} report
  WHERE report.reported_at <= {as_of}
)"
    )
}

fn rows(definition: &Definition, period: &TrainingPeriod) -> String {
    let TrainingPeriod { from, to, .. } = *period;
    let (first, end) = (literal::timestamp(from), literal::timestamp(to));
    let sample = definition.training.good_sample();
    let suffix = literal::text(&sample.suffix());
    let sampled = sample.limit().map_or(String::new(), |limit| {
        format!(
            "
    AND (_labels._is_fraud
      OR SUBSTRING(MD5(transaction_id || {suffix}), 1, 8) < '{limit}')"
        )
    });
    format!(
        "FROM {TRANSACTIONS}
  LEFT JOIN _labels
    ON _labels._transaction_id = {TRANSACTIONS}.transaction_id AND _labels._rank = 1
  WHERE occurred_at >= {first} AND occurred_at < {end}{sampled}"
    )
}
