use std::collections::BTreeMap;

use aws_sdk_redshiftdata::types::Field;

/// One value of a result.
#[derive(Clone, Debug, PartialEq)]
pub enum Value {
    Null,
    Bool(bool),
    Integer(i64),
    Number(f64),
    /// Text. Decimals, dates and times are text too.
    Text(String),
}

/// One row of a result: column → value.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Row(pub BTreeMap<String, Value>);

impl Row {
    /// The text of a column; `None` if it is missing, null or of another kind.
    pub fn text(&self, column: &str) -> Option<&str> {
        match self.0.get(column)? {
            Value::Text(text) => Some(text),
            _ => None,
        }
    }

    /// The number of a column; `None` if it is missing, null or no number.
    pub fn number(&self, column: &str) -> Option<f64> {
        self.0.get(column)?.number()
    }

    /// Every column except `without`, as numbers.
    pub fn numbers(&self, without: &str) -> BTreeMap<String, Option<f64>> {
        let others = self.0.iter().filter(|(column, _)| *column != without);
        others
            .map(|(column, value)| (column.clone(), value.number()))
            .collect()
    }
}

impl<K: Into<String>, const N: usize> From<[(K, Value); N]> for Row {
    fn from(columns: [(K, Value); N]) -> Self {
        Self(columns.map(|(column, value)| (column.into(), value)).into())
    }
}

impl Value {
    /// The value as a finite number. Decimals come as text.
    pub fn number(&self) -> Option<f64> {
        let number = match self {
            Self::Number(number) => *number,
            Self::Integer(integer) => *integer as f64,
            Self::Bool(truth) => f64::from(u8::from(*truth)),
            Self::Text(text) => text.trim().parse().ok()?,
            Self::Null => return None,
        };
        number.is_finite().then_some(number)
    }

    pub(crate) fn of(field: Field) -> Self {
        match field {
            Field::BooleanValue(truth) => Self::Bool(truth),
            Field::DoubleValue(number) => Self::Number(number),
            Field::LongValue(integer) => Self::Integer(integer),
            Field::StringValue(text) => Self::Text(text),
            // No query returns blobs.
            _ => Self::Null,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_are_read_from_every_kind_of_value() {
        let row = Row::from([
            ("transaction_id", Value::Text("t".into())),
            ("a", Value::Number(1.5)),
            ("b", Value::Integer(2)),
            ("c", Value::Text("2.50".into())),
            ("d", Value::Null),
            ("e", Value::Number(f64::NAN)),
            ("f", Value::Text("many".into())),
        ]);
        assert_eq!(row.text("transaction_id"), Some("t"));
        assert_eq!((row.number("a"), row.number("zzz")), (Some(1.5), None));
        let numbers: Vec<_> = row.numbers("transaction_id").into_values().collect();
        assert_eq!(numbers, [Some(1.5), Some(2.0), Some(2.5), None, None, None]);
    }
}
