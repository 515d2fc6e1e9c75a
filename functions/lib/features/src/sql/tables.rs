use std::fmt::Write as _;

use crate::Definition;

/// Every transaction with its provisional decision.
pub const TRANSACTIONS: &str = "transactions";
/// Every held row of each turn, as the evidence statements read it.
pub const HOLDS: &str = "holds";
/// Every fraud report that says something new, with the time of the report and its arrival.
pub const REPORTS: &str = "fraud_reports";
/// Every report on a transaction that was ever reported as a fraud, with the transaction.
pub const KNOWN_FRAUDS: &str = "known_frauds";
/// Reported frauds whose transaction is not loaded yet.
pub const UNMATCHED: &str = "unmatched_reports";
pub const OUTCOMES: &str = "outcomes";

// The lock tables. A load locks the one of its lane. They stay empty.
pub(super) const LOCK_TRANSACTIONS: &str = "lock_transactions";
pub(super) const LOCK_LABELS: &str = "lock_labels";
pub(super) const LOCK_OUTCOMES: &str = "lock_outcomes";

const ID: &str = "VARCHAR(256)";
const TIMESTAMP: &str = "TIMESTAMPTZ";
const NUMBER: &str = "DOUBLE PRECISION";
const WORD: &str = "VARCHAR(64)";

/// When a row was loaded: the start of its transaction. The warehouse sets it.
pub(super) const LOADED_AT: &str = "loaded_at";

/// When a transaction arrived. A row inserted by hand may not say: it arrived at its own time.
pub(super) const ARRIVED_AT: &str = "COALESCE(arrived_at, occurred_at)";
/// [`ARRIVED_AT`] of the transaction `past`.
pub(super) const PAST_ARRIVED_AT: &str = "COALESCE(past.arrived_at, past.occurred_at)";

type Fixed = &'static [(&'static str, &'static str)];

/// The columns that identify a row of `holds`.
const HELD: Fixed = &[
    ("turn", "BIGINT"),
    ("claim_id", WORD),
    ("ordinal", "INTEGER"),
];
const REQUIRED: Fixed = &[
    ("transaction_id", ID),
    ("occurred_at", TIMESTAMP),
    ("amount", NUMBER),
];
/// The columns that score adds to a transaction.
const PROVISIONAL: Fixed = &[
    ("identity_hash", WORD),
    ("arrived_at", TIMESTAMP),
    ("decision_id", ID),
    ("action", WORD),
    ("score", NUMBER),
    ("bundle_version", WORD),
    ("decided_at", TIMESTAMP),
    ("deadline", TIMESTAMP),
    (LOADED_AT, TIMESTAMP),
];
/// The columns of `holds` that score adds to a hold.
const PLACED: Fixed = &[
    ("identity_hash", WORD),
    ("arrived_at", TIMESTAMP),
    ("decision_id", ID),
    ("bundle_version", WORD),
    ("deadline", TIMESTAMP),
    (LOADED_AT, TIMESTAMP),
];
const REPORT: Fixed = &[
    ("transaction_id", ID),
    ("reported_at", TIMESTAMP),
    ("arrived_at", TIMESTAMP),
    ("is_fraud", "BOOLEAN"),
];
/// The columns of `known_frauds` before the entities.
const FRAUD: Fixed = &[
    ("transaction_id", ID),
    ("identity_hash", WORD),
    ("occurred_at", TIMESTAMP),
    ("transaction_arrived_at", TIMESTAMP),
];
/// The columns of `known_frauds` after the entities.
const FRAUD_REPORT: Fixed = &[
    ("reported_at", TIMESTAMP),
    ("arrived_at", TIMESTAMP),
    ("is_fraud", "BOOLEAN"),
    (LOADED_AT, TIMESTAMP),
];
const UNMATCHED_REPORT: Fixed = &[("transaction_id", ID)];
const OUTCOME: Fixed = &[
    ("transaction_id", ID),
    ("decision_id", ID),
    ("action", WORD),
    ("score", NUMBER),
    ("bundle_version", WORD),
    ("settled_by", WORD),
    ("decided_at", TIMESTAMP),
    ("held_ms", "BIGINT"),
];

/// The tables of the warehouse, without the lock tables.
pub const TABLES: [&str; 6] = [
    TRANSACTIONS,
    HOLDS,
    REPORTS,
    KNOWN_FRAUDS,
    UNMATCHED,
    OUTCOMES,
];

/// Statements that fail if a table lacks a column of the definition. They read no rows.
pub fn column_check(definition: &Definition) -> Vec<String> {
    let select = |table: &str| {
        let columns = columns(definition, table).unwrap_or_default();
        let names: Vec<String> = columns.into_iter().map(|(name, _)| name).collect();
        format!("SELECT {}\nFROM {table}\nWHERE FALSE", names.join(", "))
    };
    TABLES.map(select).into()
}

/// A query of the columns that the tables have: `table_name`, `column_name`, `data_type`.
pub fn table_columns() -> String {
    format!(
        "SELECT table_name, column_name, data_type\nFROM information_schema.columns\n\
         WHERE table_schema = current_schema() AND table_name IN ('{}')",
        TABLES.join("', '")
    )
}

/// A table's columns, name and type; the first is NOT NULL. `None` if there is no such table.
pub fn columns(definition: &Definition, table: &str) -> Option<Vec<(String, &'static str)>> {
    let columns = match table {
        TRANSACTIONS => [fixed(REQUIRED), declared(definition), fixed(PROVISIONAL)].concat(),
        HOLDS => [
            fixed(HELD),
            fixed(REQUIRED),
            declared(definition),
            fixed(PLACED),
        ]
        .concat(),
        REPORTS => fixed(REPORT),
        KNOWN_FRAUDS => [
            fixed(FRAUD),
            of_type(&definition.schema().entities, ID),
            fixed(FRAUD_REPORT),
        ]
        .concat(),
        UNMATCHED => fixed(UNMATCHED_REPORT),
        OUTCOMES => fixed(OUTCOME),
        _ => return None,
    };
    Some(columns)
}

fn fixed(columns: Fixed) -> Vec<(String, &'static str)> {
    let column = |&(name, sql_type): &(&str, _)| (name.to_owned(), sql_type);
    columns.iter().map(column).collect()
}

/// The columns that the definition declares.
fn declared(definition: &Definition) -> Vec<(String, &'static str)> {
    let schema = definition.schema();
    [
        of_type(&schema.entities, ID),
        of_type(&schema.numbers, NUMBER),
        of_type(&schema.categories, ID),
    ]
    .concat()
}

fn of_type(names: &[String], sql_type: &'static str) -> Vec<(String, &'static str)> {
    let column = |name: &String| (name.clone(), sql_type);
    names.iter().map(column).collect()
}

/// The names of a table's columns that loads fill.
pub(super) fn column_names(definition: &Definition, table: &str) -> Vec<String> {
    let columns = columns(definition, table).unwrap_or_default();
    let names = columns.into_iter().map(|(name, _)| name);
    names.filter(|name| name != LOADED_AT).collect()
}

/// Creates the tables that do not exist. Transactions are distributed by the first entity, which
/// most windows are of, and sorted by time.
pub fn schema_ddl(definition: &Definition) -> Vec<String> {
    let entities = &definition.schema().entities;
    let first = entities.first().map_or("transaction_id", String::as_str);
    let create = |table, distribution, sort| {
        let columns = column_list(definition, table);
        format!(
            "CREATE TABLE IF NOT EXISTS {table} ({columns}\n)
DISTKEY ({distribution})
SORTKEY ({sort})"
        )
    };
    let lock = |table| format!("CREATE TABLE IF NOT EXISTS {table} (locked INTEGER)");
    vec![
        create(TRANSACTIONS, first, "occurred_at"),
        create(HOLDS, first, "turn"),
        create(REPORTS, "transaction_id", "transaction_id"),
        create(KNOWN_FRAUDS, first, first),
        create(UNMATCHED, "transaction_id", "transaction_id"),
        create(OUTCOMES, "transaction_id", "decided_at"),
        lock(LOCK_TRANSACTIONS),
        lock(LOCK_LABELS),
        lock(LOCK_OUTCOMES),
    ]
}

fn column_list(definition: &Definition, table: &str) -> String {
    let columns = columns(definition, table).unwrap_or_default();
    let mut list = String::new();
    for (place, (name, sql_type)) in columns.into_iter().enumerate() {
        let separator = if place == 0 { "" } else { "," };
        let constraint = match name.as_str() {
            _ if place == 0 => " NOT NULL",
            LOADED_AT => " DEFAULT SYSDATE",
            _ => "",
        };
        let _ = write!(list, "{separator}\n  {name} {sql_type}{constraint}");
    }
    list
}
