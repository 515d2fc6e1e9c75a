//! Reads the rows of an object: JSON objects, CSV or delimited lines.

use std::borrow::Cow;
use std::cmp::Ordering;
use std::collections::HashMap;

use jiff::Timestamp;
use serde_json::value::RawValue;

use super::refused::Refusal;
use super::sink::{Column, Sink};
use super::{Copy, Format, load_failed};

/// Sends all rows of an object. Leaves refused rows out and records them, up to MAXERROR of the
/// whole statement.
pub(super) async fn send(
    sink: &mut Sink,
    command: &Copy,
    url: &str,
    body: &[u8],
) -> Result<(), String> {
    let mut rest = body;
    let mut line = 1;
    for _ in 0..command.options.ignore_header {
        skip_line(&mut rest, &mut line);
    }
    let json = matches!(command.options.format, Format::Json { .. });
    let most = command.options.max_errors.max(1);
    while !rest.is_empty() {
        if json {
            let blank = rest
                .iter()
                .position(|byte| !byte.is_ascii_whitespace())
                .unwrap_or(rest.len());
            advance(&mut rest, &mut line, blank);
        }
        let read = if json {
            object(sink, command, &mut rest, &mut line)
        } else {
            fields(sink, command, &mut rest, &mut line)
        };
        if let Err(refused) = read {
            sink.refused.push(refused.refusal.row(url, refused.line));
            if sink.refused.len() >= most {
                return Err(load_failed(&command.table));
            }
        }
        sink.flush(false).await?;
    }
    Ok(())
}

/// A refused row and its line.
struct RefusedLine {
    line: usize,
    refusal: Refusal,
}

impl RefusedLine {
    fn at(line: usize) -> impl FnOnce(Refusal) -> Self {
        move |refusal| Self { line, refusal }
    }
}

/// Skips the rest of a line.
fn skip_line(rest: &mut &[u8], line: &mut usize) {
    let end = rest
        .iter()
        .position(|byte| *byte == b'\n')
        .map_or(rest.len(), |end| end + 1);
    *rest = rest.get(end..).unwrap_or_default();
    *line += 1;
}

/// Reads one JSON object, which may span lines. After an unreadable one it continues on the next
/// line.
fn object(
    sink: &mut Sink,
    command: &Copy,
    rest: &mut &[u8],
    line: &mut usize,
) -> Result<(), RefusedLine> {
    let mut objects =
        serde_json::Deserializer::from_slice(rest).into_iter::<HashMap<String, &RawValue>>();
    let found = match objects.next() {
        Some(Ok(found)) => found,
        Some(Err(_)) => {
            let refusal = Refusal::new(1216, "Invalid JSON format");
            let refused = RefusedLine::at(*line)(refusal);
            skip_line(rest, line);
            return Err(refused);
        }
        None => return Ok(()),
    };
    let values = match command.options.format {
        Format::Json { ignore_case: true } => {
            let found: HashMap<String, &RawValue> = found
                .into_iter()
                .map(|(key, value)| (key.to_lowercase(), value))
                .collect();
            values(sink, command, |name| {
                found.get(&name.to_lowercase()).copied()
            })
        }
        _ => values(sink, command, |name| found.get(name).copied()),
    };
    advance(rest, line, objects.byte_offset());
    // An object that spans lines has the number of its last line, as in Redshift.
    let sent = values.and_then(|values| sink.row(*line, &values));
    sent.map_err(RefusedLine::at(*line))
}

fn advance(rest: &mut &[u8], line: &mut usize, bytes: usize) {
    let (taken, left) = rest.split_at(bytes.min(rest.len()));
    *line += taken.split(|byte| *byte == b'\n').count() - 1;
    *rest = left;
}

/// The values of the columns. A missing key is NULL, an unknown key is ignored.
fn values<'a>(
    sink: &Sink,
    command: &Copy,
    value: impl Fn(&str) -> Option<&'a RawValue>,
) -> Result<Vec<Option<Cow<'a, str>>>, Refusal> {
    let mut values = Vec::with_capacity(sink.columns.len());
    for column in &sink.columns {
        let raw = value(&column.name).map_or("null", RawValue::get);
        let text: Option<Cow<'a, str>> = if raw == "null" {
            None
        } else if raw.starts_with('"') && column.is_super() {
            Some(Cow::Borrowed(raw))
        } else if raw.starts_with('"') {
            let text = serde_json::from_str(raw);
            Some(Cow::Owned(
                text.map_err(|_| Refusal::of_codepoint().of(column))?,
            ))
        } else {
            Some(Cow::Borrowed(raw))
        };
        values.push(value_of(text, column, command)?);
    }
    Ok(values)
}

/// Applies the options to a value.
fn value_of<'a>(
    text: Option<Cow<'a, str>>,
    column: &Column,
    command: &Copy,
) -> Result<Option<Cow<'a, str>>, Refusal> {
    let Some(text) = text else { return Ok(None) };
    // An empty field is an empty text, or NULL if the column has another type.
    if text.trim().is_empty() && (command.options.blanks_as_null || !column.is_text()) {
        return Ok(None);
    }
    if let Some(units) = command.options.epoch.filter(|_| column.is_time()) {
        return match epoch_time(text.trim(), units) {
            Some(time) => Ok(Some(Cow::Owned(time.to_string()))),
            None => Err(Refusal::new(1206, "Invalid timestamp format or value").of(column)),
        };
    }
    Ok(Some(text))
}

/// `units` is the number of units in a second.
fn epoch_time(text: &str, units: i64) -> Option<Timestamp> {
    let since: i64 = text.parse().ok()?;
    Timestamp::from_microsecond(since.checked_mul(1_000_000 / units)?).ok()
}

/// Reads one line of fields. In CSV, a quoted field may span lines.
fn fields(
    sink: &mut Sink,
    command: &Copy,
    rest: &mut &[u8],
    line: &mut usize,
) -> Result<(), RefusedLine> {
    let csv = command.options.format == Format::Csv;
    let begun = *line;
    let mut found = vec![Vec::new()];
    let mut quoted = false;
    let mut at = 0;
    while let Some(byte) = rest.get(at).copied() {
        at += 1;
        let next = rest.get(at).copied();
        let Some(field) = found.last_mut() else { break };
        match byte {
            b'"' if csv && quoted && next == Some(b'"') => {
                field.push(b'"');
                at += 1;
            }
            b'"' if csv => quoted = !quoted,
            b'\n' if !quoted => break,
            b'\r' if !quoted && next == Some(b'\n') => {}
            _ if byte == command.options.delimiter() && !quoted => found.push(Vec::new()),
            _ => field.push(byte),
        }
    }
    advance(rest, line, at);
    if found.len() == 1 && found.first().is_some_and(Vec::is_empty) && sink.columns.len() > 1 {
        return Ok(()); // an empty line
    }
    let values = if quoted {
        Err(Refusal::new(1214, "Delimited value missing end quote"))
    } else {
        texts(found, &sink.columns, command)
    };
    let sent = values.and_then(|values| sink.row(begun, &values));
    sent.map_err(RefusedLine::at(begun))
}

/// The values of a line's fields.
fn texts(
    found: Vec<Vec<u8>>,
    columns: &[Column],
    command: &Copy,
) -> Result<Vec<Option<Cow<'static, str>>>, Refusal> {
    match found.len().cmp(&columns.len()) {
        Ordering::Less => return Err(Refusal::new(1203, "Delimiter not found")),
        Ordering::Greater => return Err(Refusal::new(1202, "Extra column(s) found")),
        Ordering::Equal => {}
    }
    let null = command.options.null.as_deref().unwrap_or("\\N");
    let mut values = Vec::with_capacity(found.len());
    for (field, column) in found.into_iter().zip(columns) {
        let text = String::from_utf8(field).map_err(|_| Refusal::of_codepoint().of(column))?;
        let text = (text != null).then_some(Cow::Owned(text));
        values.push(value_of(text, column, command)?);
    }
    Ok(values)
}
