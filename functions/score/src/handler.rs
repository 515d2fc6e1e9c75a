//! Writes, publishes and submits what a batch's decisions require, in an order that loses nothing
//! if the process dies between two steps: first the transactions are stored, then the unreadable
//! items, then the ledger entries; then the decisions are published; last, the warehouse is asked.

use std::time::{Duration, Instant};

use aws_lambda_events::event::streams::{KinesisBatchItemFailure, KinesisEventResponse};
use bundle::Bundle;
use decision::keys;
use decision::ledger::{LedgerEntry, SettleWork};
use features::sql;
use futures_util::{StreamExt, TryStreamExt, stream};
use jiff::Timestamp;
use startup::{BundleFollower, chain};
use store::{Objects, Stream};
use tokio::time::timeout_at;
use warehouse::{Statement, Warehouse};

use crate::{DecidedBatch, Error, Publish, Record, Records, RejectedObject, decide, ledger};

/// How many objects under `rejected/` are written at a time.
const CONCURRENCY: usize = 32;

#[derive(Debug)]
pub struct Handler<O, D, W> {
    pub bundle: Bundle,
    /// Replaces `bundle` when its pointer changes.
    pub follower: BundleFollower,
    pub objects: O,
    pub decisions: D,
    pub warehouse: W,
    pub settings: Settings,
}

#[derive(Clone, Debug)]
pub struct Settings {
    /// The prefix of our statements' names.
    pub statement_prefix: String,
    pub publish: Publish,
    /// How long one batch may take to submit its evidence statements.
    pub patience: Duration,
}

/// Where a batch stopped.
struct Unfinished {
    /// The index of the lowest unfinished record.
    record: u32,
    error: Error,
}

impl From<Error> for Unfinished {
    fn from(error: Error) -> Self {
        Self { record: 0, error }
    }
}

impl From<store::Error> for Unfinished {
    fn from(error: store::Error) -> Self {
        Error::from(error).into()
    }
}

impl<O: Objects, D: Stream, W: Warehouse> Handler<O, D, W> {
    /// Handles one batch. If a step fails, the response names the lowest unfinished record: Lambda
    /// redelivers that record and all after it. Fails if that record has no sequence number.
    pub async fn handle(
        &mut self,
        event: Records,
        now: Timestamp,
    ) -> Result<KinesisEventResponse, Error> {
        let version = self.bundle.version();
        if let Some(newer) = self.follower.newer(version, &self.objects).await {
            self.bundle = newer;
        }
        let started = Instant::now();
        let mut decided = decide(&self.bundle, &event, self.settings.publish, now);
        let decide_us = started.elapsed().as_micros() as u64;
        let body = std::mem::take(&mut decided.body);
        let body_bytes = body.len();
        let result = self.carry_out(&event, &decided, body, now).await;
        tracing::info!(
            shard = event.shard(),
            records = event.len(),
            transactions = decided.transactions,
            holds = decided.holds.len(),
            rejected = decided.rejected.len(),
            published = decided.outgoing.len(),
            body_bytes,
            finished = result.is_ok(),
            decide_us,
            total_us = started.elapsed().as_micros() as u64,
            "batch handled"
        );
        match result {
            Ok(()) => Ok(KinesisEventResponse::default()),
            Err(unfinished) => report(&event, unfinished),
        }
    }

    async fn carry_out(
        &self,
        records: &Records,
        decided: &DecidedBatch,
        body: Vec<u8>,
        now: Timestamp,
    ) -> Result<(), Unfinished> {
        let Some((first, last)) = ends(records) else {
            return Ok(());
        };
        let shard = records.shard();
        let first_number = first.sequence_number;
        let last_number = last.sequence_number;
        if !body.is_empty() {
            let key = keys::transactions(first.arrived_at, shard, first_number, last_number);
            self.objects.put(&key, body).await?;
        }
        self.write_rejected(shard, &decided.rejected).await?;
        let prefix = &self.settings.statement_prefix;
        let name = format!("{prefix}-confirm-{shard}-{first_number}-{last_number}");
        let entries = self.write_ledger(&name, decided, now).await?;
        self.publish(decided).await?;
        self.submit(entries).await;
        Ok(())
    }

    async fn write_rejected(&self, shard: &str, rejected: &[RejectedObject]) -> Result<(), Error> {
        stream::iter(rejected)
            .map(|object| self.write_one_rejected(shard, object))
            .buffer_unordered(CONCURRENCY)
            .try_collect()
            .await
    }

    async fn write_one_rejected(&self, shard: &str, object: &RejectedObject) -> Result<(), Error> {
        let rejected = &object.rejected;
        let key = keys::rejected(rejected.arrived_at, shard, &object.name, rejected.item);
        // The template counts this message: see `RejectedItems` there.
        tracing::warn!(
            shard,
            sequence_number = rejected.sequence_number.as_str(),
            item = rejected.item,
            stage = rejected.stage,
            key,
            "item rejected"
        );
        let bytes = ledger::encoded(&key, rejected)?;
        self.objects.put(&key, bytes).await?;
        Ok(())
    }

    /// Writes the batch's ledger entries: one for each evidence statement.
    async fn write_ledger(
        &self,
        name: &str,
        decided: &DecidedBatch,
        now: Timestamp,
    ) -> Result<Vec<LedgerEntry>, Error> {
        let parts = sql::evidence_parts(self.bundle.definition(), &decided.holds);
        let mut entries = Vec::with_capacity(parts.len());
        for (part, holds) in parts.into_iter().enumerate() {
            let part_name = match part {
                0 => name.to_owned(),
                _ => format!("{name}-{part}"),
            };
            let version = self.bundle.version();
            let entry = ledger::write_ahead(&self.objects, version, part_name, holds, now).await?;
            entries.push(entry);
        }
        Ok(entries)
    }

    async fn publish(&self, decided: &DecidedBatch) -> Result<(), Unfinished> {
        let decisions = decided.outgoing.len();
        if decisions == 0 {
            return Ok(());
        }
        match self.decisions.publish(&decided.outgoing).await {
            Ok(refused) if refused.is_empty() => Ok(()),
            Ok(refused) => Err(Unfinished {
                record: lowest_record(decided, &refused),
                error: Error::Refused {
                    refused: refused.len(),
                    decisions,
                },
            }),
            Err(source) => Err(Unfinished {
                record: lowest_record(decided, &[0]),
                error: Error::Publish { decisions, source },
            }),
        }
    }

    /// Submits the evidence statements that have no id yet. A failure is left to the sweep: the
    /// batch is decided and published, and its holds are in the ledger.
    ///
    /// INVARIANT: a warehouse that does not answer delays a batch by at most `settings.patience`.
    /// If a submission took effect although its answer was lost, repeating it under the same client
    /// token returns the same statement.
    async fn submit(&self, entries: Vec<LedgerEntry>) {
        let until = tokio::time::Instant::now() + self.settings.patience;
        for mut entry in entries {
            if entry.statement_id.is_some() {
                continue;
            }
            let SettleWork::Confirm { holds } = &entry.work else {
                continue;
            };
            let parameters = sql::evidence_parameters(self.bundle.definition(), holds);
            let sqls = sql::evidence(self.bundle.definition(), parameters.len());
            let statement = Statement::new(entry.name.clone(), entry.attempts, sqls, parameters);
            let error = match timeout_at(until, self.warehouse.submit(&statement)).await {
                Ok(Ok(id)) => {
                    tracing::info!(statement = entry.name, %id, "evidence statement submitted");
                    entry.statement_id = Some(id.0);
                    self.write_statement_id(&entry).await;
                    continue;
                }
                Ok(Err(error)) => chain(&error),
                Err(_) => "the warehouse did not answer in time".to_owned(),
            };
            tracing::error!(
                statement = entry.name,
                error,
                "evidence statement not submitted: the next sweep submits it"
            );
        }
    }

    async fn write_statement_id(&self, entry: &LedgerEntry) {
        if let Err(error) = ledger::write(&self.objects, entry).await {
            tracing::error!(
                statement = entry.name,
                error = chain(&error),
                "statement id not written to the ledger: the next sweep finds it by its token"
            );
        }
    }
}

/// The first and the last record; `None` if the batch is empty.
fn ends(records: &Records) -> Option<(Record<'_>, Record<'_>)> {
    let last = records.len().checked_sub(1)?;
    Some((records.get(0)?, records.get(last)?))
}

/// The lowest record that one of these decisions was made about.
fn lowest_record(decided: &DecidedBatch, decisions: &[usize]) -> u32 {
    decisions
        .iter()
        .filter_map(|&index| decided.outgoing_records.get(index))
        .copied()
        .min()
        .unwrap_or_default()
}

/// The response that makes Lambda redeliver the batch from its lowest unfinished record on.
fn report(records: &Records, unfinished: Unfinished) -> Result<KinesisEventResponse, Error> {
    let Unfinished { record, error } = unfinished;
    let lowest = records
        .get(record as usize)
        .map(|record| record.sequence_number.to_string())
        .unwrap_or_default();
    if lowest.is_empty() {
        return Err(Error::NoSequenceNumber(Box::new(error)));
    }
    tracing::error!(
        shard = records.shard(),
        from = lowest,
        error = chain(&error),
        "batch not finished: Lambda redelivers it from this record on"
    );
    let mut failure = KinesisBatchItemFailure::default();
    failure.item_identifier = Some(lowest);
    let mut response = KinesisEventResponse::default();
    response.batch_item_failures.push(failure);
    Ok(response)
}
