//! Values of ours as SQL literals.

use jiff::{SignedDuration, Timestamp};

/// A timestamp as both engines read it, to the microsecond, the warehouse's smallest step.
pub(super) fn timestamp_text(timestamp: Timestamp) -> String {
    format!("{timestamp:.6}")
}

pub(super) fn timestamp(timestamp: Timestamp) -> String {
    format!("CAST('{}' AS TIMESTAMPTZ)", timestamp_text(timestamp))
}

pub(super) fn interval(duration: SignedDuration) -> String {
    format!("INTERVAL '{} seconds'", duration.as_secs())
}

/// The expression `end`, moved back by a duration.
pub(super) fn before(end: &str, duration: SignedDuration) -> String {
    if duration.is_zero() {
        end.to_owned()
    } else {
        format!("{end} - {}", interval(duration))
    }
}

/// A quoted text, for the places of COPY and UNLOAD that take no parameter.
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
