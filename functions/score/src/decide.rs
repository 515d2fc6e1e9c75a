//! Decides on a batch, without a clock, a network or state. The function, `look score` and the
//! benchmark all run this code.

use std::panic::{AssertUnwindSafe, catch_unwind};

use bundle::{Bundle, MissingProfiles, Scratch};
use decision::{Hold, RejectedItem, micros};
use jiff::Timestamp;
use store::StreamRecord;
use turns::HourRanges;

use crate::encode::Judged;
use crate::open::{open_records, read_transactions};
use crate::{BundleLookup, Fault, Records};

/// Which provisional decisions go to the stream, and how.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Publish {
    /// Approvals too, several in a record.
    AllDecisions,
    HoldsOnly,
    /// All decisions in the order of the batch, each in a record of its own.
    EachDecision,
}

/// All that the handler has to write and publish for one batch.
#[derive(Clone, Debug, Default)]
pub struct DecidedBatch {
    /// How many records were handled, from the first one on. The others exceed
    /// [`MAX_ITEMS`](crate::MAX_ITEMS) and must be delivered again.
    pub records: usize,
    /// How many transactions were readable. Each of them has a decision.
    pub transactions: usize,
    /// The transactions with their decisions: NDJSON, gzip. Empty if there is no transaction.
    pub body: Vec<u8>,
    /// The hours that the transactions span.
    pub hours: HourRanges,
    /// The decisions to publish, in the order of the shard.
    pub outgoing: Vec<StreamRecord>,
    /// For each record in `outgoing`, the index of the batch's first record with a decision in it.
    /// Ascending.
    pub outgoing_records: Vec<u32>,
    /// In the order of the shard.
    pub holds: Vec<Hold>,
    /// In the order of the shard.
    pub rejected: Vec<RejectedItem>,
    /// How many transactions were judged with profiles that newer ones should have replaced.
    pub stale: usize,
}

/// Decides on each transaction of the batch. `now` becomes `decided_at`; a hold that is placed late
/// has a later deadline. It influences nothing else.
///
/// A record that makes the code panic is rejected, and no other. The scores of a batch are computed
/// together, so after a panic each record is judged alone to find which one it is.
///
/// # Panics
/// If the batch panics and none of its records does so alone.
pub fn decide(
    bundles: &impl BundleLookup,
    records: &Records,
    publish: Publish,
    now: Timestamp,
) -> DecidedBatch {
    let judge = |records: &Records| judge(bundles, records, publish, now);
    // The state that a panic leaves behind is dropped.
    let caught = |records: &Records| catch_unwind(AssertUnwindSafe(|| judge(records))).ok();
    if let Some(decided) = caught(records) {
        return decided;
    }
    let mut marked = records.clone();
    for (index, record) in records.iter().enumerate() {
        if caught(&records.only(index)).is_none() {
            tracing::error!(
                shard = records.shard(),
                sequence_number = record.sequence_number.as_str(),
                "a record makes score panic and is rejected"
            );
            marked.set_fault(index, Some(Fault::Panic));
        }
    }
    judge(&marked)
}

/// The records of a batch that one bundle judges.
struct Group<'b> {
    bundle: &'b Bundle,
    /// Ascending indices.
    records: Vec<u32>,
}

fn judge(
    bundles: &impl BundleLookup,
    records: &Records,
    publish: Publish,
    now: Timestamp,
) -> DecidedBatch {
    let mut rejections = Vec::new();
    let frames = open_records(records, &mut rejections);
    let is_open = |&index: &u32| matches!(frames.get(index as usize), Some(Some(_)));
    let groups = groups(bundles, records, (0..frames.len() as u32).filter(is_open));

    let mut batches = Vec::with_capacity(groups.len());
    for Group {
        bundle,
        records: indices,
    } in &groups
    {
        let schema = bundle.schema();
        batches.push(read_transactions(
            schema,
            records,
            &frames,
            indices,
            &mut rejections,
        ));
    }
    let mut scratches = vec![Scratch::default(); groups.len()];
    let mut judged = Vec::with_capacity(groups.len());
    let mut stale = 0;
    for ((group, batch), scratch) in groups.iter().zip(&batches).zip(&mut scratches) {
        let first = group.bundle.first_scores(batch, scratch);
        let is_stale = |missing: &&MissingProfiles| group.bundle.has_stale_profiles(**missing);
        stale += first.missing.iter().filter(is_stale).count();
        judged.push(Judged::new(group.bundle, batch, first));
    }

    rejections.sort_by_key(|rejection| (rejection.record, rejection.item.item));
    let mut decided = DecidedBatch {
        records: frames.len(),
        stale,
        rejected: rejections
            .into_iter()
            .map(|rejection| rejection.item)
            .collect(),
        ..DecidedBatch::default()
    };
    decided.encode(records, judged, publish, micros(now));
    decided
}

fn groups<'b>(
    bundles: &'b impl BundleLookup,
    records: &Records,
    indices: impl Iterator<Item = u32>,
) -> Vec<Group<'b>> {
    let mut groups: Vec<Group<'b>> = Vec::with_capacity(1);
    for index in indices {
        let Some(record) = records.get(index as usize) else {
            continue;
        };
        let bundle = bundles.bundle_at(record.arrived_at);
        let same = |group: &&mut Group<'b>| group.bundle.version() == bundle.version();
        match groups.iter_mut().find(same) {
            Some(group) => group.records.push(index),
            None => groups.push(Group {
                bundle,
                records: vec![index],
            }),
        }
    }
    groups
}
