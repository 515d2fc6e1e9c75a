use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use crate::SequenceNumber;

/// Why a record, or one item of it, can't be read. Never holds a value of the record: these texts
/// are logged.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ReadError {
    #[error("record is empty: expected one JSON object, or several on lines of their own")]
    Empty,
    /// The KPL's magic number, but not what should follow it.
    #[error("KPL frame is broken: {0}")]
    Kpl(&'static str),
    /// Bytes that are no text.
    #[error("not UTF-8 from byte {0} on: transactions are JSON in UTF-8")]
    Utf8(usize),
    /// Text that is no JSON object.
    #[error("not a JSON object: {0}")]
    Json(String),
    /// A JSON object that is no transaction.
    #[error("field `{field}`: {found}, expected {expected}")]
    Field {
        field: String,
        /// What was expected of it.
        expected: &'static str,
        /// What was there instead, in kind.
        found: &'static str,
    },
}

impl ReadError {
    /// How far reading came: `record`, `kpl`, `json` or `transaction`.
    pub const fn stage(&self) -> &'static str {
        match self {
            Self::Empty => "record",
            Self::Kpl(_) => "kpl",
            Self::Utf8(_) | Self::Json(_) => "json",
            Self::Field { .. } => "transaction",
        }
    }
}

/// What is kept of an unreadable item: enough to mend it and send it again.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct RejectedItem {
    /// The Kinesis record's sequence number.
    pub sequence_number: SequenceNumber,
    /// Which item of the record, from 0.
    pub item: u32,
    /// When the stream took the record.
    pub arrived_at: Timestamp,
    pub stage: String,
    pub error: String,
    /// The bytes as they came, base64.
    pub raw: String,
}

impl RejectedItem {
    /// Keeps `raw`, which failed for `why`.
    pub fn new(
        sequence_number: SequenceNumber<&str>,
        item: u32,
        arrived_at: Timestamp,
        why: &ReadError,
        raw: &[u8],
    ) -> Self {
        Self {
            sequence_number: sequence_number.to_owned(),
            item,
            arrived_at,
            stage: why.stage().to_owned(),
            error: why.to_string(),
            raw: STANDARD.encode(raw),
        }
    }
}
