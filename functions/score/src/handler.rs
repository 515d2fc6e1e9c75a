//! Everything that is done about a batch, in an order that loses nothing wherever it breaks off:
//! the transactions are safe first, then what can't be read, then the ledger, then the decisions are
//! published, and only then is the warehouse asked.

use std::time::{Duration, Instant};

use aws_lambda_events::event::streams::{KinesisBatchItemFailure, KinesisEventResponse};
use bundle::Bundle;
use decision::Hold;
use decision::keys;
use decision::ledger::{LedgerEntry, SettleWork};
use features::sql;
use futures_util::{StreamExt, TryStreamExt, stream};
use jiff::Timestamp;
use startup::chain;
use store::{Objects, PutNew, Stream};
use tokio::time::timeout_at;
use warehouse::{Statement, Warehouse};

use crate::{Judged, Records, judge};

/// How many rejected items are written at a time.
const CONCURRENCY: usize = 32;

/// What the handler needs beyond a batch.
#[derive(Debug)]
pub struct Context<O, D, W> {
    /// The bundle in use.
    pub bundle: Bundle,
    /// The bucket.
    pub objects: O,
    /// The stream that decisions go to.
    pub decisions: D,
    /// The warehouse that has the evidence.
    pub warehouse: W,
    /// The rest.
    pub settings: Settings,
}

/// What is not in the bundle.
#[derive(Clone, Debug)]
pub struct Settings {
    /// What our statements' names begin with.
    pub statement_prefix: String,
    /// Whether approvals go on the stream too, not holds alone.
    pub publish_approvals: bool,
    /// How long the warehouse may take to be asked about a batch.
    pub patience: Duration,
}

/// Why a batch is not finished.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// The bucket failed us.
    #[error("can't write {key}")]
    Objects {
        /// The key.
        key: String,
        /// What the bucket said.
        source: store::Error,
    },
    /// An object of ours can't be made.
    #[error("can't encode {key}")]
    Encode {
        /// The key.
        key: String,
        /// What is wrong.
        source: serde_json::Error,
    },
    /// The stream took nothing.
    #[error("can't publish {decisions} decisions")]
    Publish {
        /// How many.
        decisions: usize,
        /// What the stream said.
        source: store::Error,
    },
    /// The stream did not take all.
    #[error("{refused} of {decisions} decisions were not accepted")]
    Refused {
        /// How many were not taken.
        refused: usize,
        /// Of how many.
        decisions: usize,
    },
    /// A batch failed whose first record has no name to report it by, so all of it has to come again.
    #[error("batch is not finished, and its lowest unfinished record has no sequence number")]
    Nameless(#[source] Box<Error>),
}

/// Where a batch broke off: the index of the lowest unfinished record, and why.
struct Unfinished(u32, Error);

impl From<Error> for Unfinished {
    fn from(error: Error) -> Self {
        Self(0, error)
    }
}

impl<O: Objects, D: Stream, W: Warehouse> Context<O, D, W> {
    /// Judges a batch and does all that follows. Names the lowest unfinished record where something
    /// failed: Lambda brings it and all after it again. An error where it has no name.
    pub async fn handle(
        &self,
        records: &Records,
        now: Timestamp,
    ) -> Result<KinesisEventResponse, Error> {
        let mut response = KinesisEventResponse::default();
        let started = Instant::now();
        let mut judged = judge(&self.bundle, records, self.settings.publish_approvals, now);
        let judged_us = started.elapsed().as_micros() as u64;
        let body = std::mem::take(&mut judged.body);
        let body_bytes = body.len();
        let done = self.act(records, &judged, body, now).await;
        tracing::info!(
            shard = records.shard(),
            records = records.len(),
            transactions = judged.transactions,
            holds = judged.holds.len(),
            rejected = judged.rejected.len(),
            published = judged.outgoing.len(),
            body_bytes,
            finished = done.is_ok(),
            judged_us,
            total_us = started.elapsed().as_micros() as u64,
            "batch"
        );
        let Err(Unfinished(index, error)) = done else {
            return Ok(response);
        };
        let lowest = records
            .get(index as usize)
            .map(|record| record.sequence_number.to_string())
            .unwrap_or_default();
        if lowest.is_empty() {
            return Err(Error::Nameless(Box::new(error)));
        }
        tracing::error!(
            shard = records.shard(),
            from = lowest,
            error = chain(&error),
            "batch not finished"
        );
        let mut failure = KinesisBatchItemFailure::default();
        failure.item_identifier = Some(lowest);
        response.batch_item_failures.push(failure);
        Ok(response)
    }

    async fn act(
        &self,
        records: &Records,
        judged: &Judged,
        body: Vec<u8>,
        now: Timestamp,
    ) -> Result<(), Unfinished> {
        let (Some(first), Some(last)) = (
            records.get(0),
            records.len().checked_sub(1).and_then(|i| records.get(i)),
        ) else {
            return Ok(());
        };
        let shard = records.shard();
        if !body.is_empty() {
            let key = keys::transactions(
                first.arrived_at,
                shard,
                first.sequence_number,
                last.sequence_number,
            );
            self.objects
                .put(&key, body)
                .await
                .map_err(Error::objects(&key))?;
        }
        self.keep_rejected(shard, judged).await?;
        let range = format!("{shard}-{}-{}", first.sequence_number, last.sequence_number);
        let name = format!("{}-confirm-{range}", self.settings.statement_prefix);
        let mut entries = Vec::new();
        for (part, holds) in sql::evidence_parts(self.bundle.definition(), &judged.holds)
            .into_iter()
            .enumerate()
        {
            let name = if part == 0 {
                name.clone()
            } else {
                format!("{name}-{part}")
            };
            entries.push(self.write_ahead(name, holds, now).await?);
        }
        self.publish(judged).await?;
        entries.retain(|entry| entry.statement_id.is_none());
        self.ask(entries).await;
        Ok(())
    }

    async fn keep_rejected(&self, shard: &str, judged: &Judged) -> Result<(), Error> {
        let puts = judged.rejected.iter().map(|unread| async move {
            let rejected = &unread.rejected;
            tracing::warn!(
                shard,
                sequence_number = rejected.sequence_number.as_str(),
                item = rejected.item,
                stage = rejected.stage,
                "item rejected"
            );
            let key = keys::rejected(rejected.arrived_at, shard, &unread.name, rejected.item);
            let bytes = encoded(&key, rejected)?;
            self.objects
                .put(&key, bytes)
                .await
                .map_err(Error::objects(&key))
        });
        stream::iter(puts)
            .buffer_unordered(CONCURRENCY)
            .try_collect()
            .await
    }

    /// Writes down that these holds wait for evidence, before anyone hears of them.
    ///
    /// INVARIANT: every hold that is published is in the ledger, or was settled. A redelivered batch
    /// finds the entry of its first delivery, which may be further than we are, and leaves it as it
    /// is. If another bundle made that entry and it lacks a hold of ours, we write one of our own.
    async fn write_ahead(
        &self,
        name: String,
        holds: &[Hold],
        now: Timestamp,
    ) -> Result<LedgerEntry, Error> {
        let entry = |name| LedgerEntry {
            name,
            work: SettleWork::Confirm {
                holds: holds.to_vec(),
            },
            attempts: 1,
            submitted_at: now,
            statement_id: None,
        };
        let first = entry(name);
        let key = keys::pending(&first.name);
        let put = self
            .objects
            .put_new(&key, encoded(&key, &first)?)
            .await
            .map_err(Error::objects(&key))?;
        let PutNew::Exists(there) = put else {
            return Ok(first);
        };
        if let Some(there) = serde_json::from_slice(&there)
            .ok()
            .filter(|there| has_all(there, holds))
        {
            return Ok(there);
        }
        let own = entry(format!("{}-{}", first.name, self.bundle.version()));
        let key = keys::pending(&own.name);
        let put = self
            .objects
            .put_new(&key, encoded(&key, &own)?)
            .await
            .map_err(Error::objects(&key))?;
        match put {
            PutNew::Written => Ok(own),
            PutNew::Exists(there) => match serde_json::from_slice(&there)
                .ok()
                .filter(|there| has_all(there, holds))
            {
                Some(there) => Ok(there),
                // Nobody could act on what is there, so nothing is lost with it.
                None => {
                    self.objects
                        .put(&key, encoded(&key, &own)?)
                        .await
                        .map_err(Error::objects(&key))?;
                    Ok(own)
                }
            },
        }
    }

    async fn publish(&self, judged: &Judged) -> Result<(), Unfinished> {
        let lowest = |indices: &[usize]| {
            indices
                .iter()
                .filter_map(|&i| judged.outgoing_records.get(i))
                .copied()
                .min()
                .unwrap_or_default()
        };
        let decisions = judged.outgoing.len();
        if decisions == 0 {
            return Ok(());
        }
        match self.decisions.publish(&judged.outgoing).await {
            Ok(refused) if refused.is_empty() => Ok(()),
            Ok(refused) => Err(Unfinished(
                lowest(&refused),
                Error::Refused {
                    refused: refused.len(),
                    decisions,
                },
            )),
            Err(source) => Err(Unfinished(
                lowest(&[0]),
                Error::Publish { decisions, source },
            )),
        }
    }

    /// Asks the warehouse for the evidence. Whatever fails here is left to the sweep: the batch is
    /// decided on and published, and its holds are in the ledger.
    ///
    /// INVARIANT: a warehouse that does not answer costs a batch no more than our patience. A
    /// submission that took effect all the same is found by its token.
    async fn ask(&self, entries: Vec<LedgerEntry>) {
        let until = tokio::time::Instant::now() + self.settings.patience;
        for mut entry in entries {
            let SettleWork::Confirm { holds } = &entry.work else {
                continue;
            };
            let name = &entry.name;
            let parameters = sql::evidence_parameters(self.bundle.definition(), holds);
            let sqls = sql::evidence(self.bundle.definition(), parameters.len());
            let statement = Statement::new(name.to_owned(), entry.attempts, sqls, parameters);
            let error = match timeout_at(until, self.warehouse.submit(&statement)).await {
                Ok(Ok(id)) => {
                    tracing::info!(statement = name, %id, "evidence asked for");
                    entry.statement_id = Some(id.0);
                    self.keep(&entry).await;
                    continue;
                }
                Ok(Err(error)) => chain(&error),
                Err(late) => late.to_string(),
            };
            tracing::error!(
                statement = name,
                error,
                "evidence not asked for: left to the sweep"
            );
        }
    }

    /// Writes the statement's id down.
    async fn keep(&self, entry: &LedgerEntry) {
        let name = &entry.name;
        let key = keys::pending(name);
        let put = match encoded(&key, entry) {
            Ok(bytes) => self
                .objects
                .put(&key, bytes)
                .await
                .map_err(Error::objects(&key)),
            Err(error) => Err(error),
        };
        if let Err(error) = put {
            tracing::error!(
                statement = name,
                error = chain(&error),
                "statement id not written: left to the sweep"
            );
        }
    }
}

/// Whether the entry waits for the evidence of all these holds.
fn has_all(entry: &LedgerEntry, holds: &[Hold]) -> bool {
    let SettleWork::Confirm { holds: there } = &entry.work else {
        return false;
    };
    holds.iter().all(|hold| {
        there
            .iter()
            .any(|other| other.decision_id == hold.decision_id)
    })
}

fn encoded(key: &str, value: &impl serde::Serialize) -> Result<Vec<u8>, Error> {
    serde_json::to_vec(value).map_err(|source| Error::Encode {
        key: key.to_owned(),
        source,
    })
}

impl Error {
    fn objects(key: &str) -> impl FnOnce(store::Error) -> Self {
        let key = key.to_owned();
        |source| Self::Objects { key, source }
    }
}
