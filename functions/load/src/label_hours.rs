//! The hours of the transactions that a file of fraud reports names.

use std::collections::BTreeSet;

use jiff::Timestamp;
use serde::Deserialize;
use store::{Objects, gunzip_lines};
use turns::HourRanges;

use crate::NewObject;

/// Files with more bytes are not read: they must fit the function's memory.
const MAX_READ_BYTES: u64 = 32 << 20;
const HOUR: i64 = 3_600;

#[derive(Deserialize)]
struct Report {
    /// The reported transaction's own time.
    occurred_at: Timestamp,
}

/// Empty if the hours are not known: the file is too large or gone, or one of its lines is
/// unreadable or does not say when its transaction occurred.
pub(crate) async fn label_hours(
    objects: &impl Objects,
    file: &NewObject,
) -> Result<HourRanges, store::Error> {
    if file.bytes > MAX_READ_BYTES {
        return Ok(HourRanges::default());
    }
    let content = objects.get(&file.key).await?;
    Ok(content.and_then(|gzip| hours(&gzip)).unwrap_or_default())
}

/// `None` if a line does not say its hour.
fn hours(gzip: &[u8]) -> Option<HourRanges> {
    // A file may have millions of lines, and far fewer hours.
    let mut hours = BTreeSet::new();
    for line in gunzip_lines(gzip) {
        if line.trim().is_empty() {
            continue;
        }
        let report: Report = serde_json::from_str(&line).ok()?;
        hours.insert(report.occurred_at.as_second().div_euclid(HOUR));
    }
    let starts = hours.into_iter().map(|hour| hour * HOUR);
    let starts = starts.map(|start| Timestamp::from_second(start).ok());
    let starts: Option<Vec<Timestamp>> = starts.collect();
    Some(HourRanges::from_timestamps(starts?))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(lines: &str) -> Option<String> {
        hours(&store::gzip(lines.as_bytes())).map(|hours| hours.to_string())
    }

    const KNOWN: &str = r#"{"transaction_id": "a", "occurred_at": "2026-11-27T10:59:59Z"}"#;

    #[test]
    fn the_hours_of_all_lines_are_known() {
        let old = r#"{"occurred_at": "1970-01-01T01:30:00+01:00", "is_fraud": true}"#;
        assert_eq!(of(&format!("{KNOWN}\n\n{old}\n")).unwrap(), "0_498826");
    }

    #[test]
    fn one_line_without_a_readable_time_leaves_the_file_without_hours() {
        let wrong = [
            "{}",
            r#"{"occurred_at": null}"#,
            r#"{"occurred_at": 7}"#,
            r#"{"occurred_at": "2026-11-27"}"#,
            "{",
            &format!("{KNOWN} {KNOWN}"),
        ];
        for line in wrong {
            assert_eq!(of(&format!("{KNOWN}\n{line}\n")), None, "{line}");
        }
    }
}
