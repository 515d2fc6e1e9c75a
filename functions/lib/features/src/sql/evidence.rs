use std::ops::RangeInclusive;

use jiff::Timestamp;

use super::hours::Hours;
use super::window_query::{CUT_OFF, Held, WindowQuery};
use super::{HOLDS, TRANSACTIONS, literal};
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
    /// The cut-off of the bundle's profiles. `None`: it has none, and every window is read whole.
    pub cut_off: Option<Timestamp>,
    /// Ranges that contain the times of the holds. Empty if they are not known.
    pub hours: &'a [RangeInclusive<Timestamp>],
}

/// One row for each of these holds: `ordinal`; `_id_conflict`, whether another transaction has the
/// same id and other content; and one double for each number of [`crate::Parts`] that the second
/// look needs beside the profiles, named by [`super::recent_column`] and [`super::has_held_column`].
///
/// A conflicting transaction counts if it is among these holds, or loaded and of the same hours.
pub fn evidence(definition: &Definition, rows: HeldRows<'_>) -> String {
    let HeldRows {
        turn,
        claim_id,
        from,
        to,
        cut_off,
        hours,
    } = rows;
    let declared = definition.schema().declared();
    let declared: String = declared.map(|name| format!(", {name}")).collect();
    let own_cut_off = cut_off.map_or(String::new(), |cut_off| {
        format!(",\n    {} AS {CUT_OFF}", literal::timestamp(cut_off))
    });
    let same_hours = match hours {
        [] => String::new(),
        ranges => {
            let hours = Hours::covering(ranges.iter().cloned());
            let within = literal::within("_other.occurred_at", hours.ranges());
            format!("\n    AND {within}")
        }
    };
    let held = format!(
        "held AS (
  SELECT
    ordinal, identity_hash, transaction_id, occurred_at, arrived_at, amount{declared}{own_cut_off}
  FROM {HOLDS}
  WHERE turn = {turn} AND claim_id = '{claim_id}' AND ordinal >= {from} AND ordinal < {to}
), _id_conflicts AS (
  {}
  UNION
  {}
)",
        conflicts_with(TRANSACTIONS, &same_hours),
        conflicts_with("held", "")
    );
    let conflict = "CASE WHEN _id_conflicts.ordinal IS NULL THEN FALSE ELSE TRUE END";
    WindowQuery {
        definition,
        held: &held,
        key: "ordinal",
        columns: &[
            "held.ordinal".to_owned(),
            format!("{conflict} AS _id_conflict"),
        ],
        joins: "\nLEFT JOIN _id_conflicts ON _id_conflicts.ordinal = held.ordinal",
        of: Held::Few { cut_off, hours },
    }
    .text()
}

/// The ordinals of the holds with an id that has other content in this table.
fn conflicts_with(table: &str, conditions: &str) -> String {
    format!(
        "SELECT held.ordinal
  FROM held
  JOIN {table} _other
    ON _other.transaction_id = held.transaction_id
    AND _other.identity_hash <> held.identity_hash{conditions}"
    )
}
