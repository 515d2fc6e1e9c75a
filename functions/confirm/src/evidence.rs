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
}

/// Why a row can't be used. It names no value.
#[derive(Debug, PartialEq, Eq, thiserror::Error)]
pub enum Error {
    /// A row that does not say what it is about.
    #[error("a row has no text in column `{TRANSACTION_ID}`")]
    Nameless,
    /// A value that is no number.
    #[error("column `{0}` holds what is no number")]
    NotANumber(String),
}

/// Matches rows to holds. The first row of a transaction counts.
pub(crate) fn read(holds: &[Hold], rows: Vec<Row>) -> Result<Found, Error> {
    let asked: BTreeSet<&str> = holds.iter().map(|hold| hold.transaction_id.as_str()).collect();
    let mut found = Found::default();
    for row in rows {
        let transaction_id = row.text(TRANSACTION_ID).ok_or(Error::Nameless)?.to_owned();
        if !asked.contains(transaction_id.as_str()) || found.rows.contains_key(&transaction_id) {
            found.ignored += 1;
            continue;
        }
        found.rows.insert(transaction_id, evidence(row)?);
    }
    Ok(found)
}

fn evidence(row: Row) -> Result<Evidence, Error> {
    let columns = row.0.into_iter().filter(|(column, _)| column != TRANSACTION_ID);
    let number = |(column, value): (String, Value)| match (&value, value.number()) {
        // An infinite or undefined number is one that the warehouse does not know.
        (Value::Null | Value::Number(_), number) => Ok((column, number)),
        (_, Some(number)) => Ok((column, Some(number))),
        (_, None) => Err(Error::NotANumber(column)),
    };
    columns.map(number).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn row(id: &str, value: Value) -> Row {
        Row::from([(TRANSACTION_ID, Value::Text(id.to_owned())), ("mean", value)])
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
            assert_eq!(evidence(row("a", value)), Ok(Evidence::from([("mean".to_owned(), number)])));
        }
    }

    #[test]
    fn what_is_no_number_is_refused_by_the_name_of_its_column() {
        let error = evidence(row("a", Value::Text("many".to_owned()))).unwrap_err();
        assert_eq!(error, Error::NotANumber("mean".to_owned()));
        assert!(!error.to_string().contains("many"));
        assert_eq!(read(&[], vec![Row::default()]), Err(Error::Nameless));
    }

    #[test]
    fn a_bad_value_in_a_row_that_nobody_asked_for_does_no_harm() {
        let found = read(&[], vec![row("z", Value::Text("many".to_owned()))]).unwrap();
        assert_eq!(found, Found { ignored: 1, ..Found::default() });
    }
}
