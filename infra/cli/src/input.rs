//! Transactions from a file: NDJSON or CSV, plain, `.gz` or `.zst`; our own fields, or the columns that
//! a definition's `[table]` names.

mod table;

use std::collections::HashMap;
use std::fs::{self, File};
use std::io::{BufRead, BufReader, Read};
use std::path::{Path, PathBuf};

use anyhow::{Context as _, Result, bail};
use decision::{Batch, Origin};
use features::Definition;
use features::Label;
use flate2::read::MultiGzDecoder;
use jiff::{SignedDuration, Timestamp};
use serde::Deserialize;
use serde_json::{Map, Value};
use store::{Stream, StreamRecord};
use train::LabelledHistory;

/// A flag without a moment is known this long after its transaction.
pub const LABEL_DELAY: SignedDuration = SignedDuration::from_hours(7 * 24);
/// What a file is read by where nothing else is said.
pub(crate) const CARD_FRAUD: &str = include_str!("../../bundles/card-fraud/bundle.toml");

/// One transaction of a file.
#[derive(Clone, Debug, PartialEq)]
pub struct Row {
    /// The transaction as it goes on the stream.
    pub json: String,
    pub transaction_id: String,
    pub occurred_at: Timestamp,
    /// What it is put on the stream by: its first entity, or its own id where none is declared.
    pub partition_key: String,
    /// Whether it is a fraud, where the file knows.
    pub fraud: Option<bool>,
    pub reported_at: Timestamp,
}

/// A definition from its file, and its text.
pub(crate) fn definition(path: &Path) -> Result<(String, Definition)> {
    let text =
        fs::read_to_string(path).with_context(|| format!("can't read {}", path.display()))?;
    let definition =
        Definition::parse(&text).with_context(|| format!("{} is refused", path.display()))?;
    Ok((text, definition))
}

/// Whose columns a file has.
#[derive(clap::Args, Debug)]
pub(crate) struct Described {
    /// The definition that describes the file: its fields, its [table]. Without one it is of cards, or guessed.
    #[arg(long)]
    bundle: Option<PathBuf>,
}

impl Described {
    /// The definition and its text, if one is named.
    pub(crate) fn definition(&self) -> Result<Option<(String, Definition)>> {
        self.bundle.as_deref().map(definition).transpose()
    }

    /// Reads a file that is described so.
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
    /// A line of NDJSON as it is.
    Line(Vec<u8>),
    /// A row of a table: our fields, with `is_fraud` and `reported_at` where the file has them.
    Fields(Map<String, Value>),
}

/// Reads a whole file of card transactions, or of what this definition describes. Rows are sorted by
/// time; equal moments keep the file's order.
pub fn read(path: &Path, definition: Option<&Definition>) -> Result<Vec<Row>> {
    let mut rows = Vec::new();
    let cards = Definition::parse(CARD_FRAUD)?;
    let known = Known {
        definition: definition.unwrap_or(&cards),
        guess: definition.is_none(),
    };
    let read = each(path, known.definition, known.guess, |line, item| {
        let fields = match item? {
            Item::Fields(fields) => fields,
            Item::Line(bytes) => serde_json::from_slice(&bytes)
                .with_context(|| format!("line {line}: expected a JSON object"))?,
        };
        rows.push(known.row(fields, line)?);
        Ok(())
    });
    read.with_context(|| format!("can't read {}", path.display()))?;
    rows.sort_by_key(|row| row.occurred_at);
    Ok(rows)
}

/// Hands on each item of a file with its line's number, in the file's order; errors do not name the file; what can't be made of a
/// row is an error of its own. Where types are to be guessed, columns that are not the definition's are
/// kept.
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
    // What some spreadsheets put before everything else.
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

/// Puts rows on a stream, in order. An error names the first that it refused, again and again.
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

/// Rows as a history to learn from.
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
    past.add(&batch, |place| {
        let row = rows.get(place)?;
        Some(Label {
            reported_at: row.reported_at,
            is_fraud: row.fraud?,
        })
    });
    Ok(past)
}

/// Sets the rows' labels to those of a file: NDJSON lines of `transaction_id`, `reported_at` and
/// `is_fraud`. What it does not name has none. How many rows it named.
pub fn label(rows: &mut [Row], path: &Path) -> Result<usize> {
    let text =
        std::fs::read_to_string(path).with_context(|| format!("can't read {}", path.display()))?;
    let mut labels = HashMap::new();
    for (number, text) in (1..)
        .zip(text.lines())
        .filter(|(_, text)| !text.trim().is_empty())
    {
        let wrong = |what: &str| format!("{}, line {number}{what}", path.display());
        let label: Report = serde_json::from_str(text).with_context(|| wrong(""))?;
        let reported_at: Timestamp = label
            .reported_at
            .parse()
            .with_context(|| wrong(", field reported_at: expected an RFC 3339 moment"))?;
        labels.insert(label.transaction_id, (label.is_fraud, reported_at));
    }
    let mut named = 0;
    for row in rows {
        row.fraud = None;
        if let Some((fraud, reported_at)) = labels.get(&row.transaction_id) {
            (row.fraud, row.reported_at) = (Some(*fraud), *reported_at);
            named += 1;
        }
    }
    Ok(named)
}

#[derive(Deserialize)]
struct Report {
    transaction_id: String,
    reported_at: String,
    is_fraud: bool,
}

/// What is known of a file's fields.
struct Known<'d> {
    definition: &'d Definition,
    /// It may be another's: its key and delay are guessed.
    guess: bool,
}

impl Known<'_> {
    /// Takes the label out of a row's fields; what is left goes on the stream.
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
        let moment = |text: String, name: &str| {
            text.parse::<Timestamp>()
                .with_context(|| format!("line {line}, field {name}: expected an RFC 3339 moment"))
        };
        let transaction_id = text("transaction_id")?;
        let occurred_at = moment(text("occurred_at")?, "occurred_at")?;
        let entity = match self.guess {
            true => object
                .keys()
                .find(|name| name.ends_with("_id") && *name != "transaction_id"),
            false => self.definition.schema().entities.first(),
        };
        let partition_key = entity.map_or_else(|| Ok(transaction_id.clone()), |name| text(name))?;
        let delay = self.definition.training.label_delay;
        let reported_at = match object.remove("reported_at") {
            Some(Value::String(text)) => moment(text, "reported_at")?,
            Some(_) => bail!("line {line}, field reported_at: expected an RFC 3339 moment"),
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
mod tests {
    use std::io::Write as _;

    use super::*;

    fn file(name: &str, bytes: &[u8]) -> (tempfile::TempDir, std::path::PathBuf) {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join(name);
        File::create(&path).unwrap().write_all(bytes).unwrap();
        (folder, path)
    }

    #[test]
    fn the_handbooks_columns_become_our_fields_and_never_the_scenario() {
        let text = "TRANSACTION_ID,TX_TIME_SECONDS,CUSTOMER_ID,TERMINAL_ID,TX_AMOUNT,TX_FRAUD,TX_FRAUD_SCENARIO\n\
                    5,86460,7,9,12.5,1,2\n4,60,8,9,3,0,0\n";
        let (_folder, path) = file("h.csv.zst", &zstd::encode_all(text.as_bytes(), 1).unwrap());
        let rows = read(&path, None).unwrap();
        assert_eq!(
            rows[1].json,
            r#"{"amount":12.5,"customer_id":"7","occurred_at":"2018-04-02T00:01:00Z","terminal_id":"9","transaction_id":"5"}"#
        );
        assert_eq!(
            (
                rows[0].transaction_id.as_str(),
                rows[0].fraud,
                rows[1].fraud
            ),
            ("4", Some(false), Some(true))
        );
        assert_eq!(rows[1].reported_at.to_string(), "2018-04-09T00:01:00Z");
        assert_eq!(rows[1].partition_key, "7");
    }

    #[test]
    fn a_table_that_names_no_label_has_it_under_our_own_name() {
        let text = CARD_FRAUD
            .replace("label = \"TX_FRAUD\"\n", "")
            .replace("\"TX_AMOUNT\"", "\"price\"");
        let definition = Definition::parse(&text).unwrap();
        let text =
            "TRANSACTION_ID,TX_TIME_SECONDS,CUSTOMER_ID,TERMINAL_ID,price,is_fraud\n4,60,8,9,3,1\n";
        let (_folder, path) = file("h.csv", text.as_bytes());
        assert_eq!(read(&path, Some(&definition)).unwrap()[0].fraud, Some(true));
        // A line that leaves a key out is still the table's.
        let line = r#"{"transaction_id":"4","occurred_at":"2026-01-31T09:00:00Z","price":3,"CUSTOMER_ID":8,"is_fraud":1}"#;
        let text = CARD_FRAUD
            .replace("label = \"TX_FRAUD\"\n", "")
            .replace("\"TX_AMOUNT\"", "\"price\"");
        let text = text.replace("transaction_id = \"TRANSACTION_ID\"\n", "");
        let start = text.find("occurred_at = {").unwrap();
        let text = text.replacen(
            &text[start..start + text[start..].find('\n').unwrap()],
            "",
            1,
        );
        let (_folder, path) = file("h.ndjson", line.as_bytes());
        let rows = read(&path, Some(&Definition::parse(&text).unwrap())).unwrap();
        assert_eq!(
            (rows[0].partition_key.as_str(), rows[0].fraud),
            ("8", Some(true))
        );
    }

    #[test]
    fn what_is_wrong_is_named_by_line_and_field() {
        let (_folder, path) = file(
            "t.ndjson",
            b"{\"transaction_id\":\"a\",\"occurred_at\":\"yesterday\"}\n",
        );
        let error = format!("{:#}", read(&path, None).unwrap_err());
        assert!(
            error.contains("line 1, field occurred_at: expected an RFC 3339 moment"),
            "{error}"
        );
        let (_folder, path) = file("t.csv", b"transaction_id,amount,is_fraud\na,1,maybe\n");
        let error = format!("{:#}", read(&path, None).unwrap_err());
        assert!(
            error.contains("line 2, field is_fraud: expected 1, 0, true or false"),
            "{error}"
        );
    }

    #[test]
    fn slips_in_labels_are_refused_and_a_byte_order_mark_is_not() {
        let row = r#"{"transaction_id":"a","occurred_at":"2026-01-31T09:00:00Z","amount":1"#;
        for (rest, expected) in [
            (
                r#","is_fraud":2}"#,
                "line 1, field is_fraud: expected true, false, 1 or 0",
            ),
            (
                r#","reported_at":7}"#,
                "line 1, field reported_at: expected an RFC 3339 moment",
            ),
        ] {
            let (_folder, path) = file("t.ndjson", format!("{row}{rest}\n").as_bytes());
            let error = format!("{:#}", read(&path, None).unwrap_err());
            assert!(error.contains(expected), "{error}");
        }
        let text = "\u{FEFF}transaction_id,occurred_at,note,is_fraud\na,2026-01-31T09:00:00Z,\"two\nlines\",1\nb,2026-01-31T09:00:00Z,,7\n";
        let (_folder, path) = file("t.csv", text.as_bytes());
        let error = format!("{:#}", read(&path, None).unwrap_err());
        assert!(error.contains("line 4, field is_fraud"), "{error}");
    }

    #[test]
    fn a_file_of_labels_takes_the_place_of_those_in_the_rows() {
        let rows = ["a", "b"].map(|id| {
            format!(
                r#"{{"transaction_id":"{id}","occurred_at":"2026-01-31T09:00:00Z","is_fraud":1}}"#
            )
        });
        let (_folder, path) = file("t.ndjson", rows.join("\n").as_bytes());
        let mut rows = read(&path, None).unwrap();
        let labels =
            r#"{"transaction_id":"b","reported_at":"2026-02-01T00:00:00Z","is_fraud":false}"#;
        let (_other, path) = file("l.ndjson", labels.as_bytes());
        assert_eq!(label(&mut rows, &path).unwrap(), 1);
        assert_eq!(
            (
                rows[0].fraud,
                rows[1].fraud,
                rows[1].reported_at.to_string().as_str()
            ),
            (None, Some(false), "2026-02-01T00:00:00Z")
        );
        std::fs::write(&path, "\n{\"transaction_id\":\"b\",\"is_fraud\":true}").unwrap();
        let error = format!("{:#}", label(&mut rows, &path).unwrap_err());
        assert!(
            error.contains("line 2") && error.contains("reported_at"),
            "{error}"
        );
    }
}
