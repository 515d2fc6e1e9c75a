use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use crate::SequenceNumber;

/// Why a record or an item can't be read. The texts are logged, so they never contain a value of
/// the record.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ReadError {
    #[error("record is empty: expected one JSON object, or several on lines of their own")]
    Empty,
    /// A KPL magic number without a valid frame behind it.
    #[error("KPL frame is broken: {0}")]
    Kpl(&'static str),
    #[error("not UTF-8 from byte {0} on: transactions are JSON in UTF-8")]
    Utf8(usize),
    #[error("not a JSON object: {0}")]
    Json(String),
    #[error("field `{field}`: {found}, expected {expected}")]
    Field {
        field: String,
        expected: &'static str,
        /// The kind of the value, never the value itself.
        found: &'static str,
    },
}

impl ReadError {
    /// The stage at which reading failed: `record`, `kpl`, `json` or `transaction`.
    pub const fn stage(&self) -> &'static str {
        match self {
            Self::Empty => "record",
            Self::Kpl(_) => "kpl",
            Self::Utf8(_) | Self::Json(_) => "json",
            Self::Field { .. } => "transaction",
        }
    }
}

/// An unreadable item as it is stored: enough to repair it and send it again.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct RejectedItem {
    /// The Kinesis record's sequence number.
    pub sequence_number: SequenceNumber,
    /// The index of the item in the record, from 0.
    pub item: u32,
    /// When Kinesis accepted the record.
    pub arrived_at: Timestamp,
    /// See [`ReadError::stage`]. Also `panic`, for a record that made our code panic.
    pub stage: String,
    pub error: String,
    /// The original bytes in base64.
    pub raw: String,
}

impl RejectedItem {
    /// The item `raw`, which failed with `why`.
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
