use std::ops::RangeInclusive;

use jiff::Timestamp;

use super::tables::LOADED_AT;
use super::window_query::{CUT_OFF, Held, WindowQuery};
use super::{HOLDS, literal};
use crate::Definition;

/// Holds that one bundle version placed.
#[derive(Clone, Copy, Debug)]
pub struct PlacedHolds<'a> {
    /// How many there are.
    pub count: usize,
    /// Ranges that contain their times. Empty if their times are not known.
    pub hours: &'a [RangeInclusive<Timestamp>],
    /// The cut-off of the version's profiles. `None` without profiles.
    pub cut_off: Option<Timestamp>,
    /// When its profiles were computed.
    pub profiles_at: Timestamp,
}

/// The times of holds: `occurred_at` (UTC, such as `2026-01-31 09:00:00.25`). The statement has the
/// parameters of [`evidence_again`].
pub fn hold_times(count: usize) -> String {
    format!(
        "SELECT {}\nFROM {HOLDS}\nWHERE decision_id IN ({})",
        literal::in_utc("occurred_at", "occurred_at"),
        ids(count)
    )
}

fn ids(count: usize) -> String {
    let ids: Vec<String> = (0..count).map(|place| format!(":id_{place}")).collect();
    ids.join(", ")
}

/// The evidence of holds that one bundle version placed, from the warehouse alone. One row for each
/// hold that is found: `decision_id`, `transaction_id`, `occurred_at` (UTC, such as
/// `2026-01-31 09:00:00.25`), `amount`, entities, numbers, categories, the numbers of
/// [`super::recent_column`], [`super::has_held_column`] and [`super::profile_column`], and `_late`:
/// how many transactions and reports that count were loaded too late for the hold's own evidence.
///
/// The statement has the parameters `id_0`, `id_1`, …: the decision ids of the holds.
pub fn evidence_again(definition: &Definition, holds: PlacedHolds<'_>) -> String {
    let declared = || definition.schema().declared();
    let names: String = declared().map(|name| format!(", {name}")).collect();
    let cut_off = holds.cut_off.map_or(String::new(), |cut_off| {
        format!(",\n    {} AS {CUT_OFF}", literal::timestamp(cut_off))
    });
    let ids = ids(holds.count);
    // A batch that was delivered again is loaded again. Its first turn counts.
    let held = format!(
        "held AS (
  SELECT
    decision_id, identity_hash, transaction_id, occurred_at, arrived_at, amount{names},
    {LOADED_AT}{cut_off}
  FROM (
    SELECT
      decision_id, identity_hash, transaction_id, occurred_at, arrived_at, amount{names},
      {LOADED_AT}, ROW_NUMBER() OVER (PARTITION BY decision_id ORDER BY turn, ordinal) AS _rank
    FROM {HOLDS}
    WHERE decision_id IN ({ids})
  ) _placed
  WHERE _rank = 1
)"
    );
    let mut columns = vec![
        "held.decision_id".to_owned(),
        "held.transaction_id".to_owned(),
        literal::in_utc("held.occurred_at", "occurred_at"),
        "held.amount".to_owned(),
    ];
    columns.extend(declared().map(|name| format!("held.{name}")));
    WindowQuery {
        definition,
        held: &held,
        key: "decision_id",
        columns: &columns,
        joins: "",
        of: Held::Again {
            cut_off: holds.cut_off,
            hours: holds.hours,
            profiles_at: holds.profiles_at,
        },
    }
    .text()
}
