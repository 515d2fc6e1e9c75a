//! From scores to bytes: the lines of the batch's object, the holds, and the records for the stream.

use bundle::{Bundle, FirstScores};
use decision::ledger::hold_group;
use decision::{Action, Batch, DecisionId, Hold, Provisional};
use jiff::Timestamp;
use turns::HourRanges;

use crate::body::Body;
use crate::line::{Line, Place};
use crate::outgoing::Outgoing;
use crate::{DecidedBatch, Publish, Records};

/// The transactions that one bundle judged, with their scores.
#[derive(Debug)]
pub struct Judged<'a> {
    bundle: &'a Bundle,
    batch: &'a Batch<'a>,
    first: FirstScores<'a>,
    next_row: usize,
    /// Names the bundle's holds in this batch.
    hold_group: String,
    holds: u32,
}

impl<'a> Judged<'a> {
    /// `first` has the bundle's scores of the batch.
    pub const fn new(bundle: &'a Bundle, batch: &'a Batch<'a>, first: FirstScores<'a>) -> Self {
        Self {
            bundle,
            batch,
            first,
            next_row: 0,
            hold_group: String::new(),
            holds: 0,
        }
    }

    /// The record of the next row; `None` after the last one.
    fn next_record(&self) -> Option<u32> {
        let is_left = self.next_row < self.batch.len();
        is_left.then(|| self.batch.origin(self.next_row).record)
    }
}

/// The values that all rows of a batch share.
struct Encoder<'e> {
    records: &'e Records,
    publish: Publish,
    now: Timestamp,
    /// `now` as text.
    decided_at: String,
    body: Body,
    outgoing: Outgoing,
    holds: Vec<Hold>,
}

impl DecidedBatch {
    /// Turns scores into decisions, in the order of the shard, and serialises them.
    pub fn encode(
        &mut self,
        records: &Records,
        mut judged: Vec<Judged<'_>>,
        publish: Publish,
        now: Timestamp,
    ) {
        self.transactions = judged.iter().map(|judged| judged.batch.len()).sum();
        if self.transactions == 0 {
            return;
        }
        let name = records.name(self.records).map(|name| name.to_string());
        let name = name.unwrap_or_default();
        for judged in &mut judged {
            judged.hold_group = hold_group(&name, judged.bundle.version());
        }
        let batches = judged.iter().map(|judged| judged.batch);
        let body = Body::new(batches.clone());
        let timestamps = batches.flat_map(Batch::timestamps);
        self.hours = HourRanges::from_timestamps(timestamps.copied());
        let mut encoder = Encoder {
            records,
            publish,
            now,
            decided_at: now.to_string(),
            body,
            outgoing: Outgoing::default(),
            holds: Vec::new(),
        };
        // A record is judged by one bundle, so no two groups have rows of the same record.
        let next = |judged: &&mut Judged<'_>| judged.next_record().unwrap_or(u32::MAX);
        while let Some(judged) = judged.iter_mut().min_by_key(next)
            && judged.next_record().is_some()
        {
            encoder.add_next(judged);
        }
        self.holds = encoder.holds;
        self.outgoing_records = encoder.outgoing.firsts;
        self.outgoing = encoder.outgoing.records;
        self.body = encoder.body.finish();
    }
}

impl Encoder<'_> {
    fn add_next(&mut self, judged: &mut Judged<'_>) {
        let row = judged.next_row;
        judged.next_row += 1;
        let Judged {
            bundle,
            batch,
            first,
            ..
        } = *judged;
        let origin = batch.origin(row);
        let (Some(record), Some(&score), Some(&missing)) = (
            self.records.get(origin.record as usize),
            first.scores.get(row),
            first.missing.get(row),
        ) else {
            return;
        };
        let policy = bundle.policy();
        let action = policy.provisional(score);
        let is_hold = action == Action::Hold;
        // INVARIANT: the decision depends only on the record and its bundle, so that a redelivery
        // repeats it. A hold that is placed late has a later deadline.
        let deadline = is_hold.then(|| policy.deadline(record.arrived_at, self.now));
        let reasons = match is_hold {
            true => bundle.first_reasons(batch, row),
            false => Vec::new(),
        };
        let decision = Provisional {
            batch,
            row,
            decision_id: DecisionId {
                shard: self.records.shard(),
                sequence_number: record.sequence_number,
                item: origin.item,
            },
            identity: batch.identity(row),
            arrived_at: record.arrived_at,
            action,
            score,
            reasons: &reasons,
            bundle_version: bundle.version(),
            decided_at: self.now,
            deadline,
            degraded: bundle.degraded(missing),
        };
        let place = is_hold.then_some(Place {
            group: &judged.hold_group,
            index: judged.holds,
        });
        self.body.push_line(&Line {
            decision: &decision,
            decided_at: &self.decided_at,
            place,
        });
        if let Some(deadline) = deadline {
            judged.holds += 1;
            let profile = bundle.profile_numbers(batch, row);
            self.holds.push(Hold::place(&decision, profile, deadline));
        }
        match (self.publish, is_hold) {
            (_, true) | (Publish::EachDecision, _) => self.outgoing.push_alone(&decision, origin),
            (Publish::AllDecisions, false) => self.outgoing.push_packed(&decision, origin),
            (Publish::HoldsOnly, false) => {}
        }
    }
}
