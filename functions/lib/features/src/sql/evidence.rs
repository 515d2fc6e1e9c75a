use super::window_query::WindowQuery;
use super::{HOLDS, TRANSACTIONS};
use crate::Definition;

/// Holds that one turn loaded and one bundle version placed.
#[derive(Clone, Copy, Debug)]
pub struct HeldRows<'a> {
    pub turn: u64,
    /// See [`super::TransactionsLoad::claim_id`].
    pub claim_id: &'a str,
    /// The first ordinal.
    pub from: u32,
    /// The ordinal after the last.
    pub to: u32,
}

/// One row for each of these holds: `ordinal`; `_id_conflict`, whether another transaction has the
/// same id and other content; and one double for each window that the second look needs.
///
/// A conflicting transaction counts if it is loaded or among these holds.
pub fn evidence(definition: &Definition, rows: HeldRows<'_>) -> String {
    let HeldRows {
        turn,
        claim_id,
        from,
        to,
    } = rows;
    let declared = definition.schema().declared();
    let declared: String = declared.map(|name| format!(", {name}")).collect();
    let held = format!(
        "held AS (
  SELECT
    ordinal, identity_hash, transaction_id, occurred_at, amount{declared}
  FROM {HOLDS}
  WHERE turn = {turn} AND claim_id = '{claim_id}' AND ordinal >= {from} AND ordinal < {to}
), _id_conflicts AS (
  {}
  UNION
  {}
)",
        conflicts_with(TRANSACTIONS),
        conflicts_with("held")
    );
    let conflict = "CASE WHEN _id_conflicts.ordinal IS NULL THEN FALSE ELSE TRUE END";
    WindowQuery {
        definition,
        looks: &[&definition.confirm],
        held: &held,
        key: "ordinal",
        columns: &[
            "held.ordinal".to_owned(),
            format!("{conflict} AS _id_conflict"),
        ],
        joins: "\nLEFT JOIN _id_conflicts ON _id_conflicts.ordinal = held.ordinal",
        period: None,
    }
    .text()
}

/// The ordinals of the holds with an id that has other content in this table.
fn conflicts_with(table: &str) -> String {
    format!(
        "SELECT held.ordinal
  FROM held
  JOIN {table} _other
    ON _other.transaction_id = held.transaction_id
    AND _other.identity_hash <> held.identity_hash"
    )
}
