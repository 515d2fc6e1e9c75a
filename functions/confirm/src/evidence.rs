//! Matches the warehouse's evidence rows to holds.

use std::collections::BTreeMap;
use std::ops::Range;

use decision::Evidence;
use decision::settle::IdConflict;
use warehouse::{Row, Value};

use crate::Known;

/// The place of a hold among those of its turn.
const ORDINAL: &str = "ordinal";
/// Whether another transaction has the same id but other content.
const ID_CONFLICT: &str = "_id_conflict";

#[derive(Debug, Default, PartialEq)]
pub(crate) struct EvidenceRows {
    /// By ordinal.
    rows: BTreeMap<u32, Known>,
    /// The number of rows that belong to no hold, or to a hold that already has a row.
    pub(crate) ignored: usize,
    /// For each unusable row, the column with a value of the wrong type. The hold of such a row
    /// counts as having none.
    pub(crate) undecodable: Vec<String>,
}

impl EvidenceRows {
    /// The rows of the holds with these ordinals. If a hold has several rows, the first counts.
    pub(crate) fn read(rows: Vec<Row>, ordinals: &Range<u32>) -> Self {
        let mut read = Self::default();
        for row in rows {
            let Some(ordinal) = row.number(ORDINAL).and_then(whole) else {
                read.undecodable.push(ORDINAL.to_owned());
                continue;
            };
            if !ordinals.contains(&ordinal) || read.rows.contains_key(&ordinal) {
                read.ignored += 1;
                continue;
            }
            match evidence(row) {
                Ok(known) => {
                    read.rows.insert(ordinal, known);
                }
                Err(column) => read.undecodable.push(column),
            }
        }
        read
    }

    /// The evidence of the hold with this ordinal.
    pub(crate) fn take(&mut self, ordinal: u32) -> Known {
        self.rows.remove(&ordinal).unwrap_or(Known::NoEvidence)
    }
}

fn whole(number: f64) -> Option<u32> {
    let fits = number.fract() == 0.0 && (0.0..=f64::from(u32::MAX)).contains(&number);
    fits.then_some(number as u32)
}

/// The row's numbers. The error is the name of the first column that is not a number.
fn evidence(row: Row) -> Result<Known, String> {
    let mut numbers = Evidence::new();
    let mut id_conflict = IdConflict::None;
    for (column, value) in row.0 {
        if column == ORDINAL {
            continue;
        }
        let number = value.number();
        // NULL, infinite and NaN are values that the warehouse does not know: `None`.
        let is_number = matches!(value, Value::Null | Value::Number(_)) || number.is_some();
        if !is_number {
            return Err(column);
        }
        if column != ID_CONFLICT {
            numbers.insert(column, number);
        } else if number.is_some_and(|number| number != 0.0) {
            id_conflict = IdConflict::Found;
        }
    }
    Ok(Known::Evidence {
        numbers,
        id_conflict,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn row(ordinal: i64, value: Value) -> Row {
        Row::from([(ORDINAL, Value::Integer(ordinal)), ("mean", value)])
    }

    fn known(number: Option<f64>, id_conflict: IdConflict) -> Known {
        Known::Evidence {
            numbers: Evidence::from([("mean".to_owned(), number)]),
            id_conflict,
        }
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
            let mut rows = EvidenceRows::read(vec![row(7, value)], &(7..8));
            assert_eq!(rows.take(7), known(number, IdConflict::None));
            assert_eq!(rows.take(7), Known::NoEvidence);
        }
    }

    #[test]
    fn an_id_conflict_is_no_evidence_of_its_own() {
        for (value, found) in [
            (Value::Bool(true), IdConflict::Found),
            (Value::Integer(1), IdConflict::Found),
            (Value::Bool(false), IdConflict::None),
            (Value::Null, IdConflict::None),
        ] {
            let mut row = row(0, Value::Number(1.0));
            row.0.insert(ID_CONFLICT.to_owned(), value);
            let mut rows = EvidenceRows::read(vec![row], &(0..1));
            assert_eq!(rows.take(0), known(Some(1.0), found));
        }
    }

    #[test]
    fn an_undecodable_row_names_its_column() {
        let text = row(0, Value::Text("many".to_owned()));
        let read = EvidenceRows::read(vec![text, Row::default()], &(0..1));
        assert_eq!(read.undecodable, ["mean", ORDINAL]);
        assert_eq!(read.rows, BTreeMap::new());
    }

    #[test]
    fn an_ordinal_is_a_whole_number() {
        for value in [
            Value::Number(0.5),
            Value::Integer(-1),
            Value::Integer(1 << 33),
        ] {
            let row = Row::from([(ORDINAL, value)]);
            let read = EvidenceRows::read(vec![row], &(0..10));
            assert_eq!(read.undecodable, [ORDINAL]);
        }
    }

    #[test]
    fn rows_of_other_holds_and_repeated_rows_are_ignored() {
        let undecodable = row(9, Value::Text("many".to_owned()));
        let rows = vec![row(3, Value::Null), row(3, Value::Integer(1)), undecodable];
        let mut read = EvidenceRows::read(rows, &(3..5));
        assert_eq!((read.ignored, read.undecodable.len()), (2, 0));
        assert_eq!(
            read.take(3),
            known(None, IdConflict::None),
            "the first row counts"
        );
    }
}
