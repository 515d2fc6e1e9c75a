//! Reads the rows of an object: JSON objects, CSV or delimited lines.

use std::borrow::Cow;
use std::collections::HashMap;

use serde_json::value::RawValue;

use super::sink::Sink;
use super::{Copy, Format, bad};

/// Sends all rows of an object. Skips unreadable rows, at most MAXERROR.
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
    let mut errors = 0;
    while !rest.is_empty() {
        if json {
            let blank = rest
                .iter()
                .position(|byte| !byte.is_ascii_whitespace())
                .unwrap_or(rest.len());
            advance(&mut rest, &mut line, blank);
        }
        let begun = line;
        let read = if json {
            object(sink, command, &mut rest, &mut line)
        } else {
            fields(sink, command, &mut rest, &mut line)
        };
        if let Err(error) = read {
            errors += 1;
            if errors > command.options.max_errors {
                return Err(bad(url, begun, error));
            }
        }
        sink.flush(false).await?;
    }
    Ok(())
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
) -> Result<(), String> {
    let mut objects =
        serde_json::Deserializer::from_slice(rest).into_iter::<HashMap<String, &RawValue>>();
    let found = match objects.next() {
        Some(Ok(found)) => found,
        Some(Err(error)) => {
            skip_line(rest, line);
            // The position in the error counts from the start of this JSON object.
            return Err(format!(
                "invalid JSON: {}",
                error
                    .to_string()
                    .split(" at line ")
                    .next()
                    .unwrap_or_default()
            ));
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
    let sent = values.and_then(|values| sink.row(*line, &values));
    let taken = objects.byte_offset();
    advance(rest, line, taken);
    sent
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
) -> Result<Vec<Option<Cow<'a, str>>>, String> {
    let mut values = Vec::with_capacity(sink.columns.len());
    for column in &sink.columns {
        let raw = value(&column.name).map_or("null", RawValue::get);
        let text: Option<Cow<'a, str>> = if raw == "null" {
            None
        } else if raw.starts_with('"') && column.is_super() {
            Some(Cow::Borrowed(raw))
        } else if raw.starts_with('"') {
            Some(Cow::Owned(serde_json::from_str(raw).map_err(|error| {
                format!("column {}: {error}", column.name)
            })?))
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
    column: &super::sink::Column,
    command: &Copy,
) -> Result<Option<Cow<'a, str>>, String> {
    let Some(text) = text else { return Ok(None) };
    // An empty field is an empty text, or NULL if the column has another type.
    if text.trim().is_empty() && (command.options.blanks_as_null || !column.is_text()) {
        return Ok(None);
    }
    if let Some(units) = command.options.epoch.filter(|_| column.is_time()) {
        let since: i64 = text.trim().parse().map_err(|_| {
            format!(
                "column {}: {text} is not a number of seconds or milliseconds since 1970",
                column.name
            )
        })?;
        let micros = since.checked_mul(1_000_000 / units);
        let time = micros.and_then(|micros| jiff::Timestamp::from_microsecond(micros).ok());
        return time
            .map(|time| Some(Cow::Owned(time.to_string())))
            .ok_or_else(|| format!("column {}: {text} is out of range", column.name));
    }
    Ok(Some(text))
}

/// Reads one line of fields. In CSV, a quoted field may span lines.
fn fields(
    sink: &mut Sink,
    command: &Copy,
    rest: &mut &[u8],
    line: &mut usize,
) -> Result<(), String> {
    let csv = command.options.format == Format::Csv;
    let delimiter = command
        .options
        .delimiter
        .as_deref()
        .unwrap_or(if csv { "," } else { "|" });
    let delimiter = delimiter
        .bytes()
        .next()
        .filter(|_| delimiter.len() == 1)
        .ok_or_else(|| format!("DELIMITER '{delimiter}'"))?;
    let begun = *line;
    let mut found = vec![Vec::new()];
    let (mut quoted, mut at) = (false, 0);
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
            _ if byte == delimiter && !quoted => found.push(Vec::new()),
            _ => field.push(byte),
        }
    }
    advance(rest, line, at);
    if found.len() == 1 && found.first().is_some_and(Vec::is_empty) && sink.columns.len() > 1 {
        return Ok(()); // an empty line
    }
    if quoted {
        return Err("a quote is not closed".to_owned());
    }
    if found.len() != sink.columns.len() {
        return Err(format!(
            "{} fields for {} columns",
            found.len(),
            sink.columns.len()
        ));
    }
    let null = command.options.null.as_deref().unwrap_or("\\N");
    let mut values = Vec::with_capacity(found.len());
    for (field, column) in found.into_iter().zip(&sink.columns) {
        let text =
            String::from_utf8(field).map_err(|_| format!("column {}: not UTF-8", column.name))?;
        values.push(value_of(
            (text != null).then_some(Cow::Owned(text)),
            column,
            command,
        )?);
    }
    sink.row(begun, &values)
}
