//! What the figures must not exceed.

use serde_json::Value;

use super::ROWS_PER_DAY;

/// card-fraud has windows without a delay, and windows with one delay.
const DELAYS: u64 = 2;
/// A row group of DuckDB.
const ROWS_PER_BLOCK: u64 = ROWS_PER_DAY / 8;

pub(crate) fn problems(histories: &[Value]) -> Vec<String> {
    let mut problems = Vec::new();
    for row in histories {
        problems.extend(growth(&histories[0], row));
        problems.extend(evidence(row));
        problems.extend(answers(row));
    }
    problems
}

/// Each figure is within 20 % of the smallest history's.
fn growth(smallest: &Value, row: &Value) -> Vec<String> {
    let mut problems = Vec::new();
    for name in ["evidence_rows_read", "load_rows_read", "labels_rows_read"] {
        let expected = number(&smallest[name]);
        let found = number(&row[name]);
        if found.abs_diff(expected) * 5 > expected {
            let tables = &row[format!("{name}_by_table")];
            problems.push(format!(
                "{}: {name} is {found}, expected {expected} ± 20 %: {tables}",
                name_of(row)
            ));
        }
    }
    problems
}

/// Evidence reads at most 1.5 days of transactions for each delay, and the known frauds.
fn evidence(row: &Value) -> Vec<String> {
    let mut problems = Vec::new();
    let found = number(&row["evidence_rows_read"]);
    let known_frauds = number(&row["rows_by_table"]["known_frauds"]);
    let most = DELAYS * ROWS_PER_DAY * 3 / 2 + known_frauds;
    if found > most {
        problems.push(format!(
            "{}: evidence reads {found} rows, expected at most {most}",
            name_of(row)
        ));
    }
    // The block with the transaction of 1970 is read as well.
    let of_1970 = number(&row["evidence_1970_rows_read"]);
    if of_1970 > found + 2 * ROWS_PER_BLOCK {
        problems.push(format!(
            "{}: evidence with a hold of 1970 reads {of_1970} rows, without it {found}",
            name_of(row)
        ));
    }
    for name in ["evidence_7d", "evidence_30d", "evidence_90d"] {
        let of_window = number(&row[format!("{name}_rows_read")]);
        if of_window != found {
            problems.push(format!(
                "{}: {name} reads {of_window} rows, expected {found}",
                name_of(row)
            ));
        }
    }
    problems
}

/// The statements return and insert what they should.
fn answers(row: &Value) -> Vec<String> {
    let mut problems = Vec::new();
    let expected = [
        ("/check/holds", 1_000),
        ("/load_inserted/transactions", 25_000),
        ("/load_inserted/holds", 1_000),
        ("/labels_inserted/fraud_reports", 1_000),
        ("/labels_inserted/known_frauds", 1_000),
        ("/labels_inserted/unmatched_reports", 0),
    ];
    for (name, expected) in expected {
        let found = row.pointer(name);
        if found.and_then(Value::as_u64) != Some(expected) {
            problems.push(format!(
                "{}: {name} is {found:?}, expected {expected}",
                name_of(row)
            ));
        }
    }
    let check = &row["check"];
    let is_compared = ["checked", "rows", "frauds"].map(|name| number(&check[name]) > 0);
    if !check["wrong"].is_null() || is_compared != [true; 3] {
        problems.push(format!("{}: evidence differs: {check}", name_of(row)));
    }
    problems
}

fn number(value: &Value) -> u64 {
    value.as_u64().unwrap()
}

fn name_of(row: &Value) -> String {
    format!("{} rows of history", row["history_rows"])
}
