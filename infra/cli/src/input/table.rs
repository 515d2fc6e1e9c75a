//! Rows of a table as our fields.

use std::io::Read;

use anyhow::{Context as _, Result, bail};
use features::{ColumnMapping, Definition, FieldSource};
use jiff::{SignedDuration, Timestamp};
use serde_json::{Map, Value, json};

use super::Item;

/// What stands for a missing number in tables written by R, pandas and databases.
const MISSING: [&str; 6] = ["", "NA", "NaN", "nan", "NULL", "null"];

/// What a field's values are.
#[derive(Clone, Copy)]
enum Kind {
    Text,
    Number,
    Moment,
    Label,
}

/// One of our fields and where it comes from.
struct Field<'d> {
    name: &'d str,
    kind: Kind,
    source: From<'d>,
}

enum From<'d> {
    Column(String),
    ColumnMapping(&'d FieldSource),
    /// The line's own number is the transaction's id.
    Line,
}

/// The fields of what a `[table]` describes; `has` gives the column of a name, if it is there.
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
                bail!("it has no column `{name}`: say in [table] which of its columns that is")
            }
            None => {}
        }
        Ok(())
    };
    add("transaction_id", "transaction_id", Kind::Text, true)?;
    add("occurred_at", "occurred_at", Kind::Moment, true)?;
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
    add("reported_at", "reported_at", Kind::Moment, false)?;
    Ok(fields)
}

/// A row's fields. `column` gives a column's value, none where it is empty.
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
    /// A column's value as this field's; none where it is missing.
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
            // What is no text or number where one should be is named when the row is read.
            (_, value) => Some(value),
        })
    }
}

/// The moment so many units after another.
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

/// A line of NDJSON: as it is, or the fields of a table's row.
pub(super) fn json(line: Vec<u8>, number: u64, definition: &Definition) -> Result<Item> {
    let Some(table) = &definition.column_mapping else {
        return Ok(Item::Line(line));
    };
    // What is no object is named by who reads it.
    let Ok(object) = serde_json::from_slice::<Map<String, Value>>(&line) else {
        return Ok(Item::Line(line));
    };
    let has = |name: &str| named(object.keys().map(String::as_str), name);
    // A key that a line leaves out is a missing value: one that only the table knows says whose line it is.
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
            // It may be another's file, with fields of its own.
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
        // A quoted field may run over several lines: the reader knows where it is.
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

/// The column of this name, or of this name in another case.
fn named<'h>(mut header: impl Iterator<Item = &'h str> + Clone, name: &str) -> Option<String> {
    let exactly = header.clone().find(|column| *column == name);
    exactly
        .or_else(|| header.find(|column| column.eq_ignore_ascii_case(name)))
        .map(str::to_owned)
}

/// A row of our own fields; a field that is not known is what it looks like.
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
