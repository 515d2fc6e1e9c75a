//! Files of labels.

use std::collections::HashMap;
use std::path::Path;

use anyhow::{Context as _, Result};
use jiff::Timestamp;
use serde::Deserialize;

use super::Row;

/// Sets the labels of rows from a file of NDJSON lines with `transaction_id`, `reported_at` and
/// `is_fraud`. Rows that the file does not name have no label. Returns the number of labelled rows.
pub fn label(rows: &mut [Row], path: &Path) -> Result<usize> {
    let text =
        std::fs::read_to_string(path).with_context(|| format!("can't read {}", path.display()))?;
    let mut labels = HashMap::new();
    for (number, text) in (1..)
        .zip(text.lines())
        .filter(|(_, text)| !text.trim().is_empty())
    {
        let wrong = |what: &str| format!("{}, line {number}{what}", path.display());
        let label: LabelLine = serde_json::from_str(text).with_context(|| wrong(""))?;
        let reported_at: Timestamp = label
            .reported_at
            .parse()
            .with_context(|| wrong(", field reported_at: expected an RFC 3339 timestamp"))?;
        labels.insert(label.transaction_id, (label.is_fraud, reported_at));
    }
    let mut labelled = 0;
    for row in rows {
        row.fraud = None;
        if let Some((fraud, reported_at)) = labels.get(&row.transaction_id) {
            (row.fraud, row.reported_at) = (Some(*fraud), *reported_at);
            labelled += 1;
        }
    }
    Ok(labelled)
}

#[derive(Deserialize)]
struct LabelLine {
    transaction_id: String,
    reported_at: String,
    is_fraud: bool,
}
