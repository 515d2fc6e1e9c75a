//! Everything that is thought about a batch: no clock, no network, no state. The function, `look
//! score` and the benchmark run this very code.

use std::io::{self, Write};

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use bundle::{Bundle, FirstScores, Scratch};
use decision::record::Frame;
use decision::{
    Action, Batch, DecisionId, Hold, Origin, Provisional, ReadError, RejectedItem, Schema, micros,
    record,
};
use flate2::Compression;
use flate2::write::GzEncoder;
use jiff::Timestamp;
use sha2::{Digest, Sha256};
use store::StreamRecord;

use crate::{Records, line};

/// How many unreadable items of one record are kept one by one; beyond, the record is kept whole. Each
/// is an object of its own, and a record may have half a million lines.
const ITEMS_KEPT: usize = 100;

/// What is to be done about a batch.
#[derive(Clone, Debug, Default)]
pub struct Judged {
    /// Number of transactions that could be read and were decided on.
    pub transactions: usize,
    /// All of them with their decisions: NDJSON, gzip. Empty if there is none.
    pub body: Vec<u8>,
    /// Decisions to publish, in the order of the shard.
    pub outgoing: Vec<StreamRecord>,
    /// For each of them, the index of the record that it came in.
    pub outgoing_records: Vec<u32>,
    /// The holds among the decisions.
    pub holds: Vec<Hold>,
    /// What could not be read.
    pub rejected: Vec<Unread>,
}

/// One item that could not be read.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Unread {
    /// What its object is named after: the sequence number, or a digest of the bytes where there is none.
    pub name: String,
    /// What is kept of it.
    pub rejected: RejectedItem,
}

/// The records with their wrapping taken off, in order; none where that could not be done.
pub fn unwrap<'r>(records: &'r Records, rejected: &mut Vec<Unread>) -> Vec<Option<Frame<'r>>> {
    let mut frames = Vec::with_capacity(records.len());
    for found in records.iter() {
        let frame = match found.wrong {
            Some(wrong) => {
                let name = match found.sequence_number.as_str() {
                    "" => Sha256::digest(found.data)
                        .iter()
                        .take(16)
                        .map(|byte| format!("{byte:02x}"))
                        .collect(),
                    number => number.to_owned(),
                };
                rejected.push(Unread {
                    name,
                    rejected: RejectedItem {
                        sequence_number: found.sequence_number.to_owned(),
                        item: 0,
                        arrived_at: found.arrived_at,
                        stage: "record".to_owned(),
                        error: wrong.to_owned(),
                        raw: STANDARD.encode(found.data),
                    },
                });
                None
            }
            None => match record::open(found.data) {
                Ok(frame) => Some(frame),
                Err(why) => {
                    rejected.push(Unread::new(&found, 0, &why, found.data));
                    None
                }
            },
        };
        frames.push(frame);
    }
    frames
}

/// The transactions in the frames, as columns; what can't be read goes to `rejected`.
pub fn read<'f>(
    schema: &'f Schema,
    records: &Records,
    frames: &'f [Option<Frame<'_>>],
    rejected: &mut Vec<Unread>,
) -> Batch<'f> {
    let mut batch = Batch::with_capacity(schema, frames.len());
    for ((index, found), frame) in (0..).zip(records.iter()).zip(frames) {
        let (before, mut unread) = (rejected.len(), 0);
        for (item, bytes) in (0..).zip(frame.iter().flat_map(Frame::items)) {
            if let Err(why) = batch.read(
                bytes,
                Origin {
                    record: index,
                    item,
                },
                found.arrived_at,
            ) {
                unread += 1;
                if unread <= ITEMS_KEPT {
                    rejected.push(Unread::new(&found, item, &why, bytes));
                }
            }
        }
        if unread > ITEMS_KEPT {
            rejected.truncate(before + 1);
            if let Some(first) = rejected.last_mut() {
                first.becomes_of_many(unread, found.data);
            }
        }
    }
    batch
}

impl Unread {
    fn new(found: &crate::Record<'_>, item: u32, why: &ReadError, raw: &[u8]) -> Self {
        let rejected = RejectedItem::new(found.sequence_number, item, found.arrived_at, why, raw);
        Self {
            name: found.sequence_number.to_string(),
            rejected,
        }
    }

    /// Stands for the whole record, of which so many items can't be read, this having been the first.
    fn becomes_of_many(&mut self, unread: usize, record: &[u8]) {
        let RejectedItem { item, error, .. } = &self.rejected;
        self.rejected.error =
            format!("{unread} items can't be read, the first is item {item}: {error}");
        self.rejected.item = 0;
        "record".clone_into(&mut self.rejected.stage);
        self.rejected.raw = STANDARD.encode(record);
    }
}

/// Judges a batch. `now` is written in the decisions as the time they were made at, and decides nothing.
pub fn judge(
    bundle: &Bundle,
    records: &Records,
    publish_approvals: bool,
    now: Timestamp,
) -> Judged {
    let now = micros(now);
    let mut judged = Judged::default();
    let frames = unwrap(records, &mut judged.rejected);
    let batch = read(bundle.schema(), records, &frames, &mut judged.rejected);
    let mut scratch = Scratch::default();
    let first = bundle.first_scores(&batch, &mut scratch);
    judged.decide(bundle, records, &batch, first, publish_approvals, now);
    judged
}

impl Judged {
    /// Turns scores into decisions, and decisions into bytes.
    pub fn decide(
        &mut self,
        bundle: &Bundle,
        records: &Records,
        batch: &Batch<'_>,
        first: FirstScores<'_>,
        publish_approvals: bool,
        now: Timestamp,
    ) {
        self.transactions = batch.len();
        if batch.is_empty() {
            return;
        }
        let (policy, decided_at) = (bundle.policy(), now.to_string());
        let mut body = Body::new(batch);
        for (row, (&score, &lacking)) in first
            .scores
            .iter()
            .zip(first.lacking)
            .enumerate()
            .take(batch.len())
        {
            let origin = batch.origin(row);
            let Some(found) = records.get(origin.record as usize) else {
                continue;
            };
            let action = policy.provisional(score);
            let held = action == Action::Hold;
            let reasons = if held {
                bundle.first_reasons(batch, row)
            } else {
                Vec::new()
            };
            // INVARIANT: a deadline, like everything but `decided_at`, comes from the record and the
            // bundle alone, so that a redelivery repeats it.
            let deadline = found
                .arrived_at
                .saturating_add(policy.hold_deadline())
                .unwrap_or(Timestamp::MAX);
            let decision = Provisional {
                batch,
                row,
                decision_id: DecisionId {
                    shard: records.shard(),
                    sequence_number: found.sequence_number,
                    item: origin.item,
                },
                action,
                score,
                reasons: &reasons,
                model_version: bundle.version(),
                decided_at: now,
                deadline: held.then_some(deadline),
                degraded: bundle.degraded(lacking),
            };
            body.line(&decision, &decided_at);
            if held {
                self.holds.push(Hold::place(&decision, deadline));
            }
            if held || publish_approvals {
                // Each decision is a record of its own on the stream, so these two are allocated for each.
                let data = serde_json::to_vec(&decision).unwrap_or_default();
                self.outgoing.push(StreamRecord {
                    partition_key: batch.partition_key(row).to_owned(),
                    data,
                });
                self.outgoing_records.push(origin.record);
            }
        }
        self.body = body.finish();
    }
}

/// The S3 object in the making. Lines are gathered and compressed some at a time.
struct Body {
    lines: Vec<u8>,
    gzip: GzEncoder<Vec<u8>>,
}

impl Body {
    const GATHERED: usize = 64 * 1024;

    fn new(batch: &Batch<'_>) -> Self {
        // A line has about 300 bytes of its own, and shrinks to a fifth.
        let estimate: usize = (0..batch.len()).map(|row| batch.raw(row).len() + 300).sum();
        let gzip = GzEncoder::new(Vec::with_capacity(estimate / 4 + 256), Compression::fast());
        Self {
            lines: Vec::with_capacity(Self::GATHERED * 2),
            gzip,
        }
    }

    fn line(&mut self, decision: &Provisional<'_>, decided_at: &str) {
        let written = line::write(&mut self.lines, decision, decided_at);
        debug_assert!(written.is_ok(), "writing into a Vec cannot fail");
        if self.lines.len() >= Self::GATHERED {
            let compressed = self.compress();
            debug_assert!(compressed.is_ok(), "writing into a Vec cannot fail");
        }
    }

    fn compress(&mut self) -> io::Result<()> {
        self.gzip.write_all(&self.lines)?;
        self.lines.clear();
        Ok(())
    }

    fn finish(mut self) -> Vec<u8> {
        // INVARIANT: writing into a Vec cannot fail.
        let finished = self.compress().and_then(|()| self.gzip.finish());
        finished.unwrap_or_default()
    }
}
