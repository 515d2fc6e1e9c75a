//! Writes a history to the bucket. S3 notifies the function load of its waiting entries and of its
//! fraud reports, and load copies both to the warehouse.

use std::fmt::Write as _;

use anyhow::{Context as _, Result};
use decision::{Batch, Origin, Schema, keys};
use features::Definition;
use futures_util::{StreamExt as _, TryStreamExt as _, stream};
use jiff::Timestamp;
use serde_json::{Map, Value, json};
use sha2::{Digest as _, Sha256};
use store::{Objects as _, gzip};
use turns::{FileEntry, HourRanges, WaitingEntry};

use crate::input::Row;
use crate::system::System;

/// Rows per object: some megabytes, the size that COPY handles best.
const ROWS: usize = 25_000;

/// Writes transactions without decisions as objects under `transactions/`, each followed by its
/// waiting entry. Returns the keys of the objects.
pub async fn transactions(
    system: &System,
    definition: &Definition,
    rows: &[Row],
) -> Result<Vec<String>> {
    let puts = rows.chunks(ROWS).map(|chunk| async move {
        let first = chunk.first().map(|row| row.occurred_at).unwrap_or_default();
        let lines = lines(definition.schema(), chunk)?;
        let id = digest(&lines);
        let day = first.strftime("dt=%Y-%m-%d/hh=%H");
        let key = format!("{}{day}/history-{id}.ndjson.gz", keys::TRANSACTIONS);
        let bytes = gzip(lines.as_bytes());
        let waiting = WaitingEntry::History(FileEntry {
            arrived_at: Timestamp::now(),
            id,
            bytes: bytes.len() as u64,
            hours: HourRanges::from_timestamps(chunk.iter().map(|row| row.occurred_at)),
        });
        put(system, &key, bytes).await?;
        // INVARIANT: the entry comes second. A turn that takes it finds the object.
        put(system, &waiting.key(), key.clone().into_bytes()).await?;
        anyhow::Ok(key)
    });
    stream::iter(puts).buffered(4).try_collect().await
}

async fn put(system: &System, key: &str, bytes: Vec<u8>) -> Result<()> {
    let written = system.objects.put(key, bytes).await;
    written.with_context(|| format!("can't write {key}"))
}

/// The rows as NDJSON, each with its identity and its arrival: the transaction's own time.
fn lines(schema: &Schema, rows: &[Row]) -> Result<String> {
    let mut lines = String::new();
    for row in rows {
        let unreadable = || format!("transaction {} is not readable", row.transaction_id);
        let mut batch = Batch::new(schema);
        let origin = Origin { record: 0, item: 0 };
        batch
            .read(row.json.as_bytes(), origin, row.occurred_at)
            .with_context(unreadable)?;
        let mut fields: Map<String, Value> =
            serde_json::from_str(&row.json).with_context(unreadable)?;
        // As score writes them: without the blanks at their end.
        for (index, name) in schema.entities.iter().enumerate() {
            fields.insert(name.clone(), batch.entity(0, index).into());
        }
        for (index, name) in schema.categories.iter().enumerate() {
            fields.insert(name.clone(), batch.category(0, index).into());
        }
        let identity = batch.identity(0).to_string();
        fields.insert("identity_hash".to_owned(), identity.into());
        fields.insert("arrived_at".to_owned(), json!(row.occurred_at));
        let _ = writeln!(lines, "{}", Value::Object(fields));
    }
    Ok(lines)
}

/// Writes the fraud reports of these rows with `reported_at` in `[from, to)` as one object under
/// `labels/`. Returns their number.
pub async fn labels(
    system: &System,
    rows: impl IntoIterator<Item = &Row>,
    from: Timestamp,
    to: Timestamp,
) -> Result<usize> {
    let mut lines = String::new();
    let mut count = 0;
    let due = |row: &&Row| row.fraud == Some(true) && (from..to).contains(&row.reported_at);
    for row in rows.into_iter().filter(due) {
        let report = json!({
            "transaction_id": row.transaction_id,
            "occurred_at": row.occurred_at,
            "reported_at": row.reported_at,
            // These reports are history: they arrived when they were made.
            "arrived_at": row.reported_at,
            "is_fraud": true,
        });
        let _ = writeln!(lines, "{report}");
        count += 1;
    }
    if count > 0 {
        let key = format!("{}{}.ndjson.gz", keys::LABELS, digest(&lines));
        put(system, &key, gzip(lines.as_bytes())).await?;
    }
    Ok(count)
}

/// Names an object by its content, so that a repetition writes the same object.
fn digest(lines: &str) -> String {
    hex::encode(Sha256::digest(lines))
        .chars()
        .take(16)
        .collect()
}

#[cfg(test)]
mod tests {
    use decision::Identity;

    use super::*;

    #[test]
    fn a_line_has_the_identity_that_score_gives_the_same_transaction() {
        let schema = Schema {
            entities: vec!["customer_id".into()],
            numbers: Vec::new(),
            categories: Vec::new(),
        };
        let occurred_at: Timestamp = "2026-01-31T09:00:00Z".parse().unwrap();
        let transaction = json!({
            "transaction_id": "a", "occurred_at": "2026-01-31T10:00:00+01:00", "amount": 2,
            "customer_id": 7, "note": "kept",
        });
        let row = Row {
            json: transaction.to_string(),
            transaction_id: "a".to_owned(),
            occurred_at,
            partition_key: "7".to_owned(),
            fraud: None,
            reported_at: occurred_at,
        };
        let written = lines(&schema, &[row]).unwrap();
        let line: Value = serde_json::from_str(written.trim_end()).unwrap();
        let identity = Identity::new("a", occurred_at, 2.0, ["7"]);
        assert_eq!(line["identity_hash"], identity.to_string());
        assert_eq!(line["arrived_at"], "2026-01-31T09:00:00Z");
        assert_eq!(line["note"], "kept");
    }
}
