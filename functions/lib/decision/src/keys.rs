//! The keys of objects in the bucket.
//!
//! Times in keys are in UTC. `<batch>` stands for `<shard>-<first>-<last>`: the shard and the first
//! and last sequence number of the batch.

use jiff::Timestamp;
use jiff::civil::DateTime;
use jiff::tz::TimeZone;
use percent_encoding::percent_decode_str;

use crate::Identity;

/// The version of the bucket's layout. A function that finds another version refuses to start.
pub const FORMAT: &str = "format.json";
/// The prefix of the batches: every transaction with its provisional decision.
pub const TRANSACTIONS: &str = "transactions/";
/// The prefix of unreadable items.
pub const REJECTED: &str = "rejected/";
/// The prefix of the ledger.
pub const LEDGER: &str = "holds/";
/// The prefix of the labels, which the user writes.
pub const LABELS: &str = "labels/";
/// The prefix of the outcomes, one object per identity.
pub const OUTCOMES: &str = "outcomes/by-transaction/";
/// The prefix of the final decisions in slices, for COPY.
pub const OUTCOME_SLICES: &str = "outcomes/dt=";
/// The prefix of rows and objects that the warehouse refused.
pub const QUARANTINE: &str = "quarantine/";

/// A batch of transactions. `arrived_at` belongs to its first record, so that a retry of the batch
/// writes the same key.
pub fn transactions(arrived_at: Timestamp, batch: &str) -> String {
    let at = TimeZone::UTC.to_datetime(arrived_at);
    format!(
        "{TRANSACTIONS}dt={}/hh={:02}/{batch}.ndjson.gz",
        at.date(),
        at.hour()
    )
}

/// The unreadable items of a batch.
pub fn rejected(arrived_at: Timestamp, batch: &str) -> String {
    let date = TimeZone::UTC.to_datetime(arrived_at).date();
    format!("{REJECTED}dt={date}/{batch}.ndjson.gz")
}

/// The ledger object of a batch. `due` is the earliest deadline of its holds.
pub fn ledger(due: Timestamp, batch: &str) -> String {
    format!("{LEDGER}{}/{batch}.ndjson", minute(due))
}

/// The due minute of a ledger object.
pub fn ledger_due(key: &str) -> Option<Timestamp> {
    let (due, _) = key.strip_prefix(LEDGER)?.split_once('/')?;
    parse_minute(due)
}

/// The batch of a ledger object.
pub fn ledger_batch(key: &str) -> Option<&str> {
    let (_, name) = key.strip_prefix(LEDGER)?.split_once('/')?;
    name.strip_suffix(".ndjson")
}

/// The outcome of the transaction with this identity.
pub fn outcome(identity: Identity) -> String {
    let digits = identity.to_string();
    let first = digits.get(..2).unwrap_or_default();
    format!("{OUTCOMES}{first}/{digits}.json")
}

/// The identity of an outcome.
pub fn outcome_identity(key: &str) -> Option<Identity> {
    let (_, name) = key.strip_prefix(OUTCOMES)?.split_once('/')?;
    Identity::parse(name.strip_suffix(".json")?)
}

/// A slice of final decisions, for COPY. `name` distinguishes the slices of one day.
pub fn outcome_slice(decided_at: Timestamp, name: &str) -> String {
    let date = TimeZone::UTC.to_datetime(decided_at).date();
    format!("{OUTCOME_SLICES}{date}/{name}.ndjson.gz")
}

/// A timestamp to the minute, such as `20261127T1649`. Texts sort as the timestamps do.
pub fn minute(timestamp: Timestamp) -> String {
    let time = TimeZone::UTC.to_datetime(timestamp);
    time.strftime("%Y%m%dT%H%M").to_string()
}

/// Reads what [`minute`] wrote.
pub fn parse_minute(text: &str) -> Option<Timestamp> {
    let time = DateTime::strptime("%Y%m%dT%H%M", text).ok()?;
    TimeZone::UTC.to_timestamp(time).ok()
}

/// `None` if a `%` is not followed by two hexadecimal digits, or if the bytes are not UTF-8.
pub fn percent_decoded(encoded: &str) -> Option<String> {
    // The crate passes a malformed escape through unchanged, which would name another object.
    let mut escapes = encoded.split('%').skip(1);
    let is_hex = |escape: &str| {
        let digits = escape.as_bytes().get(..2);
        digits.is_some_and(|digits| digits.iter().all(u8::is_ascii_hexdigit))
    };
    if !escapes.all(is_hex) {
        return None;
    }
    let text = percent_decode_str(encoded).decode_utf8().ok()?;
    Some(text.into_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_retry_of_a_batch_writes_the_same_keys() {
        let at: Timestamp = "2026-01-31T23:59:59.9Z".parse().unwrap();
        let batch = "000000000003-495-499";
        assert_eq!(
            transactions(at, batch),
            "transactions/dt=2026-01-31/hh=23/000000000003-495-499.ndjson.gz"
        );
        assert_eq!(
            rejected(at, batch),
            "rejected/dt=2026-01-31/000000000003-495-499.ndjson.gz"
        );
        assert_eq!(outcome_slice(at, "x"), "outcomes/dt=2026-01-31/x.ndjson.gz");
    }

    #[test]
    fn a_ledger_key_says_when_its_batch_is_due() {
        let due: Timestamp = "2026-01-31T23:59:59.9Z".parse().unwrap();
        let key = ledger(due, "000000000003-495-499");
        assert_eq!(key, "holds/20260131T2359/000000000003-495-499.ndjson");
        assert_eq!(
            ledger_due(&key),
            Some("2026-01-31T23:59:00Z".parse().unwrap())
        );
        assert_eq!(ledger_batch(&key), Some("000000000003-495-499"));
        assert_eq!(ledger_due("outcomes/x"), None);
    }

    #[test]
    fn an_outcome_is_found_by_its_identity() {
        let identity = Identity::new("a/b", Timestamp::UNIX_EPOCH, 1.0, ["c"]);
        let key = outcome(identity);
        assert_eq!(outcome_identity(&key), Some(identity));
        assert_eq!(key.len(), OUTCOMES.len() + 3 + 32 + 5, "{key}");
    }

    #[test]
    fn a_malformed_escape_is_refused() {
        assert_eq!(percent_decoded("a%2Fb").as_deref(), Some("a/b"));
        for malformed in ["%", "%4", "%zz", "a%+1", "%FF"] {
            assert_eq!(percent_decoded(malformed), None, "{malformed}");
        }
    }
}
