//! From records to columns: opens the records' framing and parses the transactions in them.
//! Unreadable records and items are set aside, each with its reason.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use decision::record::{self, Frame};
use decision::{Batch, Origin, ReadError, RejectedItem, Schema};

use crate::{Fault, Record, Records};

/// The most items that one invocation handles, readable or not. The rest of the batch goes back.
///
/// More than the 10,000 records that Lambda puts into a batch, so that a usual batch is never cut.
/// If every item becomes a hold, a shard of the decisions stream accepts them in 20 seconds, at
/// 1,000 records a second; the function has 60.
pub const MAX_ITEMS: usize = 20_000;

/// Up to this many unreadable items of one record are kept one by one. A record with more is kept
/// whole instead: it may have half a million lines, and each would be longer in `rejected/`.
const MAX_ITEMS_KEPT: usize = 100;

/// One unreadable item, or one unreadable record.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Rejection {
    /// The index of the record in its batch.
    pub record: u32,
    pub item: RejectedItem,
}

/// Opens the framing of each record, up to the first one that would exceed [`MAX_ITEMS`]. The
/// result has one frame for each record opened: `None` for an unreadable one, which goes to
/// `rejected`.
pub fn open_records<'r>(
    records: &'r Records,
    rejected: &mut Vec<Rejection>,
) -> Vec<Option<Frame<'r>>> {
    let mut frames = Vec::with_capacity(records.len());
    let mut items = 0;
    let mut named = false;
    for (index, record) in (0..).zip(records.iter()) {
        let opened = open_record(index, &record);
        items += opened.as_ref().map_or(1, |frame| frame.items().count());
        // INVARIANT: a response can name the first record that goes back, and the objects of the
        // batch are named after the records before it. A single record is handled with any
        // number of items.
        if items > MAX_ITEMS && named && record.has_sequence_number() {
            break;
        }
        named |= record.has_sequence_number();
        match opened {
            Ok(frame) => frames.push(Some(frame)),
            Err(rejection) => {
                frames.push(None);
                rejected.push(*rejection);
            }
        }
    }
    frames
}

fn open_record<'r>(index: u32, record: &Record<'r>) -> Result<Frame<'r>, Box<Rejection>> {
    if let Some(fault) = record.fault {
        return Err(Box::new(Rejection::of_faulty_record(index, record, fault)));
    }
    record::open(record.data).map_err(|why| {
        let origin = Origin {
            record: index,
            item: 0,
        };
        Box::new(Rejection::of_item(origin, record, &why, record.data))
    })
}

/// Parses the transactions of the records with these indices into columns. Unreadable items go to
/// `rejected`.
pub fn read_transactions<'f>(
    schema: &'f Schema,
    records: &Records,
    frames: &'f [Option<Frame<'_>>],
    indices: &[u32],
    rejected: &mut Vec<Rejection>,
) -> Batch<'f> {
    let mut batch = Batch::with_capacity(schema, indices.len());
    for &index in indices {
        let frame = frames.get(index as usize).and_then(Option::as_ref);
        if let (Some(frame), Some(record)) = (frame, records.get(index as usize)) {
            read_record(&mut batch, frame, index, &record, rejected);
        }
    }
    batch
}

fn read_record<'f>(
    batch: &mut Batch<'f>,
    frame: &'f Frame<'_>,
    index: u32,
    record: &Record<'_>,
    rejected: &mut Vec<Rejection>,
) {
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
                rejected.push(Rejection::of_item(origin, record, &why, bytes));
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

impl Rejection {
    fn of_faulty_record(index: u32, record: &Record<'_>, fault: Fault) -> Self {
        Self {
            record: index,
            item: RejectedItem {
                sequence_number: record.sequence_number.to_owned(),
                item: 0,
                arrived_at: record.arrived_at,
                stage: fault.stage().to_owned(),
                error: fault.to_string(),
                raw: STANDARD.encode(record.data),
            },
        }
    }

    fn of_item(origin: Origin, record: &Record<'_>, why: &ReadError, raw: &[u8]) -> Self {
        let number = record.sequence_number;
        Self {
            record: origin.record,
            item: RejectedItem::new(number, origin.item, record.arrived_at, why, raw),
        }
    }

    /// Changes the first unreadable item of a record into one about the whole record.
    fn widen_to_record(&mut self, unreadable: usize, record: &[u8]) {
        let RejectedItem { item, error, .. } = &self.item;
        self.item.error =
            format!("{unreadable} items are unreadable, the first is item {item}: {error}");
        self.item.item = 0;
        "record".clone_into(&mut self.item.stage);
        self.item.raw = STANDARD.encode(record);
    }
}
