//! The rows that COPY refused: kept under `quarantine/`, each with its object, line and reason.

use std::collections::{BTreeMap, BTreeSet};

use decision::keys::QUARANTINE;
use serde::Serialize;
use store::{ObjectInfo, Objects, gunzip_lines};
use turns::Completed;
use warehouse::{Row, Warehouse};

use crate::Error;

/// Objects with more bytes are not read for the text of their refused rows: they and the claim must
/// fit the function's memory. The objects that score writes are smaller.
const MAX_READ_BYTES: u64 = 32 << 20;

/// One line of `quarantine/<lane>/<turn>/refused.ndjson`.
#[derive(Serialize)]
struct RefusedRow<'r> {
    /// The key of the object.
    object: &'r str,
    /// The line in the object, from 1.
    line: usize,
    column: &'r str,
    reason: &'r str,
    /// The row as it is in the object; `None` if the object has no such line any more, or more than
    /// [`MAX_READ_BYTES`].
    row: Option<&'r str>,
}

/// Reads which rows the statement refused, and writes them to `quarantine/`.
pub(crate) async fn keep(
    objects: &impl Objects,
    warehouse: &impl Warehouse,
    completed: &Completed<'_>,
) -> Result<(), Error> {
    let Some(statement) = completed.statement else {
        return Ok(());
    };
    let rows = warehouse.rows(statement, completed.sqls).await;
    let rows = rows.map_err(|source| Error::Refused {
        turn: completed.turn.to_string(),
        source,
    })?;
    let mut by_object: BTreeMap<String, Vec<Row>> = BTreeMap::new();
    for row in rows {
        let Some(object) = row.text("file_name").and_then(key_of_url) else {
            continue;
        };
        by_object.entry(object.to_owned()).or_default().push(row);
    }
    if by_object.is_empty() {
        return Ok(());
    }
    let mut lines = Vec::new();
    let mut refused = 0;
    for (object, rows) in &by_object {
        let wanted = rows.iter().map(line_number).collect();
        let texts = object_lines(objects, object, wanted).await?;
        refused += rows.len();
        for row in rows {
            let line = line_number(row);
            let kept = RefusedRow {
                object,
                line,
                column: row.text("column_name").unwrap_or_default().trim(),
                reason: row.text("error_message").unwrap_or_default().trim(),
                row: texts.get(&line).map(String::as_str),
            };
            serde_json::to_writer(&mut lines, &kept).map_err(|source| Error::Encode {
                key: object.clone(),
                source,
            })?;
            lines.push(b'\n');
        }
    }
    let key = format!("{QUARANTINE}{}/refused.ndjson", completed.turn);
    objects.put(&key, lines).await?;
    // The template counts this message: see `QuarantinedByLoad` there.
    tracing::error!(
        turn = %completed.turn,
        refused,
        objects = by_object.len(),
        key,
        "rows in quarantine: the warehouse refused them"
    );
    Ok(())
}

/// The key of an object from its URL, which some columns pad with spaces.
fn key_of_url(url: &str) -> Option<&str> {
    let (_, path) = url.trim().split_once("://")?;
    let (_, key) = path.split_once('/')?;
    Some(key)
}

fn line_number(row: &Row) -> usize {
    let line = row.number("line_number").unwrap_or_default();
    line.max(0.0) as usize
}

/// The wanted lines of an object, by number; none if it is gone, no gzip or too large.
async fn object_lines(
    objects: &impl Objects,
    key: &str,
    wanted: BTreeSet<usize>,
) -> Result<BTreeMap<usize, String>, Error> {
    let listed = objects.list_after(key, "", 1).await?;
    let fits = |object: &ObjectInfo| object.key == key && object.bytes <= MAX_READ_BYTES;
    if !listed.iter().any(fits) {
        return Ok(BTreeMap::new());
    }
    let Some(bytes) = objects.get(key).await? else {
        return Ok(BTreeMap::new());
    };
    let numbered = (1..).zip(gunzip_lines(&bytes));
    let last = wanted.last().copied().unwrap_or_default();
    let numbered = numbered.take_while(|(number, _)| *number <= last);
    let lines = numbered.filter(|(number, _)| wanted.contains(number));
    Ok(lines.collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_key_of_an_object_is_read_from_its_padded_url() {
        assert_eq!(key_of_url("s3://bucket/a/b.gz   "), Some("a/b.gz"));
        assert_eq!(key_of_url("a/b.gz"), None);
    }
}
