//! The keys of objects in the bucket.
//!
//! Times in keys are arrival or decision times in UTC. They spread the keys and help a person to
//! find an object. No code reads a time back from a key.

use jiff::Timestamp;
use jiff::tz::TimeZone;
use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, percent_decode_str, utf8_percent_encode};

use crate::{SequenceNumber, TransactionId};

/// The prefix of the ledger.
pub const PENDING: &str = "pending/";
/// The prefix of the batches: every transaction with its provisional decision.
pub const TRANSACTIONS: &str = "transactions/";
/// The prefix of unreadable items.
pub const REJECTED: &str = "rejected/";
/// The prefix of the labels, which the user writes.
pub const LABELS: &str = "labels/";
/// The prefix of the final decisions, one object per transaction.
pub const OUTCOMES_BY_TRANSACTION: &str = "outcomes/by-transaction/";
/// The prefix of the same final decisions in batches, for COPY.
pub const OUTCOMES_BATCHES: &str = "outcomes/dt=";

/// A batch of transactions. `arrived_at` and `first` belong to its first record, so that a retry of
/// the batch writes the same key.
pub fn transactions(
    arrived_at: Timestamp,
    shard: &str,
    first: SequenceNumber<&str>,
    last: SequenceNumber<&str>,
) -> String {
    let at = TimeZone::UTC.to_datetime(arrived_at);
    format!(
        "transactions/dt={}/hh={:02}/{shard}-{first}-{last}.ndjson.gz",
        at.date(),
        at.hour()
    )
}

/// One unreadable item. `name` is the sequence number of its record, or a hash if the record has
/// none.
pub fn rejected(arrived_at: Timestamp, shard: &str, name: &str, item: u32) -> String {
    format!(
        "rejected/dt={}/{shard}-{name}-{item}.json",
        TimeZone::UTC.to_datetime(arrived_at).date()
    )
}

/// The ledger entry of the statement with this name.
pub fn pending(statement_name: &str) -> String {
    format!("{PENDING}{statement_name}.json")
}

/// The statement name of a ledger entry's key.
pub fn pending_name(key: &str) -> Option<String> {
    Some(key.strip_prefix(PENDING)?.strip_suffix(".json")?.to_owned())
}

/// The final decision on a transaction. The id comes from the producer, so it is percent-encoded.
pub fn outcome(transaction_id: &TransactionId) -> String {
    format!(
        "{OUTCOMES_BY_TRANSACTION}{}.json",
        percent_encoded(transaction_id.as_str())
    )
}

/// The transaction id of the key of a final decision.
pub fn outcome_transaction(key: &str) -> Option<TransactionId> {
    let name = key
        .strip_prefix(OUTCOMES_BY_TRANSACTION)?
        .strip_suffix(".json")?;
    percent_decoded(name).map(TransactionId::from)
}

/// A batch of final decisions, for COPY. `name` distinguishes batches of one day.
pub fn outcomes(decided_at: Timestamp, name: &str) -> String {
    format!(
        "{OUTCOMES_BATCHES}{}/{name}.ndjson.gz",
        TimeZone::UTC.to_datetime(decided_at).date()
    )
}

/// Every byte but letters, digits, `-`, `_` and `.`.
const SEGMENT: &AsciiSet = &NON_ALPHANUMERIC.remove(b'-').remove(b'_').remove(b'.');

/// `text` percent-encoded as one path segment.
fn percent_encoded(text: &str) -> String {
    utf8_percent_encode(text, SEGMENT).to_string()
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
    fn a_retry_of_a_batch_writes_the_same_key() {
        let at: Timestamp = "2026-01-31T23:59:59.9Z".parse().unwrap();
        assert_eq!(
            transactions(at, "000000000003", "495".into(), "499".into()),
            "transactions/dt=2026-01-31/hh=23/000000000003-495-499.ndjson.gz"
        );
        assert_eq!(
            rejected(at, "000000000003", "495", 2),
            "rejected/dt=2026-01-31/000000000003-495-2.json"
        );
        assert_eq!(outcomes(at, "x"), "outcomes/dt=2026-01-31/x.ndjson.gz");
    }

    #[test]
    fn any_transaction_id_is_one_path_segment_and_can_be_read_back() {
        for id in [
            "t-1",
            "../../etc",
            "a/b",
            "50%",
            "ä\"'; DROP TABLE",
            "%2F",
            "a b",
        ] {
            let key = outcome(&id.into());
            assert_eq!(key.matches('/').count(), 2, "{key}");
            assert_eq!(outcome_transaction(&key), Some(id.into()), "{key}");
        }
        assert_eq!(outcome(&"a/b".into()), "outcomes/by-transaction/a%2Fb.json");
        for malformed in ["%", "%4", "%zz", "a%+1", "%FF"] {
            assert_eq!(percent_decoded(malformed), None, "{malformed}");
        }
    }

    #[test]
    fn a_statement_name_can_be_read_from_its_ledger_key() {
        assert_eq!(
            pending_name(&pending("second-look-confirm-0-1-2")).as_deref(),
            Some("second-look-confirm-0-1-2")
        );
        assert_eq!(pending_name("outcomes/x.json"), None);
    }
}
