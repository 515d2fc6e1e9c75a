//! SQL literals and expressions for timestamps, durations and texts.

use std::ops::RangeInclusive;

use jiff::civil::DateTime;
use jiff::tz::TimeZone;
use jiff::{SignedDuration, Timestamp};

/// A timestamp in RFC 3339 with microseconds, the resolution of the warehouse.
pub(super) fn timestamp_text(timestamp: Timestamp) -> String {
    format!("{timestamp:.6}")
}

pub(super) fn timestamp(timestamp: Timestamp) -> String {
    format!("CAST('{}' AS TIMESTAMPTZ)", timestamp_text(timestamp))
}

pub(super) fn interval(duration: SignedDuration) -> String {
    format!("INTERVAL '{} seconds'", duration.as_secs())
}

/// An SQL expression: `end` minus a duration.
pub(super) fn before(end: &str, duration: SignedDuration) -> String {
    if duration.is_zero() {
        end.to_owned()
    } else {
        format!("{end} - {}", interval(duration))
    }
}

/// An SQL expression: `start` plus a duration.
pub(super) fn after(start: &str, duration: SignedDuration) -> String {
    if duration.is_zero() {
        start.to_owned()
    } else {
        format!("{start} + {}", interval(duration))
    }
}

/// Whether a column is in one of these ranges. False if there are none.
pub(super) fn within(column: &str, ranges: &[RangeInclusive<Timestamp>]) -> String {
    if ranges.is_empty() {
        return "FALSE".to_owned();
    }
    let bounds = |range: &RangeInclusive<Timestamp>| {
        let first = timestamp(*range.start());
        let last = timestamp(*range.end());
        format!("{column} >= {first} AND {column} <= {last}")
    };
    let bounds: Vec<String> = ranges.iter().map(bounds).collect();
    match bounds.as_slice() {
        [one] => one.clone(),
        several => format!("({})", several.join("\n    OR ")),
    }
}

/// Whole seconds since 1970, rounded down. Redshift's EXTRACT drops the fraction itself; other
/// databases do not.
pub(super) fn whole_seconds(timestamp: &str) -> String {
    format!("FLOOR(EXTRACT(EPOCH FROM {timestamp}))")
}

/// A column as text in UTC, such as `2026-01-31 09:00:00.25`. EXTRACT would drop the fraction of the
/// second.
pub(super) fn in_utc(column: &str, name: &str) -> String {
    format!("CAST({column} AT TIME ZONE 'UTC' AS VARCHAR(32)) AS {name}")
}

/// The timestamp of a text in UTC, as [`in_utc`] has it.
pub fn timestamp_of_utc(text: &str) -> Option<Timestamp> {
    let time: DateTime = text.parse().ok()?;
    TimeZone::UTC.to_timestamp(time).ok()
}

/// A string literal, for the clauses of COPY and UNLOAD that accept no parameter.
pub(super) fn text(text: &str) -> String {
    format!("'{}'", text.replace('\'', "''"))
}

/// The value of `IAM_ROLE`: an ARN, or the keyword `default`.
pub(super) fn iam_role(role: &str) -> String {
    if role == "default" {
        role.to_owned()
    } else {
        text(role)
    }
}
