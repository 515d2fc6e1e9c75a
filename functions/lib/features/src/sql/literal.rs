//! SQL literals and expressions for timestamps, durations and texts.

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
