//! The traffic: transactions without bodies, and real holds.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use decision::{Action, Entities, Hold, Identity, Policy};
use jiff::Timestamp;
use score::{BatchName, DecidedBatch, RESERVE};
use simulation::Invocation;
use store::StreamRecord;
use tokio::time::{Instant, sleep, sleep_until};
use turns::HourRanges;

use crate::stack::Stack;

/// The bytes of one transaction in a batch's object. Real ones have about 210, and a turn may take
/// 4 GB: its other limits are reached first.
pub(crate) const ROW_BYTES: u64 = 1;
/// The bytes of a published hold.
const DECISION_BYTES: usize = 550;
const HOLD_SHARE: f64 = 0.02;
const HOLD_SECONDS: u64 = 60;
/// The most records of a batch: Lambda's limit of 6 MB ends batches of 430 bytes a record there.
const BATCH_RECORDS: u64 = 5_000;

/// The traffic of each shard.
#[derive(Clone, Debug)]
pub(crate) struct Traffic {
    pub(crate) per_second: f64,
    /// How long Lambda gathers records. It polls once a second anyway.
    pub(crate) window: Duration,
    /// Set when the traffic ends.
    pub(crate) stop: Arc<AtomicBool>,
}

/// One shard of the stream with the producers that write to it.
struct Shard {
    stack: Arc<Stack>,
    name: String,
    records: u64,
    holds: f64,
}

/// The records of one invocation.
struct Batch {
    records: u64,
    from: Timestamp,
    to: Timestamp,
}

/// Sends traffic through one shard, until it is stopped. Returns the number of batches.
pub(crate) async fn run_shard(stack: Arc<Stack>, number: u32, traffic: Traffic) -> u64 {
    let period = traffic.window.max(stack.latencies.polling);
    sleep(period.mul_f64(fastrand::f64())).await;
    let mut shard = Shard {
        name: format!("{number:012}"),
        stack,
        records: 0,
        holds: 0.0,
    };
    let mut from = Instant::now();
    let mut batches = 0;
    while !traffic.stop.load(Ordering::Relaxed) {
        sleep_until(from + period).await;
        let to = Instant::now();
        let records = (traffic.per_second * (to - from).as_secs_f64()).round() as u64;
        let parts = records.div_ceil(BATCH_RECORDS).max(1);
        let clock = shard.stack.clock;
        let time = (to - from).div_f64(parts as f64);
        let first = clock.now() - (to - from);
        for part in 0..parts {
            shard
                .batch(Batch {
                    records: records / parts,
                    from: first + time.mul_f64(part as f64),
                    to: first + time.mul_f64(part as f64 + 1.0),
                })
                .await;
            batches += 1;
        }
        from = to;
    }
    batches
}

impl Shard {
    /// Delivers a batch to score, until it succeeds.
    async fn batch(&mut self, batch: Batch) {
        let stack = Arc::clone(&self.stack);
        let first = sequence_number(self.records);
        self.records += batch.records;
        let last = sequence_number(self.records - 1);
        sleep(stack.latencies.judging * batch.records as u32).await;
        let decided = self.decide(&batch, &first);
        let stop = Instant::now() + stack.score.timeout - RESERVE;
        let name = BatchName {
            arrived_at: batch.from,
            shard: &self.name,
            first: &first,
            last: &last,
        };
        loop {
            let work = stack.system.carry_out(name, decided.clone(), stop);
            if stack.score.invoke(work).await == Invocation::Succeeded {
                return;
            }
        }
    }

    fn decide(&mut self, batch: &Batch, first: &str) -> DecidedBatch {
        self.holds += batch.records as f64 * HOLD_SHARE;
        let count = self.holds as usize;
        self.holds -= count as f64;
        let now = self.stack.clock.now();
        let time = batch.to.duration_since(batch.from);
        let mut holds = Vec::with_capacity(count);
        for place in 0..count {
            let arrived_at = batch.from + time * place as i32 / count as i32;
            let decision_id = format!("{}-{first}-{place}", self.name);
            holds.push(self.hold(decision_id, arrived_at, now));
        }
        let record = StreamRecord {
            partition_key: "c1".to_owned(),
            data: vec![0; DECISION_BYTES],
        };
        DecidedBatch {
            records: batch.records as usize,
            transactions: batch.records as usize,
            body: vec![0; (batch.records * ROW_BYTES) as usize],
            hours: HourRanges::from_timestamps([batch.from, batch.to]),
            outgoing: vec![record; count],
            outgoing_records: vec![0; count],
            holds,
            rejected: Vec::new(),
            stale: 0,
        }
    }

    fn hold(&self, decision_id: String, arrived_at: Timestamp, now: Timestamp) -> Hold {
        let deadline = policy().deadline(arrived_at, now);
        let transaction_id = self.stack.holds.place(deadline).to_string();
        let entities = [("customer_id", "c1"), ("terminal_id", "t1")];
        let entities: Entities = entities
            .map(|(name, value)| (name.into(), value.into()))
            .into();
        Hold {
            identity: Identity::new(&transaction_id, arrived_at, 300.0, ["c1", "t1"]),
            transaction_id: transaction_id.into(),
            decision_id,
            arrived_at,
            occurred_at: arrived_at,
            amount: 300.0,
            entities,
            numbers: BTreeMap::new(),
            categories: BTreeMap::new(),
            profile: BTreeMap::new(),
            score: 0.6,
            reasons: Vec::new(),
            bundle_version: self.stack.system.bundle_version().to_owned(),
            decided_at: now,
            deadline,
        }
    }
}

fn policy() -> Policy {
    Policy {
        hold_at: 0.5,
        release_below: 0.2,
        block_at: 0.8,
        hold_deadline_seconds: HOLD_SECONDS,
        on_expiry: Action::Review,
        on_missing_evidence: Action::Review,
    }
}

/// As long as those of Kinesis.
fn sequence_number(record: u64) -> String {
    format!("4959033827149025660855969253836157109592{record:016}")
}
