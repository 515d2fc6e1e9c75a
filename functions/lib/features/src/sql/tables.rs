use std::fmt::Write as _;

use crate::Definition;

/// Every transaction with its provisional decision.
pub const TRANSACTIONS: &str = "transactions";
/// What was reported of transactions, and when it became known.
pub const REPORTS: &str = "fraud_reports";
pub const OUTCOMES: &str = "outcomes";

/// A table's columns, name and type, the first being the key. None of a table that there is not.
pub fn columns(definition: &Definition, table: &str) -> Option<Vec<(String, &'static str)>> {
    const ID: &str = "VARCHAR(256)";
    const TIMESTAMP: &str = "TIMESTAMPTZ";
    const NUMBER: &str = "DOUBLE PRECISION";
    const WORD: &str = "VARCHAR(64)";
    let fixed = |columns: &[(&str, &'static str)]| {
        columns
            .iter()
            .map(|(name, sql_type)| ((*name).to_owned(), *sql_type))
            .collect::<Vec<_>>()
    };
    let schema = definition.schema();
    match table {
        TRANSACTIONS => {
            let mut columns = fixed(&[
                ("transaction_id", ID),
                ("occurred_at", TIMESTAMP),
                ("amount", NUMBER),
            ]);
            columns.extend(schema.entities.iter().map(|name| (name.clone(), ID)));
            columns.extend(schema.numbers.iter().map(|name| (name.clone(), NUMBER)));
            columns.extend(schema.categories.iter().map(|name| (name.clone(), ID)));
            columns.extend(fixed(&[
                ("decision_id", ID),
                ("action", WORD),
                ("score", NUMBER),
                ("model_version", WORD),
                ("decided_at", TIMESTAMP),
                ("deadline", TIMESTAMP),
            ]));
            Some(columns)
        }
        REPORTS => Some(fixed(&[
            ("transaction_id", ID),
            ("reported_at", TIMESTAMP),
            ("is_fraud", "BOOLEAN"),
        ])),
        OUTCOMES => Some(fixed(&[
            ("transaction_id", ID),
            ("decision_id", ID),
            ("action", WORD),
            ("score", NUMBER),
            ("model_version", WORD),
            ("settled_by", WORD),
            ("decided_at", TIMESTAMP),
            ("held_ms", "BIGINT"),
        ])),
        _ => None,
    }
}

/// The tables, made if they are not there. The history is laid out by its first entity, which is the
/// one that most windows ask for, and in the order of time.
pub fn schema_ddl(definition: &Definition) -> Vec<String> {
    let first = definition
        .schema()
        .entities
        .first()
        .map_or("transaction_id", String::as_str);
    let tables = [
        (TRANSACTIONS, first, "occurred_at"),
        (REPORTS, "transaction_id", "transaction_id"),
        (OUTCOMES, "transaction_id", "decided_at"),
    ];
    let table = |(table, dist, sort): (&str, &str, &str)| {
        let mut list = String::new();
        for (place, (name, sql_type)) in columns(definition, table)
            .unwrap_or_default()
            .into_iter()
            .enumerate()
        {
            let (comma, not_null) = if place == 0 {
                ("", " NOT NULL")
            } else {
                (",", "")
            };
            let _ = write!(list, "{comma}\n  {name} {sql_type}{not_null}");
        }
        format!("CREATE TABLE IF NOT EXISTS {table} ({list}\n)\nDISTKEY ({dist})\nSORTKEY ({sort})")
    };
    tables.into_iter().map(table).collect()
}
