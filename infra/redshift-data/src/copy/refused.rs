//! Rows that COPY refuses, as the table `sys_load_error_detail` describes them.

use super::sink::Column;

/// Why a row is refused. The text does not repeat the value.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Refusal {
    /// A code of Redshift's load error reference.
    pub(super) code: i32,
    pub(super) message: String,
    /// The position of the error in the field, from 0.
    pub(super) position: usize,
    pub(super) column: Option<RefusedColumn>,
}

#[derive(Clone, Debug, Default, PartialEq)]
pub(crate) struct RefusedColumn {
    pub(crate) name: String,
    pub(crate) kind: String,
    /// The maximum length of the column as text, or empty.
    pub(crate) length: String,
}

/// A refused row and its place.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct RefusedRow {
    /// The `s3://` address of the object.
    pub(crate) file: String,
    /// The line in the object, from 1. For a JSON object, its last line.
    pub(crate) line: usize,
    pub(crate) column: RefusedColumn,
    pub(crate) position: usize,
    pub(crate) code: i32,
    pub(crate) message: String,
}

impl Refusal {
    pub(super) fn new(code: i32, message: impl Into<String>) -> Self {
        Self {
            code,
            message: message.into(),
            position: 0,
            column: None,
        }
    }

    /// The value contains a character that no text of Redshift can hold.
    pub(super) fn of_codepoint() -> Self {
        Self::new(
            1220,
            "String contains invalid or unsupported UTF8 codepoints",
        )
    }

    pub(super) fn at(mut self, position: usize) -> Self {
        self.position = position;
        self
    }

    pub(super) fn of(mut self, column: &Column) -> Self {
        self.column = Some(RefusedColumn {
            name: column.name.clone(),
            kind: column.redshift_type().to_owned(),
            length: column
                .limit
                .map(|limit| limit.to_string())
                .unwrap_or_default(),
        });
        self
    }

    pub(super) fn row(self, file: &str, line: usize) -> RefusedRow {
        RefusedRow {
            file: file.to_owned(),
            line,
            column: self.column.unwrap_or_default(),
            position: self.position,
            code: self.code,
            message: self.message,
        }
    }
}
