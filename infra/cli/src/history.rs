//! Writes a history to the bucket. S3 notifies the function load, which copies it to the warehouse.

use std::fmt::Write as _;

use anyhow::{Context as _, Result};
use futures_util::{StreamExt as _, TryStreamExt as _, stream};
use jiff::Timestamp;
use serde_json::json;
use sha2::{Digest as _, Sha256};
use store::{Objects as _, gzip};

use crate::input::Row;
use crate::system::System;

/// Rows per object: some megabytes, the size that COPY handles best.
const ROWS: usize = 25_000;

/// Writes transactions without decisions as objects under `transactions/`.
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

/// Names an object by its content, so that a repetition writes the same object.
fn digest(lines: &str) -> String {
    hex::encode(Sha256::digest(lines))
        .chars()
        .take(16)
        .collect()
}
