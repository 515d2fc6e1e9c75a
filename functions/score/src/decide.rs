//! Decides on a batch, without a clock, a network or state. The function, `look score` and the
//! benchmark all run this code.

use bundle::{Bundle, FirstScores, Scratch};
use decision::{Action, Batch, DecisionId, Hold, Provisional, micros};
use jiff::Timestamp;
use store::StreamRecord;

use crate::Records;
use crate::body::Body;
use crate::open::{RejectedObject, open_records, read_transactions};

/// Which provisional decisions go to the stream.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Publish {
    AllDecisions,
    HoldsOnly,
}

/// All that the handler has to write and publish for one batch.
#[derive(Clone, Debug, Default)]
pub struct DecidedBatch {
    /// How many transactions were readable. Each of them has a decision.
    pub transactions: usize,
    /// The transactions with their decisions: NDJSON, gzip. Empty if there is no transaction.
    pub body: Vec<u8>,
    /// The decisions to publish, in the order of the shard.
    pub outgoing: Vec<StreamRecord>,
    /// For each decision in `outgoing`, the index of its record in the batch.
    pub outgoing_records: Vec<u32>,
    pub holds: Vec<Hold>,
    pub rejected: Vec<RejectedObject>,
}

/// Decides on each transaction of the batch. `now` becomes `decided_at` and influences nothing
/// else.
pub fn decide(
    bundle: &Bundle,
    records: &Records,
    publish: Publish,
    now: Timestamp,
) -> DecidedBatch {
    let mut decided = DecidedBatch::default();
    let frames = open_records(records, &mut decided.rejected);
    let batch = read_transactions(bundle.schema(), records, &frames, &mut decided.rejected);
    let mut scratch = Scratch::default();
    let first = bundle.first_scores(&batch, &mut scratch);
    decided.add_decisions(bundle, records, &batch, first, publish, micros(now));
    decided
}

impl DecidedBatch {
    /// Turns the scores of `batch` into decisions and serialises them.
    pub fn add_decisions(
        &mut self,
        bundle: &Bundle,
        records: &Records,
        batch: &Batch<'_>,
        first: FirstScores<'_>,
        publish: Publish,
        now: Timestamp,
    ) {
        self.transactions = batch.len();
        if batch.is_empty() {
            return;
        }
        let policy = bundle.policy();
        let decided_at = now.to_string();
        let mut body = Body::new(batch);
        let scores = first.scores.iter().zip(first.missing).take(batch.len());
        for (row, (&score, &missing)) in scores.enumerate() {
            let origin = batch.origin(row);
            let Some(record) = records.get(origin.record as usize) else {
                continue;
            };
            let action = policy.provisional(score);
            let held = action == Action::Hold;
            let reasons = if held {
                bundle.first_reasons(batch, row)
            } else {
                Vec::new()
            };
            // INVARIANT: a deadline, like every field but `decided_at`, depends only on the record
            // and the bundle, so that a redelivery repeats it.
            let deadline = record
                .arrived_at
                .saturating_add(policy.hold_deadline())
                .unwrap_or(Timestamp::MAX);
            let decision = Provisional {
                batch,
                row,
                decision_id: DecisionId {
                    shard: records.shard(),
                    sequence_number: record.sequence_number,
                    item: origin.item,
                },
                action,
                score,
                reasons: &reasons,
                model_version: bundle.version(),
                decided_at: now,
                deadline: held.then_some(deadline),
                degraded: bundle.degraded(missing),
            };
            body.push_line(&decision, &decided_at);
            if held {
                self.holds.push(Hold::place(&decision, deadline));
            }
            if held || publish == Publish::AllDecisions {
                // Each decision is a stream record of its own: both fields must be allocated.
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
