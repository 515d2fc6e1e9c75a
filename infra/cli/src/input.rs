//! Reads transactions from a file: NDJSON or CSV, plain, `.gz` or `.zst`, with our own fields or
//! with the columns that `[table]` of a definition names.

mod labels;
mod table;

pub use labels::label;

use std::fs::{self, File};
use std::io::{BufRead, BufReader, Read};
use std::path::{Path, PathBuf};

use anyhow::{Context as _, Result, bail};
use decision::{Batch, Origin};
use features::Definition;
use features::Report;
use flate2::read::MultiGzDecoder;
use jiff::{SignedDuration, Timestamp};
use serde_json::{Map, Value};
use store::{Stream, StreamRecord};
use train::LabelledHistory;

/// A label without a timestamp is known this long after its transaction.
pub const LABEL_DELAY: SignedDuration = SignedDuration::from_hours(7 * 24);
/// The definition by which a file is read by default.
pub(crate) const CARD_FRAUD: &str = include_str!("../../bundles/card-fraud/bundle.toml");

/// One transaction of a file.
#[derive(Clone, Debug, PartialEq)]
pub struct Row {
    /// The transaction as it goes on the stream.
    pub json: String,
    pub transaction_id: String,
    pub occurred_at: Timestamp,
    /// The first entity, or the transaction id if no entity is declared.
    pub partition_key: String,
    /// The label, if the file has one.
    pub fraud: Option<bool>,
    pub reported_at: Timestamp,
}

/// Reads a definition. Returns its text too.
pub(crate) fn definition(path: &Path) -> Result<(String, Definition)> {
    let text =
        fs::read_to_string(path).with_context(|| format!("can't read {}", path.display()))?;
    let definition =
        Definition::parse(&text).with_context(|| format!("{} is refused", path.display()))?;
    Ok((text, definition))
}

/// Names the definition that describes a file.
#[derive(clap::Args, Debug)]
pub(crate) struct Described {
    /// The definition that describes the file by its fields and its [table]. By default, the fields
    /// of card transactions are expected or guessed.
    #[arg(long)]
    bundle: Option<PathBuf>,
}

impl Described {
    /// The definition and its text, if one is named.
    pub(crate) fn definition(&self) -> Result<Option<(String, Definition)>> {
        self.bundle.as_deref().map(definition).transpose()
    }

    /// Reads a file by this definition.
    pub(crate) fn read(&self, file: &Path) -> Result<Vec<Row>> {
        read(
            file,
            self.definition()?
                .as_ref()
                .map(|(_, definition)| definition),
        )
    }
}

/// One item of a file.
pub(crate) enum Item {
    /// An unchanged line of NDJSON.
    Line(Vec<u8>),
    /// A row of a table: our fields, with `is_fraud` and `reported_at` if the file has them.
    Fields(Map<String, Value>),
}

/// Reads a whole file of card transactions, or of the transactions that a definition describes.
/// Rows are sorted by time. Rows of equal time keep the file's order.
pub fn read(path: &Path, definition: Option<&Definition>) -> Result<Vec<Row>> {
    let mut rows = Vec::new();
    let cards = Definition::parse(CARD_FRAUD)?;
    let fields = FileFields {
        definition: definition.unwrap_or(&cards),
        guess: definition.is_none(),
    };
    let read = each(path, fields.definition, fields.guess, |line, item| {
        let object = match item? {
            Item::Fields(fields) => fields,
            Item::Line(bytes) => serde_json::from_slice(&bytes)
                .with_context(|| format!("line {line}: expected a JSON object"))?,
        };
        rows.push(fields.row(object, line)?);
        Ok(())
    });
    read.with_context(|| format!("can't read {}", path.display()))?;
    rows.sort_by_key(|row| row.occurred_at);
    Ok(rows)
}

/// Calls `take` with each item of a file and the number of its line, in order. An unreadable row is
/// an error that `take` receives. Errors do not name the file. With `guess`, columns outside the
/// definition are kept.
pub(crate) fn each(
    path: &Path,
    definition: &Definition,
    guess: bool,
    mut take: impl FnMut(u64, Result<Item>) -> Result<()>,
) -> Result<()> {
    let file = File::open(path)?;
    let extension = path
        .extension()
        .and_then(|e| e.to_str())
        .unwrap_or_default();
    let plain: Box<dyn Read> = match extension {
        "zst" => Box::new(zstd::Decoder::new(file).context("not a zstd file")?),
        "gz" => Box::new(MultiGzDecoder::new(file)),
        _ => Box::new(file),
    };
    let mut reader = BufReader::with_capacity(1 << 20, plain);
    let mut begins = reader.fill_buf()?;
    // A byte order mark, as some spreadsheets write it.
    if begins.starts_with(b"\xEF\xBB\xBF") {
        reader.consume(3);
        begins = reader.fill_buf()?;
    }
    if begins.trim_ascii_start().first() != Some(&b'{') {
        return table::csv(reader, definition, guess, take);
    }
    for (number, line) in (1..).zip(reader.split(b'\n')) {
        let line = line.with_context(|| format!("line {number}"))?;
        if !line.trim_ascii().is_empty() {
            take(number, table::json(line, number, definition))?;
        }
    }
    Ok(())
}

/// Puts rows on a stream, in order. An error names the first row that the stream refused in every
/// try.
pub async fn put(stream: &impl Stream, rows: &[Row]) -> Result<()> {
    let outgoing: Vec<StreamRecord> = rows
        .iter()
        .map(|row| StreamRecord {
            partition_key: row.partition_key.clone(),
            data: row.json.clone().into_bytes(),
        })
        .collect();
    let refused = stream.publish(&outgoing).await?;
    match refused.first().and_then(|&place| rows.get(place)) {
        None => Ok(()),
        Some(first) => bail!(
            "the stream refused {} of {} transactions, the first is {}",
            refused.len(),
            rows.len(),
            first.transaction_id
        ),
    }
}

/// Rows as a history to train on.
pub fn past(definition: &Definition, rows: &[Row]) -> Result<LabelledHistory> {
    let mut batch = Batch::with_capacity(definition.schema(), rows.len());
    for (row, place) in rows.iter().zip(0..) {
        let read = batch.read(
            row.json.as_bytes(),
            Origin {
                record: place,
                item: 0,
            },
            Timestamp::MAX,
        );
        read.with_context(|| format!("transaction {}", row.transaction_id))?;
    }
    let mut past = LabelledHistory::default();
    let report = |place: usize| {
        let row = rows.get(place)?;
        Some(Report {
            reported_at: row.reported_at,
            arrived_at: row.reported_at,
            is_fraud: row.fraud?,
        })
    };
    past.add(&batch, |place| report(place).into_iter().collect());
    Ok(past)
}

/// How the fields of a file are read.
struct FileFields<'d> {
    definition: &'d Definition,
    /// Whether the partition key and the delay of labels are guessed: the file may have other
    /// fields than the definition's.
    guess: bool,
}

impl FileFields<'_> {
    /// Removes the label from a row's fields. The remaining fields go on the stream.
    fn row(&self, mut object: Map<String, Value>, line: u64) -> Result<Row> {
        let fraud = match object.remove("is_fraud") {
            None => None,
            Some(Value::Bool(flag)) => Some(flag),
            Some(Value::Number(number)) if number.as_f64() == Some(1.0) => Some(true),
            Some(Value::Number(number)) if number.as_f64() == Some(0.0) => Some(false),
            Some(_) => bail!("line {line}, field is_fraud: expected true, false, 1 or 0"),
        };
        let text = |name: &str| match object.get(name) {
            Some(Value::String(text)) => Ok(text.clone()),
            Some(Value::Number(number)) => Ok(number.to_string()),
            Some(_) => bail!("line {line}, field {name}: expected a string"),
            None => bail!("line {line}, field {name}: missing"),
        };
        let timestamp = |text: String, name: &str| {
            text.parse::<Timestamp>().with_context(|| {
                format!("line {line}, field {name}: expected an RFC 3339 timestamp")
            })
        };
        let transaction_id = text("transaction_id")?;
        let occurred_at = timestamp(text("occurred_at")?, "occurred_at")?;
        let entity = match self.guess {
            true => object
                .keys()
                .find(|name| name.ends_with("_id") && *name != "transaction_id"),
            false => self.definition.schema().entities.first(),
        };
        let partition_key = entity.map_or_else(|| Ok(transaction_id.clone()), |name| text(name))?;
        let delay = self.definition.training.label_delay;
        let reported_at = match object.remove("reported_at") {
            Some(Value::String(text)) => timestamp(text, "reported_at")?,
            Some(_) => bail!("line {line}, field reported_at: expected an RFC 3339 timestamp"),
            None => occurred_at.checked_add(if self.guess { LABEL_DELAY } else { delay })?,
        };
        let json = Value::Object(object).to_string();
        Ok(Row {
            json,
            transaction_id,
            occurred_at,
            partition_key,
            fraud,
            reported_at,
        })
    }
}

#[cfg(test)]
mod tests;
