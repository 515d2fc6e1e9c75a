//! Sends rows to PostgreSQL, in the text format of its COPY.

use std::io::Cursor;
use std::pin::Pin;

use futures_util::SinkExt;
use tokio_postgres::{Client, CopyInSink};

use super::{Copy, bad};

/// Rows are sent when they have this number of bytes.
const CHUNK: usize = 256 * 1024;

pub(super) struct Column {
    pub(super) name: String,
    /// PostgreSQL's name of its type.
    kind: String,
    /// The maximum number of bytes of a text.
    limit: Option<usize>,
}

impl Column {
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
}

/// An open `COPY … FROM STDIN`.
pub(super) struct Sink {
    pub(super) columns: Vec<Column>,
    stream: Pin<Box<CopyInSink<Cursor<Vec<u8>>>>>,
    buffer: Vec<u8>,
    truncate: bool,
    rows: usize,
    /// For each object, its address and the number of rows before it.
    objects: Vec<(String, usize)>,
    /// For each row, its first line in its object: rows may be skipped or span lines.
    lines: Vec<usize>,
}

impl Sink {
    pub(super) async fn open(client: &Client, command: &Copy) -> Result<Self, String> {
        let sql = "SELECT a.attname::text, t.typname::text, a.atttypmod FROM pg_attribute a JOIN pg_type t ON t.oid = a.atttypid \
                   WHERE a.attrelid = to_regclass($1) AND a.attnum > 0 AND NOT a.attisdropped ORDER BY a.attnum";
        let described = client
            .query(sql, &[&command.table])
            .await
            .map_err(|error| message(&error))?;
        if described.is_empty() {
            return Err(format!("relation {} does not exist", command.table));
        }
        let mut columns: Vec<Column> = described
            .iter()
            .map(|row| {
                let limit = row
                    .get::<_, i32>(2)
                    .checked_sub(4)
                    .and_then(|limit| usize::try_from(limit).ok());
                let kind: String = row.get(1);
                Column {
                    name: row.get(0),
                    limit: limit.filter(|_| matches!(kind.as_str(), "varchar" | "bpchar")),
                    kind,
                }
            })
            .collect();
        if !command.columns.is_empty() {
            let mut listed = Vec::new();
            for name in &command.columns {
                let at = columns.iter().position(|column| column.name == *name);
                listed.push(columns.swap_remove(at.ok_or_else(|| {
                    format!("column {name} of relation {} does not exist", command.table)
                })?));
            }
            columns = listed;
        }
        let names: Vec<String> = columns
            .iter()
            .map(|column| format!("\"{}\"", column.name))
            .collect();
        let sink = client
            .copy_in(&format!(
                "COPY {} ({}) FROM STDIN",
                command.table,
                names.join(", ")
            ))
            .await;
        let sink = Box::pin(sink.map_err(|error| message(&error))?);
        let buffer = Vec::with_capacity(CHUNK + 4096);
        Ok(Self {
            columns,
            stream: sink,
            buffer,
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

    /// Adds a row with a value for each column. A row with an error is not sent.
    pub(super) fn row(
        &mut self,
        line: usize,
        values: &[Option<std::borrow::Cow<'_, str>>],
    ) -> Result<(), String> {
        let start = self.buffer.len();
        for (index, column) in self.columns.iter().enumerate() {
            if index > 0 {
                self.buffer.push(b'\t');
            }
            let Some(value) = values.get(index).and_then(Option::as_deref) else {
                self.buffer.extend_from_slice(b"\\N");
                continue;
            };
            let mut value = value;
            if let Some(limit) = column.limit.filter(|limit| value.len() > *limit) {
                if !self.truncate {
                    self.buffer.truncate(start);
                    return Err(format!(
                        "column {}: {} bytes exceed the length {limit}",
                        column.name,
                        value.len()
                    ));
                }
                value = value
                    .get(..value.floor_char_boundary(limit))
                    .unwrap_or_default();
            }
            escape(&mut self.buffer, value);
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
                Err(self.located(&error))
            }
        }
    }

    /// Sends the remaining rows. Returns the number of rows that PostgreSQL stored.
    pub(super) async fn finish(mut self) -> Result<u64, String> {
        self.flush(true).await?;
        let finished = self.stream.as_mut().finish().await;
        finished.map_err(|error| self.located(&error))
    }

    /// PostgreSQL counts the rows of all objects. This error names the object and its line instead.
    fn located(&self, error: &tokio_postgres::Error) -> String {
        let place = error
            .as_db_error()
            .and_then(|error| error.where_())
            .unwrap_or_default();
        let digits = place
            .split("line ")
            .nth(1)
            .unwrap_or_default()
            .chars()
            .take_while(char::is_ascii_digit)
            .collect::<String>();
        let row = digits.parse::<usize>().unwrap_or(1).saturating_sub(1);
        let object = self.objects.iter().rev().find(|(_, before)| *before <= row);
        let column = place
            .split("column ")
            .nth(1)
            .map(|column| format!("column {column}: "))
            .unwrap_or_default();
        match object {
            Some((url, _)) => bad(
                url,
                self.lines.get(row).copied().unwrap_or(1),
                format!("{column}{}", message(error)),
            ),
            None => message(error),
        }
    }
}

pub(crate) fn message(error: &tokio_postgres::Error) -> String {
    error
        .as_db_error()
        .map_or_else(|| error.to_string(), |error| error.message().to_owned())
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
