//! The settle path: from a ledger entry to one final decision for each of its holds.
//!
//! It believes nobody: it re-reads the ledger and the warehouse, asks [`decision::settle`] what
//! follows, and does it. It does not retry; whoever calls it next goes on where it stopped.
//!
//! INVARIANT: a hold has one final decision, whoever settles it, however often, whatever dies in
//! between. The decision is what lies at `outcomes/by-transaction/…`, which is written once, by
//! `put_new`, before anything else is done with it; all who come later read it there and go on with
//! it. The steps after it (publish, batch, remove the ledger entry) repeat without harm, and the
//! ledger entry, which brings the sweep back, goes last.

use std::collections::BTreeSet;
use std::time::Duration;

use decision::ledger::{LedgerEntry, SettleWork};
use decision::settle::{Progress, Step, next_step};
use decision::{Action, Decision, Hold, SettledBy, micros};
use futures_util::{StreamExt, TryStreamExt, stream};
use jiff::Timestamp;
use sha2::{Digest, Sha256};
use store::{Objects, PutNew, Stream, StreamRecord};
use tokio::time::timeout;
use warehouse::{StatementId, Status, Warehouse};

use crate::evidence::{self, Found};
use crate::{SecondModel, SettleReport};

/// How many S3 calls are made at a time.
const CONCURRENCY: usize = 16;

/// What a final decision names as missing when it was made without evidence.
const EVIDENCE_MISSING: &str = "evidence_missing";

/// How long the warehouse may take over a question about holds that are overdue.
pub const PATIENCE: Duration = Duration::from_secs(3);

/// Settles holds.
#[derive(Debug)]
pub struct Settler<'a, O, D, W, J> {
    /// The bucket.
    pub objects: &'a O,
    /// The stream of decisions.
    pub decisions: &'a D,
    /// The warehouse.
    pub warehouse: &'a W,
    /// The confirming model and the policy: a model bundle. While there is none, holds end at their
    /// deadline alone.
    pub judge: Option<&'a J>,
    /// What becomes of a hold at its deadline.
    pub on_expiry: Action,
    /// The entity field that decisions are partitioned by.
    pub first_entity: Option<&'a str>,
    /// How long the warehouse may take over a question about holds that are overdue.
    pub patience: Duration,
}

/// Why an entry could not be settled now.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// The bucket failed us.
    #[error("can't reach {key}")]
    Objects {
        /// The key or prefix.
        key: String,
        /// What the bucket said.
        source: store::Error,
    },
    /// The warehouse failed us.
    #[error("can't reach the warehouse about {statement}")]
    Warehouse {
        /// The statement.
        statement: String,
        /// What the warehouse said.
        source: warehouse::Error,
    },
    /// The warehouse took longer than overdue holds can wait.
    #[error("no answer of the warehouse about {statement} within {} s", waited.as_secs_f32())]
    Slow {
        /// The statement.
        statement: String,
        /// For how long we waited.
        waited: Duration,
    },
    /// There is nothing to judge with.
    #[error("no bundle to settle {statement} with")]
    NoBundle {
        /// The statement.
        statement: String,
    },
    /// The stream failed us.
    #[error("can't publish the final decisions of {statement}")]
    Stream {
        /// The statement.
        statement: String,
        /// What the stream said.
        source: store::Error,
    },
    /// The stream did not take them all.
    #[error("{refused} of {all} final decisions of {statement} were not accepted by the stream")]
    Refused {
        /// The statement.
        statement: String,
        /// How many were not taken.
        refused: usize,
        /// Of how many.
        all: usize,
    },
    /// An object of ours is not what we write.
    #[error("{key} is not readable from line {line}, column {column} on")]
    Unreadable {
        /// The key.
        key: String,
        /// The line, from 1.
        line: usize,
        /// The column, from 1.
        column: usize,
    },
    /// The ledger entry is about something else.
    #[error("{key} is no ledger entry of holds")]
    NotHolds {
        /// The key.
        key: String,
    },
}

/// A transaction's one final decision.
struct Final {
    decision: Decision,
    /// As it lies in the bucket, and goes out: whoever repeats it repeats it to the byte.
    json: Vec<u8>,
}

/// A ledger entry of holds, taken apart.
struct Entry {
    key: String,
    /// The entry as it stands in the ledger.
    pending: LedgerEntry,
    /// All its holds.
    holds: Vec<Hold>,
    /// Those that we have not ended, each transaction once.
    open: Vec<Hold>,
    /// How long the warehouse may take over a question, if that matters.
    ///
    /// INVARIANT: no question about an entry with an overdue hold waits longer than this. So a
    /// warehouse that does not answer keeps neither them, nor those whom a sweep comes to after them.
    patience: Option<Duration>,
}

impl<O: Objects, D: Stream, W: Warehouse, J: SecondModel> Settler<'_, O, D, W, J> {
    /// Takes the entry of this statement as far as it can be taken now. `by` is who asks.
    pub async fn settle(
        &self,
        name: &str,
        by: SettledBy,
        now: Timestamp,
    ) -> Result<SettleReport, Error> {
        let now = micros(now);
        let mut report = SettleReport::default();
        let Some(mut entry) = self.entry(name).await? else {
            report.absent = 1;
            return Ok(report);
        };
        if entry.open.is_empty() {
            self.remove(&entry).await?;
            return Ok(report);
        }
        let mut overdue = entry.open.iter().any(|hold| hold.deadline <= now);
        entry.patience = overdue.then_some(self.patience);
        let Some(judge) = self.judge else {
            let error = Error::NoBundle {
                statement: name.to_owned(),
            };
            return if overdue {
                self.expire_despite(error, &mut entry, now, report).await
            } else {
                Err(error)
            };
        };
        loop {
            // From the deadline on, a warehouse that can't be asked is as good as none.
            let progress = match self.progress(&entry).await {
                Err(error) if overdue => {
                    return self.expire_despite(error, &mut entry, now, report).await;
                }
                other => other?,
            };
            match next_step(progress, entry.pending.attempts, overdue, judge.policy()) {
                Step::UseEvidence => {
                    let mut found = match self.evidence(judge, &entry).await {
                        Err(error) if overdue => {
                            return self.expire_despite(error, &mut entry, now, report).await;
                        }
                        other => other?,
                    };
                    let rows = found.rows.len();
                    found.rows.retain(|_, row| judge.is_whole(row));
                    report.partial_rows += rows - found.rows.len();
                    // Another bundle asked: ours asks anew, while there is time.
                    if report.partial_rows > 0
                        && !overdue
                        && entry.pending.attempts < judge.policy().max_attempts
                    {
                        tracing::warn!(
                            statement = name,
                            partial = report.partial_rows,
                            "evidence of another bundle"
                        );
                        self.submit(judge, &mut entry, true, now).await?;
                        report.submitted += 1;
                        return Ok(report);
                    }
                    self.confirm(judge, &entry, found, by, now, &mut report)
                        .await?;
                    return Ok(report);
                }
                Step::Expire => {
                    self.expire(&mut entry, now, &mut report).await?;
                    if entry.open.is_empty() {
                        return Ok(report);
                    }
                    overdue = false;
                }
                Step::Submit => {
                    let again = progress == Progress::Failed;
                    self.submit(judge, &mut entry, again, now).await?;
                    report.submitted += 1;
                    if again {
                        return Ok(report);
                    }
                    // Its answer may have been lost long ago: then it has ended, and no event will come.
                }
                Step::GiveUp => {
                    let action = judge.policy().on_failure;
                    let finals = entry
                        .open
                        .iter()
                        .map(|hold| without_evidence(hold, action, by, now))
                        .collect();
                    self.end(&entry, finals, &mut report).await?;
                    self.remove(&entry).await?;
                    return Ok(report);
                }
                Step::Wait => {
                    report.waiting = 1;
                    return Ok(report);
                }
            }
        }
    }

    /// The name of the entry whose present attempt has this id, among those whose name begins with
    /// `prefix`.
    pub async fn find(&self, prefix: &str, id: &StatementId) -> Result<Option<String>, Error> {
        let prefix = format!("{}{prefix}", decision::keys::PENDING);
        let listed = self
            .objects
            .list(&prefix)
            .await
            .map_err(Error::objects(&prefix))?;
        let mut entries = stream::iter(listed)
            .map(|listed| async move {
                self.objects
                    .get(&listed.key)
                    .await
                    .map_err(Error::objects(&listed.key))
            })
            .buffer_unordered(CONCURRENCY);
        while let Some(bytes) = entries.try_next().await? {
            // What can't be read is the sweep's to report.
            let Some(Ok(entry)) = bytes.map(|bytes| serde_json::from_slice::<LedgerEntry>(&bytes))
            else {
                continue;
            };
            if entry.statement_id.as_deref() == Some(id.0.as_str()) {
                return Ok(Some(entry.name));
            }
        }
        Ok(None)
    }

    async fn entry(&self, name: &str) -> Result<Option<Entry>, Error> {
        let key = decision::keys::pending(name);
        let Some(bytes) = self.objects.get(&key).await.map_err(Error::objects(&key))? else {
            return Ok(None);
        };
        let pending: LedgerEntry =
            serde_json::from_slice(&bytes).map_err(Error::unreadable(&key))?;
        let SettleWork::Confirm { holds } = &pending.work else {
            return Err(Error::NotHolds { key });
        };
        let holds = holds.clone();
        let mut seen = BTreeSet::new();
        let open = holds
            .iter()
            .filter(|hold| seen.insert(&hold.transaction_id))
            .cloned()
            .collect();
        Ok(Some(Entry {
            key,
            pending,
            holds,
            open,
            patience: None,
        }))
    }

    async fn progress(&self, entry: &Entry) -> Result<Progress, Error> {
        let Some(id) = &entry.pending.statement_id else {
            return Ok(Progress::NeverSubmitted);
        };
        match entry
            .answer(self.warehouse.status(&StatementId(id.clone())))
            .await
        {
            Ok(Status::Running) => Ok(Progress::Running),
            Ok(Status::Finished) => Ok(Progress::Finished),
            Ok(Status::Failed { .. } | Status::Aborted)
            | Err(Error::Warehouse {
                source: warehouse::Error::Unknown(_),
                ..
            }) => Ok(Progress::Failed),
            Err(error) => Err(error),
        }
    }

    /// Submits the entry's attempt, or the next one if the present one has failed. The ledger is
    /// written before, so that a crash leaves the attempt to be repeated under the same token, and
    /// after, with the id.
    async fn submit(
        &self,
        judge: &J,
        entry: &mut Entry,
        again: bool,
        now: Timestamp,
    ) -> Result<(), Error> {
        if again {
            entry.pending.attempts += 1;
            entry.pending.submitted_at = now;
            entry.pending.statement_id = None;
            self.write(entry).await?;
        }
        let LedgerEntry { name, attempts, .. } = &entry.pending;
        let statement = judge.ask(name, *attempts, &entry.holds);
        let id = entry.answer(self.warehouse.submit(&statement)).await?;
        tracing::info!(statement = name, attempt = attempts, %id, holds = entry.holds.len(), "evidence asked for");
        entry.pending.statement_id = Some(id.0);
        self.write(entry).await
    }

    async fn evidence(&self, judge: &J, entry: &Entry) -> Result<Found, Error> {
        let LedgerEntry {
            name,
            attempts,
            statement_id,
            ..
        } = &entry.pending;
        let id = StatementId(statement_id.clone().unwrap_or_default());
        let sqls = judge.ask(name, *attempts, &entry.holds).sqls.len();
        let rows = entry.answer(self.warehouse.rows(&id, sqls)).await?;
        Ok(evidence::read(&entry.open, rows))
    }

    async fn confirm(
        &self,
        judge: &J,
        entry: &Entry,
        mut found: Found,
        by: SettledBy,
        now: Timestamp,
        report: &mut SettleReport,
    ) -> Result<(), Error> {
        let policy = judge.policy();
        let (mut finals, mut missing) = (Vec::with_capacity(entry.open.len()), 0);
        for hold in &entry.open {
            finals.push(
                if let Some(row) = found.rows.remove(hold.transaction_id.as_str()) {
                    let (score, reasons) = judge.confirm(hold, &row);
                    Decision {
                        score,
                        reasons,
                        model_version: judge.version().to_owned(),
                        evidence: Some(row),
                        ..hold.settle(policy.settled(score), by, now)
                    }
                } else {
                    missing += 1;
                    without_evidence(hold, policy.on_missing_evidence, by, now)
                },
            );
        }
        let Found {
            ignored,
            undecodable,
            ..
        } = found;
        if ignored > 0 || missing > 0 {
            let (statement, columns) = (&entry.pending.name, undecodable.join(" "));
            tracing::warn!(
                statement,
                ignored,
                missing,
                undecodable = columns,
                "evidence does not match its holds"
            );
        }
        report.ignored_rows += ignored;
        report.missing_rows += missing;
        report.undecodable_rows += undecodable.len();
        self.end(entry, finals, report).await?;
        self.remove(entry).await
    }

    /// Ends the overdue holds of an entry, and the entry if none is left open. Else it stays whole,
    /// for its statement is about all its holds; those that have ended end again without harm.
    async fn expire(
        &self,
        entry: &mut Entry,
        now: Timestamp,
        report: &mut SettleReport,
    ) -> Result<(), Error> {
        let action = self.on_expiry;
        let overdue = entry.open.extract_if(.., |hold| hold.deadline <= now);
        let finals = overdue
            .map(|hold| without_evidence(&hold, action, SettledBy::Expiry, now))
            .collect();
        self.end(entry, finals, report).await?;
        if entry.open.is_empty() {
            self.remove(entry).await
        } else {
            Ok(())
        }
    }

    /// Ends the overdue holds although something failed, which is an error still for the others.
    async fn expire_despite(
        &self,
        error: Error,
        entry: &mut Entry,
        now: Timestamp,
        mut report: SettleReport,
    ) -> Result<SettleReport, Error> {
        tracing::warn!(
            statement = entry.pending.name,
            error = startup::chain(&error),
            "no evidence at the deadline"
        );
        report.unanswered += usize::from(matches!(error, Error::Slow { .. }));
        self.expire(entry, now, &mut report).await?;
        if entry.open.is_empty() {
            Ok(report)
        } else {
            Err(error)
        }
    }

    /// Makes these final, each unless it has its final decision already, and tells everyone.
    async fn end(
        &self,
        entry: &Entry,
        finals: Vec<Decision>,
        report: &mut SettleReport,
    ) -> Result<(), Error> {
        let statement = &entry.pending.name;
        let finals: Vec<Final> = stream::iter(finals)
            .map(|decision| self.decide(decision))
            .buffered(CONCURRENCY)
            .try_collect()
            .await?;
        self.publish(statement, &finals).await?;
        self.write_batch(statement, &finals).await?;
        finals.iter().for_each(|end| report.count(&end.decision));
        Ok(())
    }

    /// The transaction's one final decision: this one, or the one that came before.
    async fn decide(&self, decision: Decision) -> Result<Final, Error> {
        let key = decision::keys::outcome(&decision.transaction_id);
        let json = serde_json::to_vec(&decision).map_err(Error::unreadable(&key))?;
        match self
            .objects
            .put_new(&key, json.clone())
            .await
            .map_err(Error::objects(&key))?
        {
            PutNew::Written => Ok(Final { decision, json }),
            PutNew::Exists(json) => {
                let decision = serde_json::from_slice(&json).map_err(Error::unreadable(&key))?;
                Ok(Final { decision, json })
            }
        }
    }

    async fn publish(&self, statement: &str, finals: &[Final]) -> Result<(), Error> {
        let outgoing: Vec<StreamRecord> = finals
            .iter()
            .map(|Final { decision, json }| {
                let entity = self
                    .first_entity
                    .and_then(|name| decision.entities.get(name));
                let partition_key = entity.map_or(decision.transaction_id.as_str(), String::as_str);
                StreamRecord {
                    partition_key: partition_key.to_owned(),
                    data: json.clone(),
                }
            })
            .collect();
        let refused = self.decisions.publish(&outgoing).await;
        let refused = refused
            .map_err(|source| Error::Stream {
                statement: statement.to_owned(),
                source,
            })?
            .len();
        if refused > 0 {
            return Err(Error::Refused {
                statement: statement.to_owned(),
                refused,
                all: finals.len(),
            });
        }
        Ok(())
    }

    /// Writes the outcomes for COPY. The same outcomes make the same key and the same bytes; an
    /// entry that ends in parts makes one object for each part.
    async fn write_batch(&self, statement: &str, finals: &[Final]) -> Result<(), Error> {
        let Some(first) = finals.first() else {
            return Ok(());
        };
        let mut lines = Vec::new();
        let mut ids = Sha256::new();
        for Final { decision, json } in finals {
            lines.extend_from_slice(json);
            lines.push(b'\n');
            ids.update(decision.transaction_id.as_str());
            ids.update(b"\n");
        }
        let part: String = ids
            .finalize()
            .iter()
            .take(8)
            .map(|byte| format!("{byte:02x}"))
            .collect();
        let key =
            decision::keys::outcomes(first.decision.decided_at, &format!("{statement}-{part}"));
        let bytes = store::gzip(&lines);
        self.objects
            .put(&key, bytes)
            .await
            .map_err(Error::objects(&key))
    }

    async fn write(&self, entry: &Entry) -> Result<(), Error> {
        let bytes = serde_json::to_vec(&entry.pending).map_err(Error::unreadable(&entry.key))?;
        self.objects
            .put(&entry.key, bytes)
            .await
            .map_err(Error::objects(&entry.key))
    }

    async fn remove(&self, entry: &Entry) -> Result<(), Error> {
        self.objects
            .delete(&entry.key)
            .await
            .map_err(Error::objects(&entry.key))
    }
}

impl Entry {
    /// The warehouse's answer to a question about this entry, as long as there is time to wait for it.
    async fn answer<T>(
        &self,
        question: impl Future<Output = Result<T, warehouse::Error>>,
    ) -> Result<T, Error> {
        let statement = &self.pending.name;
        let answer = match self.patience {
            None => question.await,
            Some(waited) => match timeout(waited, question).await {
                Ok(answer) => answer,
                Err(_) => {
                    return Err(Error::Slow {
                        statement: statement.clone(),
                        waited,
                    });
                }
            },
        };
        answer.map_err(Error::warehouse(statement))
    }
}

/// The final decision on a hold that nothing is known of: it keeps its first score.
fn without_evidence(hold: &Hold, action: Action, by: SettledBy, now: Timestamp) -> Decision {
    Decision {
        degraded: vec![EVIDENCE_MISSING.to_owned()],
        ..hold.settle(action, by, now)
    }
}

impl Error {
    fn objects(key: &str) -> impl FnOnce(store::Error) -> Self {
        move |source| Self::Objects {
            key: key.to_owned(),
            source,
        }
    }

    fn warehouse(statement: &str) -> impl FnOnce(warehouse::Error) -> Self {
        move |source| Self::Warehouse {
            statement: statement.to_owned(),
            source,
        }
    }

    fn unreadable(key: &str) -> impl FnOnce(serde_json::Error) -> Self {
        // The parser's own message quotes what it found: it is not kept.
        move |error| Self::Unreadable {
            key: key.to_owned(),
            line: error.line(),
            column: error.column(),
        }
    }
}
