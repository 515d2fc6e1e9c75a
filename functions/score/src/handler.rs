//! Writes and publishes what a batch's decisions require, in an order that loses nothing if the
//! process dies between two steps: first the transactions are stored, then the unreadable items,
//! the holds and the waiting entry; last, the decisions are published.

use std::time::Duration;

use aws_lambda_events::event::streams::{KinesisBatchItemFailure, KinesisEventResponse};
use decision::ledger::LedgerObject;
use decision::{RejectedItem, keys};
use jiff::Timestamp;
use startup::{Bundles, chain};
use store::{Objects, Stream, gzip};
use tokio::time::{Instant, timeout_at};
use turns::{BatchEntry, VersionHolds, WaitingEntry};

use crate::judge::OpenBundles;
use crate::publish::publish;
use crate::{BatchName, DecidedBatch, Error, MAX_ITEMS, Publish, Records, decide};

#[derive(Debug)]
pub struct Handler<O, D> {
    pub bundles: Bundles,
    pub objects: O,
    pub decisions: D,
    pub publish: Publish,
}

/// The part of the function's time that is reserved for the response.
pub const RESERVE: Duration = Duration::from_secs(2);

/// Where a batch stopped.
#[derive(Debug)]
pub struct Unfinished {
    /// The index of the lowest unfinished record.
    pub record: u32,
    pub error: Error,
}

impl From<Error> for Unfinished {
    fn from(error: Error) -> Self {
        Self { record: 0, error }
    }
}

impl<O: Objects, D: Stream> Handler<O, D> {
    /// Handles one batch. If a step fails or does not end within `time_left`, the response names
    /// the lowest unfinished record: Lambda redelivers that record and all after it. Fails if that
    /// record has no sequence number.
    pub async fn handle(
        &mut self,
        event: Records,
        now: Timestamp,
        time_left: Duration,
    ) -> Result<KinesisEventResponse, Error> {
        let started = Instant::now();
        let stop = started + time_left.saturating_sub(RESERVE);
        if event.is_empty() {
            return Ok(KinesisEventResponse::default());
        }
        let (decided, decide_us) = match self.decide(&event, now, stop).await {
            Ok(decided) => decided,
            Err(error) => return unfinished(&event, error.into()),
        };
        let name = event.name(decided.records).ok_or(Error::NoName)?;
        let counts = Counts::of(&decided);
        if decided.stale > 0 {
            // The template counts this message: see `StaleProfiles` there.
            tracing::warn!(transactions = decided.stale, "profiles are stale");
        }
        let result = self.carry_out(name, decided, stop).await;
        tracing::info!(
            shard = event.shard(),
            records = counts.records,
            transactions = counts.transactions,
            holds = counts.holds,
            rejected = counts.rejected,
            published = counts.published,
            body_bytes = counts.body_bytes,
            finished = result.is_ok(),
            decide_us,
            total_us = started.elapsed().as_micros() as u64,
            "batch handled"
        );
        // Failures are logged: the version is opened when a record needs it.
        let _ = timeout_at(stop, self.bundles.open_next(now, &self.objects)).await;
        match result {
            Ok(()) => rest(&event, counts.records),
            Err(error) => unfinished(&event, error),
        }
    }

    /// Opens the bundles of the records, and decides. Returns how long deciding took, in
    /// microseconds.
    ///
    /// INVARIANT: a batch without its bundles has no decision. Another bundle would decide
    /// differently than an earlier delivery.
    async fn decide(
        &mut self,
        event: &Records,
        now: Timestamp,
        stop: Instant,
    ) -> Result<(DecidedBatch, u64), Error> {
        let opening = OpenBundles::of(event, &mut self.bundles, now, &self.objects);
        let opened = timeout_at(stop, opening).await;
        let opened = opened.map_err(|_| Error::OutOfTime("while the bundles were opened"))??;
        let started = Instant::now();
        let decided = decide(&opened, event, self.publish, now);
        Ok((decided, started.elapsed().as_micros() as u64))
    }

    /// Stores the results of a batch and publishes its decisions, until `stop`.
    pub async fn carry_out(
        &self,
        name: BatchName<'_>,
        mut decided: DecidedBatch,
        stop: Instant,
    ) -> Result<(), Unfinished> {
        let stored = timeout_at(stop, self.store(name, &mut decided)).await;
        stored.map_err(|_| Error::OutOfTime("while the batch was stored"))??;
        let published = publish(&self.decisions, &decided, stop).await;
        if let Err(Unfinished { error, .. }) = &published {
            // The template counts this message: see `StreamRefuses` there.
            tracing::error!(
                shard = name.shard,
                error = chain(error),
                "decisions stream refuses records"
            );
        }
        published
    }

    /// INVARIANT: an object that names another one is written after it. The waiting entry comes last:
    /// a turn that takes it finds the batch and its ledger object.
    async fn store(&self, name: BatchName<'_>, decided: &mut DecidedBatch) -> Result<(), Error> {
        let batch = name.to_string();
        let body = std::mem::take(&mut decided.body);
        let bytes = body.len() as u64;
        if !body.is_empty() {
            let key = keys::transactions(name.arrived_at, &batch);
            self.objects.put(&key, body).await?;
        }
        self.write_rejected(name, &decided.rejected).await?;
        if bytes == 0 {
            return Ok(());
        }
        let holds = std::mem::take(&mut decided.holds);
        let due = holds.iter().map(|hold| hold.deadline).min();
        let mut ledger = LedgerObject::new(String::new(), holds);
        let waiting = WaitingEntry::Batch(BatchEntry {
            arrived_at: name.arrived_at,
            shard: name.shard.to_owned(),
            first: name.first.to_owned(),
            last: name.last.to_owned(),
            bytes,
            held: ledger.versions().into_iter().map(version_holds).collect(),
            due,
            hours: decided.hours.clone(),
        });
        let waiting = waiting.key();
        if let Some(due) = due {
            ledger.waiting.clone_from(&waiting);
            let key = keys::ledger(due, &batch);
            let lines = ledger.to_ndjson().map_err(encode(&key))?;
            self.objects.put(&key, lines).await?;
        }
        self.objects.put(&waiting, Vec::new()).await?;
        Ok(())
    }

    async fn write_rejected(
        &self,
        name: BatchName<'_>,
        rejected: &[RejectedItem],
    ) -> Result<(), Error> {
        let Some(first) = rejected.first() else {
            return Ok(());
        };
        let key = keys::rejected(name.arrived_at, &name.to_string());
        let lines = ndjson(rejected).map_err(encode(&key))?;
        self.objects.put(&key, gzip(&lines)).await?;
        // The template sums `items` of this message: see `RejectedItems` there.
        tracing::warn!(
            shard = name.shard,
            items = rejected.len(),
            key,
            first_stage = first.stage,
            first_error = first.error,
            "items rejected"
        );
        Ok(())
    }
}

/// The figures of a batch's log line.
struct Counts {
    records: usize,
    transactions: usize,
    holds: usize,
    rejected: usize,
    published: usize,
    body_bytes: usize,
}

impl Counts {
    fn of(decided: &DecidedBatch) -> Self {
        Self {
            records: decided.records,
            transactions: decided.transactions,
            holds: decided.holds.len(),
            rejected: decided.rejected.len(),
            published: decided.outgoing.len(),
            body_bytes: decided.body.len(),
        }
    }
}

fn version_holds((version, holds): (&str, u32)) -> VersionHolds {
    VersionHolds {
        version: version.to_owned(),
        holds,
    }
}

fn ndjson(items: &[RejectedItem]) -> Result<Vec<u8>, serde_json::Error> {
    let mut lines = Vec::new();
    for item in items {
        serde_json::to_writer(&mut lines, item)?;
        lines.push(b'\n');
    }
    Ok(lines)
}

fn encode(key: &str) -> impl FnOnce(serde_json::Error) -> Error {
    let key = key.to_owned();
    |source| Error::Encode { key, source }
}

/// The response that makes Lambda redeliver the batch from its lowest unfinished record on.
fn unfinished(records: &Records, unfinished: Unfinished) -> Result<KinesisEventResponse, Error> {
    let Unfinished { record, error } = unfinished;
    let Some(from) = lowest(records, record as usize) else {
        return Err(Error::NoSequenceNumber(Box::new(error)));
    };
    tracing::error!(
        shard = records.shard(),
        from,
        error = chain(&error),
        "batch not finished: Lambda redelivers it from this record on"
    );
    Ok(failed_from(from))
}

/// The response after the first `handled` records are finished: the rest goes back.
fn rest(records: &Records, handled: usize) -> Result<KinesisEventResponse, Error> {
    if handled >= records.len() {
        return Ok(KinesisEventResponse::default());
    }
    let from = lowest(records, handled).ok_or(Error::NoName)?;
    tracing::warn!(
        shard = records.shard(),
        records = records.len(),
        handled,
        from,
        "batch has more than {MAX_ITEMS} items: Lambda redelivers the rest"
    );
    Ok(failed_from(from))
}

/// The sequence number of this record, if it has one.
fn lowest(records: &Records, index: usize) -> Option<&str> {
    let number = records.get(index)?.sequence_number.into_inner();
    Some(number).filter(|number| !number.is_empty())
}

fn failed_from(sequence_number: &str) -> KinesisEventResponse {
    let mut failure = KinesisBatchItemFailure::default();
    failure.item_identifier = Some(sequence_number.to_owned());
    let mut response = KinesisEventResponse::default();
    response.batch_item_failures.push(failure);
    response
}
