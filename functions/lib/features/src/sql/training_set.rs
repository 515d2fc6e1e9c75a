use jiff::SignedDuration;

use super::window_query::{CUT_OFF, WindowQuery};
use super::{REPORTS, TRANSACTIONS, literal};
use crate::{Definition, TrainingPeriod};

/// The transactions of a period as training rows: `transaction_id`, `occurred_at` (seconds since
/// 1970), `amount`, entities, numbers, categories, `label` (1 for a fraud, else 0), the windows of
/// the second look, and those of the first look as [`crate::PROFILE_PREFIX`] and their names.
pub fn training_set(definition: &Definition, period: &TrainingPeriod) -> String {
    let schema = definition.schema();
    let declared: String = schema.declared().map(|name| format!(", {name}")).collect();
    let cut_off = definition.first.cut_off.map_or(String::new(), |period| {
        let cut_off = last_cut_off("occurred_at", period);
        format!(",\n    {cut_off} AS {CUT_OFF}")
    });
    let from = literal::timestamp(period.from);
    let to = literal::timestamp(period.to);
    let as_of = literal::timestamp(period.as_of);
    // A row without identity, for example one inserted by hand, is identified by its id.
    let held = format!(
        "held AS (
  SELECT
    transaction_id, identity_hash, COALESCE(identity_hash, transaction_id) AS _identity,
    occurred_at, amount{declared}{cut_off}
  FROM {TRANSACTIONS}
  WHERE occurred_at >= {from} AND occurred_at < {to}
)"
    );
    let mut columns = vec![
        "held.transaction_id".to_owned(),
        "CAST(EXTRACT(EPOCH FROM held.occurred_at) AS DOUBLE PRECISION) AS occurred_at".to_owned(),
        "held.amount".to_owned(),
    ];
    columns.extend(schema.declared().map(|name| format!("held.{name}")));
    columns.push("CASE WHEN label.is_fraud THEN 1 ELSE 0 END AS label".to_owned());
    let label_join = format!(
        "\nLEFT JOIN {REPORTS} label
  ON label.transaction_id = held.transaction_id AND label.reported_at <= {as_of}"
    );
    WindowQuery {
        definition,
        looks: &[&definition.confirm, &definition.first],
        held: &held,
        key: "_identity",
        columns: &columns,
        joins: &label_join,
        period: Some(period),
    }
    .text()
}

/// The last cut-off before the timestamp of a column, which must be after 1970.
fn last_cut_off(column: &str, period: SignedDuration) -> String {
    // As in `Look::window_end`: a transaction at a cut-off takes the one before.
    let micros = format!("CAST(EXTRACT(EPOCH FROM {column}) * 1000000 AS BIGINT)");
    format!(
        "CAST('1970-01-01T00:00:00Z' AS TIMESTAMPTZ) + ({micros} - 1) / {} * {}",
        period.as_micros(),
        literal::interval(period)
    )
}
