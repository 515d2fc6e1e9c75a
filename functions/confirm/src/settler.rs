//! From a ledger entry to one final decision for each of its holds.
//!
//! [`Settler::settle`] reads the ledger and the warehouse again, asks [`decision::settle`] for the
//! next step, and takes it. It does not retry: the next call continues where this one stopped.
//!
//! INVARIANT: a hold has one final decision, however many processes settle it and wherever they
//! die. The decision is the object under `outcomes/by-transaction/`, written once by `put_new`
//! before anything else happens with it. Every later process reads that object and continues with
//! it. The steps after it (publish, write the batch for COPY, remove the ledger entry) may be
//! repeated. The ledger entry, which makes the sweep return, is removed last.

use std::time::Duration;

use decision::ledger::LedgerEntry;
use decision::settle::{Progress, Step, next_step};
use decision::{Action, Decision, Hold, SettledBy, micros};
use futures_util::{StreamExt, TryStreamExt, stream};
use jiff::Timestamp;
use store::{Objects, Stream};
use warehouse::{StatementId, Status, Warehouse};

use crate::entry::HoldsEntry;
use crate::evidence::{self, EvidenceRows};
use crate::{Error, SecondModel, SettleReport};

/// How many S3 calls are made at a time.
pub(crate) const CONCURRENCY: usize = 16;

/// The entry of `degraded` in a final decision that was made without evidence.
const EVIDENCE_MISSING: &str = "evidence_missing";

/// How long the warehouse may take over one answer about overdue holds.
pub const PATIENCE: Duration = Duration::from_secs(3);

#[derive(Debug)]
pub struct Settler<'a, O, D, W, M> {
    pub objects: &'a O,
    pub decisions: &'a D,
    pub warehouse: &'a W,
    /// Without a model, holds only expire at their deadlines.
    pub model: Option<&'a M>,
    /// The action of a hold that expires.
    pub on_expiry: Action,
    /// The entity whose value is the partition key of a decision.
    pub first_entity: Option<&'a str>,
    /// How long the warehouse may take over one answer about overdue holds.
    pub patience: Duration,
}

/// One call of [`Settler::settle`].
pub(crate) struct Settling {
    pub(crate) entry: HoldsEntry,
    by: SettledBy,
    now: Timestamp,
    overdue: bool,
    pub(crate) report: SettleReport,
}

impl<O: Objects, D: Stream, W: Warehouse, M: SecondModel> Settler<'_, O, D, W, M> {
    /// Takes all steps that are possible now for the entry of this statement.
    pub async fn settle(
        &self,
        name: &str,
        by: SettledBy,
        now: Timestamp,
    ) -> Result<SettleReport, Error> {
        let Some(mut entry) = HoldsEntry::read(self.objects, name).await? else {
            return Ok(SettleReport {
                absent: 1,
                ..SettleReport::default()
            });
        };
        if entry.open.is_empty() {
            entry.remove(self.objects).await?;
            return Ok(SettleReport::default());
        }
        let now = micros(now);
        let overdue = entry.open.iter().any(|hold| hold.deadline <= now);
        entry.patience = overdue.then_some(self.patience);
        let mut settling = Settling {
            entry,
            by,
            now,
            overdue,
            report: SettleReport::default(),
        };
        self.take_steps(&mut settling).await?;
        Ok(settling.report)
    }

    async fn take_steps(&self, settling: &mut Settling) -> Result<(), Error> {
        let Some(model) = self.model else {
            let error = Error::NoBundle {
                statement: settling.entry.statement().to_owned(),
            };
            return self.expire_after_failure(error, settling).await;
        };
        loop {
            let progress = match self.progress(&settling.entry).await {
                Ok(progress) => progress,
                Err(error) => return self.expire_after_failure(error, settling).await,
            };
            let attempts = settling.entry.pending.attempts;
            match next_step(progress, attempts, settling.overdue, model.policy()) {
                Step::UseEvidence => return self.use_evidence(model, settling).await,
                Step::Expire => {
                    self.expire(settling).await?;
                    if settling.entry.open.is_empty() {
                        return Ok(());
                    }
                    settling.overdue = false;
                }
                Step::Submit if progress == Progress::Failed => {
                    return self.submit_next_attempt(model, settling).await;
                }
                // The statement may have ended long ago, if the answer to an earlier submission was
                // lost. Then no event follows, so the loop reads its progress at once.
                Step::Submit => self.submit(model, settling).await?,
                Step::GiveUp => return self.settle_without_evidence(model, settling).await,
                Step::Wait => {
                    settling.report.waiting = 1;
                    return Ok(());
                }
            }
        }
    }

    /// The name of the ledger entry whose current attempt has this id. Searches the entries whose
    /// names begin with `prefix`.
    pub async fn find(&self, prefix: &str, id: &StatementId) -> Result<Option<String>, Error> {
        let prefix = format!("{}{prefix}", decision::keys::PENDING);
        let listed = self.objects.list(&prefix).await?;
        let keys = listed.into_iter().map(|object| object.key);
        let mut entries = stream::iter(keys)
            .map(|key| async move { self.objects.get(&key).await })
            .buffer_unordered(CONCURRENCY);
        while let Some(bytes) = entries.try_next().await? {
            // The sweep reports unreadable entries.
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

    async fn progress(&self, entry: &HoldsEntry) -> Result<Progress, Error> {
        let Some(id) = entry.pending.statement_id.clone() else {
            return Ok(Progress::NeverSubmitted);
        };
        let id = StatementId(id);
        match entry.within_patience(self.warehouse.status(&id)).await? {
            Ok(Status::Running) => Ok(Progress::Running),
            Ok(Status::Finished) => Ok(Progress::Finished),
            Ok(Status::Failed { .. } | Status::Aborted) | Err(warehouse::Error::Unknown(_)) => {
                Ok(Progress::Failed)
            }
            Err(error) => Err(Error::warehouse(entry.statement())(error)),
        }
    }

    async fn submit_next_attempt(&self, model: &M, settling: &mut Settling) -> Result<(), Error> {
        let pending = &mut settling.entry.pending;
        pending.attempts += 1;
        pending.submitted_at = settling.now;
        pending.statement_id = None;
        // If we die after this write, the attempt is submitted again under the same token.
        settling.entry.write(self.objects).await?;
        self.submit(model, settling).await
    }

    /// Submits the current attempt and writes its id to the ledger.
    async fn submit(&self, model: &M, settling: &mut Settling) -> Result<(), Error> {
        let entry = &mut settling.entry;
        let attempt = entry.pending.attempts;
        let statement = model.evidence_statement(entry.statement(), attempt, &entry.holds);
        let id = entry
            .within_patience(self.warehouse.submit(&statement))
            .await?
            .map_err(Error::Submit)?;
        tracing::info!(
            statement = entry.pending.name,
            attempt,
            %id,
            holds = entry.holds.len(),
            "evidence statement submitted"
        );
        entry.pending.statement_id = Some(id.0);
        entry.write(self.objects).await?;
        settling.report.submitted += 1;
        Ok(())
    }

    async fn use_evidence(&self, model: &M, settling: &mut Settling) -> Result<(), Error> {
        let mut evidence = match self.evidence(model, &settling.entry).await {
            Ok(evidence) => evidence,
            Err(error) => return self.expire_after_failure(error, settling).await,
        };
        let before = evidence.rows.len();
        evidence.rows.retain(|_, row| model.is_complete(row));
        let partial = before - evidence.rows.len();
        settling.report.partial_rows += partial;
        let attempts = settling.entry.pending.attempts;
        if partial > 0 && !settling.overdue && attempts < model.policy().max_attempts {
            tracing::warn!(
                statement = settling.entry.statement(),
                partial,
                "evidence lacks features, because another bundle's statement computed it: \
                 submitting this bundle's statement"
            );
            return self.submit_next_attempt(model, settling).await;
        }
        self.confirm(model, settling, evidence).await
    }

    async fn evidence(&self, model: &M, entry: &HoldsEntry) -> Result<EvidenceRows, Error> {
        let LedgerEntry {
            name,
            attempts,
            statement_id,
            ..
        } = &entry.pending;
        let id = StatementId(statement_id.clone().unwrap_or_default());
        let statement = model.evidence_statement(name, *attempts, &entry.holds);
        let rows = entry
            .within_patience(self.warehouse.rows(&id, statement.sqls.len()))
            .await?
            .map_err(Error::warehouse(name))?;
        Ok(evidence::match_rows(&entry.open, rows))
    }

    /// Settles each open hold by its evidence row, and removes the entry.
    async fn confirm(
        &self,
        model: &M,
        settling: &mut Settling,
        mut evidence: EvidenceRows,
    ) -> Result<(), Error> {
        let policy = model.policy();
        let Settling { by, now, .. } = *settling;
        let mut finals = Vec::with_capacity(settling.entry.open.len());
        let mut missing = 0;
        for hold in &settling.entry.open {
            let Some(row) = evidence.rows.remove(hold.transaction_id.as_str()) else {
                missing += 1;
                finals.push(without_evidence(hold, policy.on_missing_evidence, by, now));
                continue;
            };
            let second = model.score(hold, &row);
            finals.push(Decision {
                score: second.score,
                reasons: second.reasons,
                model_version: model.version().to_owned(),
                evidence: Some(row),
                ..hold.settle(policy.settled(second.score), by, now)
            });
        }
        if evidence.ignored > 0 || missing > 0 {
            tracing::warn!(
                statement = settling.entry.statement(),
                ignored = evidence.ignored,
                missing,
                undecodable = evidence.undecodable.join(" "),
                "evidence rows do not match the holds: \
                 holds without a row are settled by on_missing_evidence"
            );
        }
        let report = &mut settling.report;
        report.ignored_rows += evidence.ignored;
        report.missing_rows += missing;
        report.undecodable_rows += evidence.undecodable.len();
        self.finish(settling, finals).await?;
        settling.entry.remove(self.objects).await
    }

    /// Settles each open hold by `on_failure`, and removes the entry.
    async fn settle_without_evidence(
        &self,
        model: &M,
        settling: &mut Settling,
    ) -> Result<(), Error> {
        let action = model.policy().on_failure;
        let Settling { by, now, .. } = *settling;
        let mut finals = Vec::with_capacity(settling.entry.open.len());
        for hold in &settling.entry.open {
            finals.push(without_evidence(hold, action, by, now));
        }
        self.finish(settling, finals).await?;
        settling.entry.remove(self.objects).await
    }

    /// Settles the overdue holds. If no hold is left open, removes the entry. Otherwise the entry
    /// stays complete, because its statement is about all its holds; settling the overdue ones
    /// again later has no effect.
    async fn expire(&self, settling: &mut Settling) -> Result<(), Error> {
        let now = settling.now;
        let mut finals = Vec::new();
        let open = &mut settling.entry.open;
        for hold in open.extract_if(.., |hold| hold.deadline <= now) {
            finals.push(without_evidence(
                &hold,
                self.on_expiry,
                SettledBy::Expiry,
                now,
            ));
        }
        self.finish(settling, finals).await?;
        if settling.entry.open.is_empty() {
            settling.entry.remove(self.objects).await?;
        }
        Ok(())
    }

    /// Settles the overdue holds after a failure. Returns the error if other holds are still open,
    /// or if none was overdue.
    async fn expire_after_failure(
        &self,
        error: Error,
        settling: &mut Settling,
    ) -> Result<(), Error> {
        if !settling.overdue {
            return Err(error);
        }
        tracing::warn!(
            statement = settling.entry.statement(),
            error = startup::chain(&error),
            "no evidence at the deadline: overdue holds expire"
        );
        if matches!(error, Error::TimedOut { .. }) {
            settling.report.unanswered += 1;
        }
        self.expire(settling).await?;
        if settling.entry.open.is_empty() {
            Ok(())
        } else {
            Err(error)
        }
    }
}

/// The final decision keeps the score of the first look.
fn without_evidence(hold: &Hold, action: Action, by: SettledBy, now: Timestamp) -> Decision {
    Decision {
        degraded: vec![EVIDENCE_MISSING.to_owned()],
        ..hold.settle(action, by, now)
    }
}
