//! Matches the warehouse's evidence rows to holds.

use std::collections::{BTreeMap, BTreeSet};

use decision::{Evidence, Hold};
use warehouse::{Row, Value};

const TRANSACTION_ID: &str = "transaction_id";

#[derive(Debug, Default, PartialEq)]
pub(crate) struct EvidenceRows {
    /// The evidence by transaction id.
    pub(crate) rows: BTreeMap<String, Evidence>,
    /// The number of rows that belong to no hold, or to a hold that already has a row.
    pub(crate) ignored: usize,
    /// For each unusable row, the column whose value has the wrong type. The hold of such a row
    /// counts as having none.
    pub(crate) undecodable: Vec<String>,
}

/// If a transaction has several rows, the first counts.
pub(crate) fn match_rows(holds: &[Hold], rows: Vec<Row>) -> EvidenceRows {
    let held: BTreeSet<&str> = holds
        .iter()
        .map(|hold| hold.transaction_id.as_str())
        .collect();
    let mut matched = EvidenceRows::default();
    for row in rows {
        let Some(transaction_id) = row.text(TRANSACTION_ID).map(str::to_owned) else {
            matched.undecodable.push(TRANSACTION_ID.to_owned());
            continue;
        };
        if !held.contains(transaction_id.as_str()) || matched.rows.contains_key(&transaction_id) {
            matched.ignored += 1;
            continue;
        }
        match evidence(row) {
            Ok(evidence) => {
                matched.rows.insert(transaction_id, evidence);
            }
            Err(column) => matched.undecodable.push(column),
        }
    }
    matched
}

/// The row's numbers. The error is the name of the first column that is not a number.
fn evidence(row: Row) -> Result<Evidence, String> {
    let mut evidence = Evidence::new();
    for (column, value) in row.0 {
        if column == TRANSACTION_ID {
            continue;
        }
        let number = value.number();
        // NULL, infinite and NaN are values that the warehouse does not know: `None`.
        let is_number = matches!(value, Value::Null | Value::Number(_)) || number.is_some();
        if !is_number {
            return Err(column);
        }
        evidence.insert(column, number);
    }
    Ok(evidence)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn row(id: &str, value: Value) -> Row {
        Row::from([
            (TRANSACTION_ID, Value::Text(id.to_owned())),
            ("mean", value),
        ])
    }

    #[test]
    fn numbers_are_read_from_each_representation() {
        for (value, number) in [
            (Value::Number(1.5), Some(1.5)),
            (Value::Integer(2), Some(2.0)),
            (Value::Text("0.25".to_owned()), Some(0.25)),
            (Value::Null, None),
            (Value::Number(f64::INFINITY), None),
        ] {
            let expected = Evidence::from([("mean".to_owned(), number)]);
            assert_eq!(evidence(row("a", value)), Ok(expected));
        }
    }

    #[test]
    fn an_undecodable_row_names_its_column() {
        let text = row("a", Value::Text("many".to_owned()));
        assert_eq!(evidence(text), Err("mean".to_owned()));
        let without_id = match_rows(&[], vec![Row::default()]);
        assert_eq!(without_id.undecodable, [TRANSACTION_ID]);
    }

    #[test]
    fn an_undecodable_row_of_no_hold_is_only_ignored() {
        let matched = match_rows(&[], vec![row("z", Value::Text("many".to_owned()))]);
        let expected = EvidenceRows {
            ignored: 1,
            ..EvidenceRows::default()
        };
        assert_eq!(matched, expected);
    }
}
