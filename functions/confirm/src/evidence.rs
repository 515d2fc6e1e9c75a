//! Evidence rows, matched to the holds that asked for them.

use std::collections::{BTreeMap, BTreeSet};

use decision::{Evidence, Hold};
use warehouse::{Row, Value};

/// The column that says which transaction a row is about.
const TRANSACTION_ID: &str = "transaction_id";

/// What the warehouse found.
#[derive(Debug, Default, PartialEq)]
pub(crate) struct Found {
    /// Transaction → its row.
    pub(crate) rows: BTreeMap<String, Evidence>,
    /// Rows that nobody asked for, or that came before.
    pub(crate) ignored: usize,
    /// The columns in which rows hold what is no number, or no text where their transaction should be.
    /// Such a row is as good as none; the others are not its fault.
    pub(crate) undecodable: Vec<String>,
}

/// Matches rows to holds. The first row of a transaction counts.
pub(crate) fn read(holds: &[Hold], rows: Vec<Row>) -> Found {
    let asked: BTreeSet<&str> = holds
        .iter()
        .map(|hold| hold.transaction_id.as_str())
        .collect();
    let mut found = Found::default();
    for row in rows {
        let Some(transaction_id) = row.text(TRANSACTION_ID).map(str::to_owned) else {
            found.undecodable.push(TRANSACTION_ID.to_owned());
            continue;
        };
        if !asked.contains(transaction_id.as_str()) || found.rows.contains_key(&transaction_id) {
            found.ignored += 1;
            continue;
        }
        match evidence(row) {
            Ok(evidence) => drop(found.rows.insert(transaction_id, evidence)),
            Err(column) => found.undecodable.push(column),
        }
    }
    found
}

/// A row's numbers, or the column that holds none.
fn evidence(row: Row) -> Result<Evidence, String> {
    let columns = row
        .0
        .into_iter()
        .filter(|(column, _)| column != TRANSACTION_ID);
    let number = |(column, value): (String, Value)| match (&value, value.number()) {
        // An infinite or undefined number is one that the warehouse does not know.
        (Value::Null | Value::Number(_), number) => Ok((column, number)),
        (_, Some(number)) => Ok((column, Some(number))),
        (_, None) => Err(column),
    };
    columns.map(number).collect()
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
    fn numbers_are_numbers_however_they_are_written_and_null_is_nothing() {
        for (value, number) in [
            (Value::Number(1.5), Some(1.5)),
            (Value::Integer(2), Some(2.0)),
            (Value::Text("0.25".to_owned()), Some(0.25)),
            (Value::Null, None),
            (Value::Number(f64::INFINITY), None),
        ] {
            assert_eq!(
                evidence(row("a", value)),
                Ok(Evidence::from([("mean".to_owned(), number)]))
            );
        }
    }

    #[test]
    fn what_is_no_number_is_told_by_the_name_of_its_column() {
        assert_eq!(
            evidence(row("a", Value::Text("many".to_owned()))),
            Err("mean".to_owned())
        );
        assert_eq!(
            read(&[], vec![Row::default()]).undecodable,
            [TRANSACTION_ID]
        );
    }

    #[test]
    fn a_bad_value_in_a_row_that_nobody_asked_for_does_no_harm() {
        let found = read(&[], vec![row("z", Value::Text("many".to_owned()))]);
        assert_eq!(
            found,
            Found {
                ignored: 1,
                ..Found::default()
            }
        );
    }
}
