//! Putting a history into a system, the way new objects come: the bucket tells load, load the warehouse.

use std::fmt::Write as _;

use anyhow::{Context as _, Result};
use futures_util::{StreamExt as _, TryStreamExt as _, stream};
use jiff::Timestamp;
use serde_json::json;
use sha2::{Digest as _, Sha256};
use store::{Objects as _, gzip};

use crate::input::Row;
use crate::system::System;

/// Rows of one object: some megabytes, as COPY likes them.
const ROWS: usize = 25_000;

/// Writes transactions that were never decided on, as objects under `transactions/`.
pub async fn transactions(system: &System, rows: &[Row]) -> Result<()> {
    let puts = rows.chunks(ROWS).map(|chunk| async move {
        let mut lines = String::new();
        for row in chunk {
            lines.push_str(&row.json);
            lines.push('\n');
        }
        let day = chunk
            .first()
            .map(|row| row.occurred_at)
            .unwrap_or_default()
            .strftime("dt=%Y-%m-%d/hh=%H")
            .to_string();
        let key = format!(
            "{}{day}/history-{}.ndjson.gz",
            decision::keys::TRANSACTIONS,
            digest(&lines)
        );
        system
            .objects
            .put(&key, gzip(lines.as_bytes()))
            .await
            .with_context(|| format!("can't write {key}"))
    });
    stream::iter(puts).buffer_unordered(4).try_collect().await
}

/// Writes the reports of these rows that became known in `[from, to)`, as one object under `labels/`.
/// How many there were.
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
        let report = json!({ "transaction_id": row.transaction_id, "reported_at": row.reported_at, "is_fraud": true });
        let _ = writeln!(lines, "{report}");
        count += 1;
    }
    if count > 0 {
        let key = format!("{}{}.ndjson.gz", decision::keys::LABELS, digest(&lines));
        system
            .objects
            .put(&key, gzip(lines.as_bytes()))
            .await
            .with_context(|| format!("can't write {key}"))?;
    }
    Ok(count)
}

/// A name for what is in an object: another file's rows never lie under it, the same rows always do.
fn digest(lines: &str) -> String {
    Sha256::digest(lines)
        .iter()
        .take(8)
        .fold(String::new(), |name, byte| name + &format!("{byte:02x}"))
}
