//! Statements that load objects. Each runs as one transaction, and loading an object again changes
//! nothing.

use std::fmt::Write as _;
use std::ops::RangeInclusive;

use jiff::Timestamp;

use super::hours::{Hours, hour_start};
use super::tables::{LOCK_OUTCOMES, LOCK_TRANSACTIONS, column_names};
use super::{HOLDS, OUTCOMES, TRANSACTIONS, literal};
use crate::Definition;

/// How many rows of one load may be refused before the load fails: COPY's own limit.
const MAX_REFUSED: u32 = 100_000;

/// The rows that the COPY of the same session refused, as the last result of a load that leaves bad
/// rows out.
const REFUSED_ROWS: &str = "SELECT file_name, line_number, column_name, error_code, error_message
FROM sys_load_error_detail
WHERE query_id = pg_last_copy_id()
ORDER BY file_name, line_number";

/// The columns of a held line that are not columns of `transactions`.
const HOLD_COLUMNS: &str = ", _hold_group VARCHAR(16), _hold_index INTEGER";

/// Whether a known row and a new row have the same transaction.
///
/// A row without identity, for example one inserted by hand, is identified by its id alone.
const SAME_TRANSACTION: &str = "_known.transaction_id = _ranked.transaction_id
  AND (_known.identity_hash = _ranked.identity_hash
    OR _known.identity_hash IS NULL OR _ranked.identity_hash IS NULL)";

/// Where COPY reads from.
#[derive(Clone, Copy, Debug)]
pub struct CopySource<'a> {
    /// The URL of the manifest.
    pub manifest: &'a str,
    /// The role that reads the bucket, or `default`.
    pub iam_role: &'a str,
    pub bad_rows: BadRows,
}

/// How COPY treats a row that does not convert.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum BadRows {
    Fail,
    /// The row is left out; the statement's last result names it.
    LeaveOut,
}

/// A turn that loads transactions.
#[derive(Clone, Copy, Debug)]
pub struct TransactionsLoad<'a> {
    pub turn: u64,
    /// Tells turns with the same number apart: numbers repeat when a stack is deployed again.
    /// Letters and digits.
    pub claim_id: &'a str,
    pub hold_groups: &'a [HoldGroup],
    /// Ranges that contain the times of all rows to load. Empty if the times are not known.
    pub hours: &'a [RangeInclusive<Timestamp>],
}

/// The holds that one bundle version placed in one batch.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct HoldGroup {
    /// See [`decision::ledger::hold_group`].
    pub group: String,
    /// The ordinal of the first of them within the turn.
    pub first: u32,
}

/// Loads batches and files of history: every held row into `holds`, each new transaction into
/// `transactions`. Of several rows with one identity, the one that arrived first is loaded.
pub fn load_transactions(
    definition: &Definition,
    source: CopySource<'_>,
    load: TransactionsLoad<'_>,
) -> Vec<String> {
    let staging = Staging {
        lock: LOCK_TRANSACTIONS,
        table: TRANSACTIONS,
        more_columns: HOLD_COLUMNS,
    };
    let mut statements = staging.statements(source);
    if !load.hold_groups.is_empty() {
        statements.extend(insert_holds(definition, load));
    }
    let same = format!("{SAME_TRANSACTION}{}", hour_bounds(load.hours));
    let new_rows = NewRows {
        table: TRANSACTIONS,
        key: "transaction_id, identity_hash",
        order: "arrived_at, decision_id",
        same: &same,
    };
    statements.push(new_rows.insert(definition));
    with_refused_rows(statements, source)
}

/// Loads final decisions: one row for each decision id. No decision of the load is older than
/// `earliest`.
pub fn load_outcomes(
    definition: &Definition,
    source: CopySource<'_>,
    earliest: Timestamp,
) -> Vec<String> {
    let staging = Staging {
        lock: LOCK_OUTCOMES,
        table: OUTCOMES,
        more_columns: "",
    };
    let mut statements = staging.statements(source);
    // A decision that is sent again has the same time.
    let same = format!(
        "_known.decision_id = _ranked.decision_id\n  AND _known.decided_at >= {}",
        literal::timestamp(hour_start(earliest))
    );
    let new_rows = NewRows {
        table: OUTCOMES,
        key: "decision_id",
        order: "decided_at",
        same: &same,
    };
    statements.push(new_rows.insert(definition));
    with_refused_rows(statements, source)
}

/// The temporary table `incoming` with the rows of a load.
pub(super) struct Staging {
    pub(super) lock: &'static str,
    /// `incoming` has the columns of this table, and its distribution and sort keys.
    pub(super) table: &'static str,
    pub(super) more_columns: &'static str,
}

impl Staging {
    /// From the lane's lock to the rows in `incoming`.
    ///
    /// INVARIANT: the lock comes first, because the transaction's snapshot is taken after it. So
    /// an abandoned attempt of the lane cannot commit beside the next one.
    pub(super) fn statements(&self, source: CopySource<'_>) -> Vec<String> {
        let max_error = match source.bad_rows {
            BadRows::Fail => String::new(),
            BadRows::LeaveOut => format!(" MAXERROR {MAX_REFUSED}"),
        };
        let Self {
            lock,
            table,
            more_columns,
        } = self;
        vec![
            format!("LOCK {lock}"),
            format!("CREATE TEMP TABLE incoming (LIKE {table}{more_columns})"),
            format!(
                "COPY incoming
FROM {}
IAM_ROLE {}
FORMAT JSON 'auto' GZIP MANIFEST TIMEFORMAT 'auto'{max_error}",
                literal::text(source.manifest),
                literal::iam_role(source.iam_role)
            ),
        ]
    }
}

/// Inserts every held row of `incoming` once, also if its transaction is known.
fn insert_holds(definition: &Definition, load: TransactionsLoad<'_>) -> Vec<String> {
    let mut groups = String::new();
    for (place, HoldGroup { group, first }) in load.hold_groups.iter().enumerate() {
        let separator = if place == 0 { "" } else { "," };
        let _ = write!(groups, "{separator}('{group}',{first})");
    }
    let TransactionsLoad { turn, claim_id, .. } = load;
    let names = column_names(definition, HOLDS);
    // The turn, the claim and the ordinal are not in the lines.
    let of_line = || names.iter().skip(3);
    let ordinal = "hold_group._first + incoming._hold_index";
    let selected: String = of_line().map(|name| format!(", _placed.{name}")).collect();
    let staged: String = of_line().map(|name| format!(", incoming.{name}")).collect();
    vec![
        "CREATE TEMP TABLE hold_group (_hold_group VARCHAR(16), _first INTEGER)".to_owned(),
        format!("INSERT INTO hold_group VALUES {groups}"),
        format!(
            "INSERT INTO {HOLDS} ({})
SELECT {turn}, '{claim_id}', _placed._ordinal{selected}
FROM (
  SELECT
    {ordinal} AS _ordinal{staged},
    ROW_NUMBER() OVER (PARTITION BY {ordinal} ORDER BY incoming.arrived_at) AS _rank
  FROM incoming
  JOIN hold_group ON hold_group._hold_group = incoming._hold_group
) _placed
LEFT JOIN {HOLDS} _known
  ON _known.turn = {turn} AND _known.claim_id = '{claim_id}'
  AND _known.ordinal = _placed._ordinal
WHERE _placed._rank = 1 AND _known.turn IS NULL",
            names.join(", "),
        ),
    ]
}

/// The rows of `incoming` that a table does not have yet.
struct NewRows<'a> {
    table: &'a str,
    /// The columns that are unique in the table.
    key: &'a str,
    /// Of several rows with one key, the first in this order is inserted.
    order: &'a str,
    /// Whether a row `_known` of the table is the row `_ranked`.
    same: &'a str,
}

impl NewRows<'_> {
    fn insert(&self, definition: &Definition) -> String {
        let Self {
            table,
            key,
            order,
            same,
        } = self;
        let names = column_names(definition, table);
        let column_list = names.join(", ");
        let selected: Vec<String> = names.iter().map(|name| format!("_ranked.{name}")).collect();
        let selected = selected.join(", ");
        format!(
            "INSERT INTO {table} ({column_list})
SELECT {selected}
FROM (
  SELECT
    {column_list},
    ROW_NUMBER() OVER (PARTITION BY {key} ORDER BY {order}) AS _rank
  FROM incoming
) _ranked
LEFT JOIN {table} _known
  ON {same}
WHERE _ranked._rank = 1 AND _known.transaction_id IS NULL"
        )
    }
}

/// Literal bounds of the known rows' times: without them, a load would read the whole table.
fn hour_bounds(hours: &[RangeInclusive<Timestamp>]) -> String {
    if hours.is_empty() {
        return String::new();
    }
    let hours = Hours::covering(hours.iter().cloned());
    let within = literal::within("_known.occurred_at", hours.ranges());
    format!("\n  AND {within}")
}

pub(super) fn with_refused_rows(
    mut statements: Vec<String>,
    source: CopySource<'_>,
) -> Vec<String> {
    if source.bad_rows == BadRows::LeaveOut {
        statements.push(REFUSED_ROWS.to_owned());
    }
    statements
}
