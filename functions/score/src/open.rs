//! From records to columns: opens the records' framing and parses the transactions in them.
//! Unreadable records and items are set aside, each with its reason.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use decision::record::{self, Frame};
use decision::{Batch, Origin, ReadError, RejectedItem, Schema};
use sha2::{Digest, Sha256};

use crate::{Record, Records};

/// Up to this many unreadable items of one record are kept one by one. A record with more is kept
/// whole instead: each item becomes an object of its own, and a record may have half a million
/// lines.
const MAX_ITEMS_KEPT: usize = 100;

/// One unreadable item, or one unreadable record, which becomes one object under `rejected/`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RejectedObject {
    /// The record's sequence number. A record without one gets a digest of its bytes instead.
    pub name: String,
    pub rejected: RejectedItem,
}

/// Opens the framing of each record. The result has one frame for each record, in order: `None`
/// for an unreadable one, which goes to `rejected`.
pub fn open_records<'r>(
    records: &'r Records,
    rejected: &mut Vec<RejectedObject>,
) -> Vec<Option<Frame<'r>>> {
    let mut frames = Vec::with_capacity(records.len());
    for record in records.iter() {
        frames.push(open_record(&record, rejected));
    }
    frames
}

fn open_record<'r>(record: &Record<'r>, rejected: &mut Vec<RejectedObject>) -> Option<Frame<'r>> {
    if let Some(fault) = record.fault {
        rejected.push(RejectedObject::of_faulty_record(record, fault));
        return None;
    }
    match record::open(record.data) {
        Ok(frame) => Some(frame),
        Err(why) => {
            rejected.push(RejectedObject::of_item(record, 0, &why, record.data));
            None
        }
    }
}

/// Parses the transactions in the frames into columns. Unreadable items go to `rejected`.
pub fn read_transactions<'f>(
    schema: &'f Schema,
    records: &Records,
    frames: &'f [Option<Frame<'_>>],
    rejected: &mut Vec<RejectedObject>,
) -> Batch<'f> {
    let mut batch = Batch::with_capacity(schema, frames.len());
    for ((index, record), frame) in (0..).zip(records.iter()).zip(frames) {
        let Some(frame) = frame else { continue };
        let kept_before = rejected.len();
        let mut unreadable = 0;
        for (item, bytes) in (0..).zip(frame.items()) {
            let origin = Origin {
                record: index,
                item,
            };
            if let Err(why) = batch.read(bytes, origin, record.arrived_at) {
                unreadable += 1;
                if unreadable <= MAX_ITEMS_KEPT {
                    rejected.push(RejectedObject::of_item(&record, item, &why, bytes));
                }
            }
        }
        if unreadable > MAX_ITEMS_KEPT {
            rejected.truncate(kept_before + 1);
            if let Some(first) = rejected.last_mut() {
                first.widen_to_record(unreadable, record.data);
            }
        }
    }
    batch
}

impl RejectedObject {
    fn of_faulty_record(record: &Record<'_>, fault: &str) -> Self {
        let name = match record.sequence_number.as_str() {
            "" => digest(record.data),
            number => number.to_owned(),
        };
        Self {
            name,
            rejected: RejectedItem {
                sequence_number: record.sequence_number.to_owned(),
                item: 0,
                arrived_at: record.arrived_at,
                stage: "record".to_owned(),
                error: fault.to_owned(),
                raw: STANDARD.encode(record.data),
            },
        }
    }

    fn of_item(record: &Record<'_>, item: u32, why: &ReadError, raw: &[u8]) -> Self {
        Self {
            name: record.sequence_number.to_string(),
            rejected: RejectedItem::new(record.sequence_number, item, record.arrived_at, why, raw),
        }
    }

    /// Changes the first unreadable item of a record into an object about the whole record.
    fn widen_to_record(&mut self, unreadable: usize, record: &[u8]) {
        let RejectedItem { item, error, .. } = &self.rejected;
        self.rejected.error =
            format!("{unreadable} items are unreadable, the first is item {item}: {error}");
        self.rejected.item = 0;
        "record".clone_into(&mut self.rejected.stage);
        self.rejected.raw = STANDARD.encode(record);
    }
}

/// The first 16 bytes of the SHA-256, in hex.
fn digest(bytes: &[u8]) -> String {
    let mut digest = hex::encode(Sha256::digest(bytes));
    digest.truncate(32);
    digest
}
