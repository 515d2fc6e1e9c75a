//! Sends rows to PostgreSQL, in the text format of its COPY.

use std::borrow::Cow;
use std::io::Cursor;
use std::pin::Pin;

use futures_util::SinkExt;
use tokio_postgres::{Client, CopyInSink, Error, Row};

use super::refused::{Refusal, RefusedRow};
use super::{Copy, load_failed, values};
use crate::sql_error::{is_of_the_data, message};

/// Rows are sent when they have this number of bytes.
const CHUNK: usize = 256 * 1024;

const COLUMNS: &str = "SELECT a.attname::text, t.typname::text, a.atttypmod, a.attnotnull \
    FROM pg_attribute a JOIN pg_type t ON t.oid = a.atttypid \
    WHERE a.attrelid = to_regclass($1) AND a.attnum > 0 AND NOT a.attisdropped ORDER BY a.attnum";

pub(super) struct Column {
    pub(super) name: String,
    /// PostgreSQL's name of its type.
    kind: String,
    /// The maximum number of bytes of a text.
    pub(super) limit: Option<usize>,
    /// The maximum number of digits of a decimal before its point.
    whole_digits: Option<usize>,
    required: bool,
}

impl Column {
    fn read(row: &Row) -> Self {
        let kind: String = row.get(1);
        let modifier = row
            .get::<_, i32>(2)
            .checked_sub(4)
            .filter(|size| *size >= 0);
        let is_sized = matches!(kind.as_str(), "varchar" | "bpchar");
        let is_decimal = kind == "numeric";
        Self {
            name: row.get(0),
            limit: modifier
                .filter(|_| is_sized)
                .and_then(|size| usize::try_from(size).ok()),
            whole_digits: modifier.filter(|_| is_decimal).map(whole_digits),
            kind,
            required: row.get(3),
        }
    }

    pub(super) fn kind(&self) -> &str {
        &self.kind
    }

    pub(super) fn redshift_type(&self) -> &str {
        match self.kind.as_str() {
            "jsonb" => "super",
            "bpchar" => "char",
            other => other,
        }
    }

    pub(super) const fn whole_digits(&self) -> Option<usize> {
        self.whole_digits
    }

    pub(super) fn is_text(&self) -> bool {
        matches!(self.kind.as_str(), "varchar" | "bpchar" | "text")
    }

    /// For SUPER, JSON texts keep their quotes.
    pub(super) fn is_super(&self) -> bool {
        self.kind == "jsonb"
    }

    pub(super) fn is_time(&self) -> bool {
        matches!(self.kind.as_str(), "timestamp" | "timestamptz")
    }

    /// A column of type `kind`; a decimal has six digits before its point.
    #[cfg(test)]
    pub(super) fn for_test(kind: &str) -> Self {
        Self {
            name: "c".to_owned(),
            kind: kind.to_owned(),
            limit: None,
            whole_digits: (kind == "numeric").then_some(6),
            required: false,
        }
    }
}

/// PostgreSQL keeps the precision in the high half of the modifier and the scale in the low one.
fn whole_digits(modifier: i32) -> usize {
    let precision = modifier >> 16;
    let scale = modifier & 0x7ff;
    usize::try_from(precision - scale).unwrap_or_default()
}

/// An open `COPY … FROM STDIN`.
pub(super) struct Sink {
    pub(super) columns: Vec<Column>,
    pub(super) refused: Vec<RefusedRow>,
    table: String,
    stream: Pin<Box<CopyInSink<Cursor<Vec<u8>>>>>,
    buffer: Vec<u8>,
    truncate: bool,
    rows: usize,
    /// For each object, its address and the number of rows before it.
    objects: Vec<(String, usize)>,
    /// For each row, its line in its object.
    lines: Vec<usize>,
}

impl Sink {
    pub(super) async fn open(client: &Client, command: &Copy) -> Result<Self, String> {
        let described = client.query(COLUMNS, &[&command.table]).await;
        let described = described.map_err(|error| message(&error))?;
        if described.is_empty() {
            return Err(format!(
                "Cannot COPY into nonexistent table {}",
                command.table
            ));
        }
        let columns = listed(described.iter().map(Column::read).collect(), command)?;
        let names: Vec<String> = columns
            .iter()
            .map(|column| format!("\"{}\"", column.name))
            .collect();
        let names = names.join(", ");
        let copy = format!("COPY {} ({names}) FROM STDIN", command.table);
        let stream = client.copy_in(&copy).await;
        Ok(Self {
            columns,
            refused: Vec::new(),
            table: command.table.clone(),
            stream: Box::pin(stream.map_err(|error| message(&error))?),
            buffer: Vec::with_capacity(CHUNK + 4096),
            truncate: command.options.truncate,
            rows: 0,
            objects: Vec::new(),
            lines: Vec::new(),
        })
    }

    /// The next rows come from this object.
    pub(super) fn begin(&mut self, url: &str) {
        self.objects.push((url.to_owned(), self.rows));
    }

    /// Adds a row with a value for each column. A refused row is not sent.
    pub(super) fn row(
        &mut self,
        line: usize,
        values: &[Option<Cow<'_, str>>],
    ) -> Result<(), Refusal> {
        let start = self.buffer.len();
        for (index, column) in self.columns.iter().enumerate() {
            if index > 0 {
                self.buffer.push(b'\t');
            }
            let value = values.get(index).and_then(Option::as_deref);
            match fitted(column, value, self.truncate) {
                Ok(None) => self.buffer.extend_from_slice(b"\\N"),
                Ok(Some(value)) => escape(&mut self.buffer, value),
                Err(refusal) => {
                    self.buffer.truncate(start);
                    return Err(refusal.of(column));
                }
            }
        }
        self.buffer.push(b'\n');
        self.rows += 1;
        self.lines.push(line);
        Ok(())
    }

    /// Sends the collected rows if they are large enough.
    pub(super) async fn flush(&mut self, all: bool) -> Result<(), String> {
        if self.buffer.len() < CHUNK && !all {
            return Ok(());
        }
        let chunk = std::mem::replace(&mut self.buffer, Vec::with_capacity(CHUNK + 4096));
        let sent = self.stream.send(Cursor::new(chunk)).await;
        match sent {
            Ok(()) => Ok(()),
            // PostgreSQL reports the reason only at the end.
            Err(error) => {
                let error = self.stream.as_mut().finish().await.err().unwrap_or(error);
                Err(self.refuse(&error))
            }
        }
    }

    /// Sends the remaining rows. Returns the number of rows that PostgreSQL stored.
    pub(super) async fn finish(&mut self) -> Result<u64, String> {
        self.flush(true).await?;
        let finished = self.stream.as_mut().finish().await;
        finished.map_err(|error| self.refuse(&error))
    }

    /// Records the row that PostgreSQL refused, if the error is one of a row. PostgreSQL counts
    /// the rows of all objects; the record has the object and the line in it.
    fn refuse(&mut self, error: &Error) -> String {
        let Some(database) = error.as_db_error().filter(|error| is_of_the_data(error)) else {
            return message(error);
        };
        let place = database.where_().unwrap_or_default();
        let row = number_after(place, "line ").unwrap_or(1).saturating_sub(1);
        let name = place.split("column ").nth(1).unwrap_or_default();
        let name = name.split([':', ' ', ',']).next().unwrap_or_default();
        // PostgreSQL's message may repeat the value.
        let state = database.code().code();
        let mut refusal = Refusal::new(1200, format!("Unknown parse error, SQLSTATE {state}"));
        if let Some(column) = self.columns.iter().find(|column| column.name == name) {
            refusal = refusal.of(column);
        }
        let object = self.objects.iter().rev().find(|(_, before)| *before <= row);
        if let Some((url, _)) = object {
            let line = self.lines.get(row).copied().unwrap_or(1);
            self.refused.push(refusal.row(url, line));
        }
        load_failed(&self.table)
    }
}

/// The columns that the statement lists, in its order, or all.
fn listed(mut columns: Vec<Column>, command: &Copy) -> Result<Vec<Column>, String> {
    if command.columns.is_empty() {
        return Ok(columns);
    }
    let mut listed = Vec::new();
    for name in &command.columns {
        let at = columns.iter().position(|column| column.name == *name);
        let at = at
            .ok_or_else(|| format!("column {name} of relation {} does not exist", command.table))?;
        listed.push(columns.swap_remove(at));
    }
    Ok(listed)
}

/// The value as the column stores it.
fn fitted<'v>(
    column: &Column,
    value: Option<&'v str>,
    truncate: bool,
) -> Result<Option<&'v str>, Refusal> {
    let Some(value) = value else {
        return if column.required {
            Err(Refusal::new(1213, "Missing data for not-null field"))
        } else {
            Ok(None)
        };
    };
    values::check(column, value)?;
    match column.limit.filter(|limit| value.len() > *limit) {
        None => Ok(Some(value)),
        Some(limit) if truncate => Ok(value.get(..value.floor_char_boundary(limit))),
        Some(limit) => Err(Refusal::new(1204, "String length exceeds DDL length").at(limit)),
    }
}

fn number_after(text: &str, word: &str) -> Option<usize> {
    let rest = text.split(word).nth(1)?;
    let digits = rest.split(|c: char| !c.is_ascii_digit()).next()?;
    digits.parse().ok()
}

fn escape(out: &mut Vec<u8>, value: &str) {
    for byte in value.bytes() {
        match byte {
            b'\\' => out.extend_from_slice(b"\\\\"),
            b'\n' => out.extend_from_slice(b"\\n"),
            b'\r' => out.extend_from_slice(b"\\r"),
            b'\t' => out.extend_from_slice(b"\\t"),
            other => out.push(other),
        }
    }
}
