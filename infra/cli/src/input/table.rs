//! Converts the rows of a table to our fields.

use std::io::Read;

use anyhow::{Context as _, Result, bail};
use features::{ColumnMapping, Definition, FieldSource};
use jiff::{SignedDuration, Timestamp};
use serde_json::{Map, Value, json};

use super::Item;

/// How R, pandas and databases write a missing number.
const MISSING: [&str; 6] = ["", "NA", "NaN", "nan", "NULL", "null"];

/// The type of a field's values.
#[derive(Clone, Copy)]
enum Kind {
    Text,
    Number,
    Timestamp,
    Label,
}

/// One of our fields and its source.
struct Field<'d> {
    name: &'d str,
    kind: Kind,
    source: From<'d>,
}

enum From<'d> {
    Column(String),
    ColumnMapping(&'d FieldSource),
    /// The number of the line is the transaction id.
    Line,
}

/// The fields that a `[table]` describes. `has` returns the column of a name, if the file has one.
fn fields<'d>(
    definition: &'d Definition,
    table: &'d ColumnMapping,
    has: &dyn Fn(&str) -> Option<String>,
) -> Result<Vec<Field<'d>>> {
    let schema = definition.schema();
    let mut fields = Vec::new();
    let mut add = |name: &'d str, column: &'d str, kind, needed| {
        let source = match table.source(column) {
            Some(source) => Some(From::ColumnMapping(source)),
            None => has(column).map(From::Column),
        };
        match source.or_else(|| (name == "transaction_id").then_some(From::Line)) {
            Some(source) => fields.push(Field { name, kind, source }),
            None if needed => {
                bail!("no column `{name}`: name the right column in [table]")
            }
            None => {}
        }
        Ok(())
    };
    add("transaction_id", "transaction_id", Kind::Text, true)?;
    add("occurred_at", "occurred_at", Kind::Timestamp, true)?;
    add("amount", "amount", Kind::Number, true)?;
    for name in schema.entities.iter().chain(&schema.categories) {
        add(name, name, Kind::Text, true)?;
    }
    for name in &schema.numbers {
        add(name, name, Kind::Number, true)?;
    }
    let label = if table.source("label").is_some() || has("label").is_some() {
        "label"
    } else {
        "is_fraud"
    };
    add("is_fraud", label, Kind::Label, false)?;
    add("reported_at", "reported_at", Kind::Timestamp, false)?;
    Ok(fields)
}

/// The fields of a row. `column` returns the value of a column; `None` if it is empty.
fn row(
    fields: &[Field<'_>],
    line: u64,
    column: &dyn Fn(&str) -> Option<Value>,
) -> Result<Map<String, Value>> {
    let mut row = Map::new();
    for Field { name, kind, source } in fields {
        let wrong = || format!("line {line}, field {name}");
        let value = match source {
            From::Line => Some(json!(line.to_string())),
            From::ColumnMapping(FieldSource::Constant(value)) => Some(json!(value)),
            From::ColumnMapping(FieldSource::Since {
                column: counted,
                since,
                unit_micros,
            }) => {
                let count = match counted {
                    None => Some(json!(line)),
                    Some(counted) => column(counted.as_str()),
                };
                count
                    .map(|count| after(&count, *since, *unit_micros))
                    .transpose()
                    .with_context(wrong)?
            }
            From::ColumnMapping(FieldSource::Column(name)) => column(name)
                .map(|value| kind.of(value))
                .transpose()
                .with_context(wrong)?
                .flatten(),
            From::Column(name) => column(name)
                .map(|value| kind.of(value))
                .transpose()
                .with_context(wrong)?
                .flatten(),
        };
        row.extend(value.map(|value| ((*name).to_owned(), value)));
    }
    Ok(row)
}

impl Kind {
    /// Converts a column's value to this type; `None` if it is missing.
    fn of(self, value: Value) -> Result<Option<Value>> {
        Ok(match (self, value) {
            (_, Value::Null) => None,
            (Self::Text, Value::Number(number)) => Some(json!(number.to_string())),
            (Self::Number, Value::String(text)) if MISSING.contains(&text.trim()) => None,
            (Self::Number, Value::String(text)) => Some(json!(
                text.trim().parse::<f64>().context("expected a number")?
            )),
            (Self::Label, Value::Number(number)) => Some(json!(truth(&number.to_string())?)),
            (Self::Label, Value::String(text)) => Some(json!(truth(&text)?)),
            // A value of another type is refused when the row is read.
            (_, value) => Some(value),
        })
    }
}

/// The timestamp `count` units after `since`.
fn after(count: &Value, since: Timestamp, unit: i64) -> Result<Value> {
    let number = match count {
        Value::Number(number) => number.as_f64(),
        Value::String(text) => text.trim().parse().ok(),
        _ => None,
    };
    let micros = number
        .filter(|number| number.is_finite())
        .context("expected a number")?
        * unit as f64;
    Ok(json!(since.checked_add(SignedDuration::from_micros(
        micros.round() as i64
    ))?))
}

fn truth(text: &str) -> Result<bool> {
    match text {
        "1" | "1.0" | "true" | "True" | "TRUE" => Ok(true),
        "0" | "0.0" | "false" | "False" | "FALSE" => Ok(false),
        _ => bail!("expected 1, 0, true or false"),
    }
}

/// A line of NDJSON: unchanged, or converted to our fields by the table.
pub(super) fn json(line: Vec<u8>, number: u64, definition: &Definition) -> Result<Item> {
    let Some(table) = &definition.column_mapping else {
        return Ok(Item::Line(line));
    };
    // A line that is no object is refused by its reader.
    let Ok(object) = serde_json::from_slice::<Map<String, Value>>(&line) else {
        return Ok(Item::Line(line));
    };
    let has = |name: &str| named(object.keys().map(String::as_str), name);
    // A missing key is a missing value. A key that only the table has shows that the line is a row
    // of it.
    let ours = |name: &str| ["transaction_id", "occurred_at", "amount"].contains(&name);
    let of_table = table
        .columns()
        .any(|column| !ours(column) && object.contains_key(column));
    if !of_table && has("occurred_at").is_some() {
        return Ok(Item::Line(line));
    }
    let declared = |name: &str| {
        ours(name) && name != "transaction_id"
            || definition.schema().declared().any(|other| other == name)
    };
    let column = |name: &str| has(name).or_else(|| declared(name).then(|| name.to_owned()));
    let fields = fields(definition, table, &column).with_context(|| format!("line {number}"))?;
    Ok(Item::Fields(row(&fields, number, &|name| {
        object.get(name).cloned()
    })?))
}

/// The rows of a CSV file.
pub(super) fn csv(
    reader: impl Read,
    definition: &Definition,
    guess: bool,
    mut take: impl FnMut(u64, Result<Item>) -> Result<()>,
) -> Result<()> {
    let mut csv = csv::Reader::from_reader(reader);
    let header = csv.headers()?.clone();
    let has = |name: &str| named(header.iter(), name);
    let fields = match &definition.column_mapping {
        None => None,
        Some(table) => match table
            .columns()
            .find(|column| has(column).as_deref() != Some(*column))
        {
            // The file may have other fields than the definition's.
            Some(_) if guess || has("occurred_at").is_some() => None,
            Some(lacking) => {
                bail!(
                    "it has neither the column `{lacking}`, which [table] names, nor our own fields"
                )
            }
            None => Some(fields(definition, table, &has)?),
        },
    };
    for record in csv.records() {
        let record = match record {
            Err(error) if error.is_io_error() => return Err(error.into()),
            Err(error) => {
                let line = error.position().map_or(0, csv::Position::line);
                take(
                    line,
                    Err(error).with_context(|| format!("line {line}: not a CSV record")),
                )?;
                continue;
            }
            Ok(record) => record,
        };
        // A quoted field may span lines, so the reader gives the line.
        let line = record.position().map_or(0, csv::Position::line);
        let column = |name: &str| {
            let text = record.get(header.iter().position(|other| other == name)?)?;
            (!text.is_empty()).then(|| json!(text))
        };
        let row = match &fields {
            Some(fields) => row(fields, line, &column),
            None => own(definition, guess, header.iter().zip(&record), line),
        };
        take(line, row.map(Item::Fields))?;
    }
    Ok(())
}

/// The column with this name, upper and lower case ignored.
fn named<'h>(mut header: impl Iterator<Item = &'h str> + Clone, name: &str) -> Option<String> {
    let exactly = header.clone().find(|column| *column == name);
    exactly
        .or_else(|| header.find(|column| column.eq_ignore_ascii_case(name)))
        .map(str::to_owned)
}

/// A row of our own fields. The type of an unknown field is guessed from its text.
fn own<'r>(
    definition: &Definition,
    guess: bool,
    columns: impl Iterator<Item = (&'r str, &'r str)>,
    line: u64,
) -> Result<Map<String, Value>> {
    let schema = definition.schema();
    let mut row = Map::new();
    for (name, text) in columns.filter(|(_, text)| !text.is_empty()) {
        let is = |names: &[String]| !guess && names.iter().any(|other| other == name);
        let kind = match name {
            "is_fraud" => Some(Kind::Label),
            "amount" => Some(Kind::Number),
            _ if is(&schema.entities) || is(&schema.categories) => Some(Kind::Text),
            _ if is(&schema.numbers) => Some(Kind::Number),
            name if name.ends_with("_id") || name.ends_with("_at") => Some(Kind::Text),
            _ => None,
        };
        let value = match (kind, text.parse::<f64>()) {
            (Some(kind), _) => kind
                .of(json!(text))
                .with_context(|| format!("line {line}, field {name}"))?,
            (None, Ok(number)) => Some(json!(number)),
            (None, Err(_)) => Some(json!(text)),
        };
        row.extend(value.map(|value| (name.to_owned(), value)));
    }
    Ok(row)
}
