//! Attempts: written first, submitted second, judged by what the warehouse says of them.

use jiff::{SignedDuration, Timestamp};
use store::{Objects, PutNew};
use warehouse::{Statement, StatementId, Status, Warehouse};

use super::{Current, Load, Progress, Sql, Turns, Work, decode};
use crate::plan::{self, Next};
use crate::{
    Attempt, Claim, Error, Failure, Plan, PlannedStatement, TurnId, WaitingEntry, hold_range,
};

/// A statement that has not ended this long after its attempt was written is cancelled. Statements
/// have a timeout of 5 minutes, which does not bound the time before they start.
const CANCEL_AFTER: SignedDuration = SignedDuration::from_mins(6);
/// The pause after attempt 0. It doubles with each attempt.
const FIRST_PAUSE: SignedDuration = SignedDuration::from_secs(1);
const LONGEST_PAUSE: SignedDuration = SignedDuration::from_mins(1);
/// No pause is longer than this part of the time to the earliest deadline.
const PAUSES: i32 = 8;

/// What an attempt leads to.
pub(super) enum Verdict {
    Progress(Progress),
    /// The statement succeeded, or the plan needs none.
    Succeeded(Option<StatementId>),
    Next(NextAttempt),
}

/// An attempt that is to be written.
pub(super) struct NextAttempt {
    pub(super) plan: Plan,
    /// Places of entries that go to quarantine before the attempt is written, and why.
    pub(super) quarantine: Vec<usize>,
    pub(super) reason: String,
    pub(super) after_timeout: bool,
}

impl NextAttempt {
    pub(super) const fn first(plan: Plan) -> Self {
        Self {
            plan,
            quarantine: Vec::new(),
            reason: String::new(),
            after_timeout: false,
        }
    }
}

impl<O: Objects, W: Warehouse, K: Work> Turns<'_, O, W, K> {
    /// Writes attempt `number` and submits its statement. If another process wrote it first, that
    /// one's attempt stands, and this process does nothing more.
    ///
    /// INVARIANT: an attempt is in the bucket before its statement is submitted, and the next
    /// number is written only after the warehouse said that this one has failed. So at most one
    /// statement of a lane runs, however many processes submit it.
    pub(super) async fn attempt(
        &self,
        turn: TurnId,
        claim: &Claim,
        number: u32,
        next: NextAttempt,
    ) -> Result<(), Error> {
        for place in &next.quarantine {
            self.quarantine(turn, claim, *place, &next.reason).await?;
        }
        let mut plan = next.plan;
        let sql = self.sql(turn, claim, &plan).await?;
        if sql.is_none() && plan == Plan::Evidence {
            plan = Plan::WithoutEvidence;
        }
        let planned = |sql: Sql| PlannedStatement {
            name: turn.statement_name(&self.settings.stack, number),
            token: turn.token(&self.settings.bucket, &claim.claimant, number),
            sqls: sql.sqls,
            parameters: sql.parameters,
        };
        let attempt = Attempt {
            plan,
            after_timeout: next.after_timeout,
            statement: sql.map(planned),
        };
        let key = turn.attempt_key(number);
        if let PutNew::Exists(bytes) = self.put_new(turn, &key, &attempt).await? {
            let theirs: Attempt = decode(&key, &bytes)?;
            if theirs != attempt {
                return Ok(());
            }
        }
        if let Some(planned) = attempt.statement {
            let submitted = self.submit(turn, number, planned.into()).await?;
            submitted.map_err(Error::warehouse(turn))?;
        }
        Ok(())
    }

    /// Submits the statement of an attempt and notes its id, so that the next process need not
    /// submit it again to learn the id. The inner error is the warehouse's.
    async fn submit(
        &self,
        turn: TurnId,
        number: u32,
        statement: Statement,
    ) -> Result<Result<StatementId, warehouse::Error>, Error> {
        let id = match self.warehouse.submit(&statement).await {
            Ok(id) => id,
            Err(error) => return Ok(Err(error)),
        };
        tracing::info!(%turn, attempt = number, %id, "statement submitted");
        self.put(turn, &turn.statement_key(number), &id.0).await?;
        Ok(Ok(id))
    }

    /// The status of the statement with the id that was noted; `None` if none was noted or the
    /// warehouse does not know it any more.
    async fn noted(
        &self,
        turn: TurnId,
        number: u32,
    ) -> Result<Option<(StatementId, Status)>, Error> {
        let key = turn.statement_key(number);
        let noted = self.objects.get(&key).await.map_err(Error::store(turn))?;
        let Some(noted) = noted else {
            return Ok(None);
        };
        let id = StatementId(decode(&key, &noted)?);
        match self.warehouse.status(&id).await {
            Ok(status) => Ok(Some((id, status))),
            Err(warehouse::Error::Unknown(_)) => Ok(None),
            Err(error) => Err(Error::warehouse(turn)(error)),
        }
    }

    /// The statement of a plan; the manifest of a load is written under a random name before.
    async fn sql(&self, turn: TurnId, claim: &Claim, plan: &Plan) -> Result<Option<Sql>, Error> {
        let sql = match plan {
            Plan::Load {
                entries,
                on_bad_rows,
                ..
            } => {
                let key = turn.manifest_key(&(self.settings.random_id)());
                self.put(turn, &key, &self.manifest(claim, entries)).await?;
                let manifest = format!("s3://{}/{key}", self.settings.bucket);
                let load = Load {
                    turn,
                    claim,
                    entries,
                    on_bad_rows: *on_bad_rows,
                    manifest: &manifest,
                };
                self.work.load_sql(load).await.map(Some)
            }
            Plan::Evidence => {
                let holds = hold_range(self.objects, claim).await?;
                self.work.evidence_sql(&holds).await
            }
            Plan::NothingToLoad { .. } | Plan::Split | Plan::WithoutEvidence => Ok(None),
        };
        sql.map_err(Error::work(turn))
    }

    /// What the warehouse says of an attempt, and what follows.
    pub(super) async fn judge(
        &self,
        turn: TurnId,
        claim: &Claim,
        current: &Current,
        now: Timestamp,
    ) -> Result<Verdict, Error> {
        let Some(planned) = current.attempt.statement.clone() else {
            return Ok(Verdict::Succeeded(None));
        };
        let (id, status) = match self.noted(turn, current.number).await? {
            Some(noted) => noted,
            // Its writer may have died before it was submitted. The token makes this the same
            // statement.
            None => match self.submit(turn, current.number, planned.into()).await? {
                Ok(id) => {
                    let status = self.warehouse.status(&id).await;
                    let status = status.map_err(Error::warehouse(turn))?;
                    (id, status)
                }
                Err(error) if error.is_transient() => return Err(Error::warehouse(turn)(error)),
                Err(error) => {
                    tracing::error!(%turn, attempt = current.number, %error, "statement refused");
                    return self.again(turn, claim, current, false, now).await;
                }
            },
        };
        match status {
            Status::Finished => Ok(Verdict::Succeeded(Some(id))),
            Status::Running => {
                if now.duration_since(current.written_at) >= CANCEL_AFTER {
                    tracing::error!(%turn, attempt = current.number, %id, "statement cancelled");
                    let cancelled = self.warehouse.cancel(&id).await;
                    cancelled.map_err(Error::warehouse(turn))?;
                }
                Ok(Verdict::Progress(Progress::Running))
            }
            Status::Failed { error } => self.after_failure(turn, claim, current, &error, now).await,
            // Only a cancellation aborts a statement.
            Status::Aborted => {
                let text = "statement timeout: the statement was cancelled";
                self.after_failure(turn, claim, current, text, now).await
            }
        }
    }

    async fn after_failure(
        &self,
        turn: TurnId,
        claim: &Claim,
        current: &Current,
        text: &str,
        now: Timestamp,
    ) -> Result<Verdict, Error> {
        let failure = Failure::from_text(text);
        // The text may quote values, so it stays out of the log: DescribeStatement has it.
        tracing::error!(%turn, attempt = current.number, ?failure, "statement failed");
        let after_timeout = current.attempt.after_timeout || failure == Failure::Timeout;
        match plan::after(&current.attempt, claim, text) {
            Next::Again => self.again(turn, claim, current, after_timeout, now).await,
            Next::Plan { plan, quarantine } => Ok(Verdict::Next(NextAttempt {
                plan,
                quarantine,
                reason: text.to_owned(),
                after_timeout,
            })),
        }
    }

    /// The same plan again, when its pause is over.
    ///
    /// Attempts are spread over the time to the earliest deadline: a warehouse that fails at once
    /// must not use up the time in which it could have recovered.
    async fn again(
        &self,
        turn: TurnId,
        claim: &Claim,
        current: &Current,
        after_timeout: bool,
        now: Timestamp,
    ) -> Result<Verdict, Error> {
        let earliest = if turn.lane.loads() {
            due_of_batches(claim)
        } else {
            let holds = hold_range(self.objects, claim).await?;
            holds.batches.iter().filter_map(|part| part.batch.due).min()
        };
        let pause = pause(turn, claim, current, earliest);
        let due = current.written_at.saturating_add(pause).unwrap_or(now);
        if now < due {
            return Ok(Verdict::Progress(Progress::RetryAt(due)));
        }
        Ok(Verdict::Next(NextAttempt {
            after_timeout,
            ..NextAttempt::first(current.attempt.plan.clone())
        }))
    }
}

/// The earliest due minute of the batches of a load.
fn due_of_batches(claim: &Claim) -> Option<Timestamp> {
    let due = |claimed: &crate::ClaimedEntry| match claimed.entry()? {
        WaitingEntry::Batch(batch) => batch.due,
        _ => None,
    };
    claim.entries.iter().filter_map(due).min()
}

/// The time from an attempt to the next. It doubles, up to an eighth of the time to the earliest
/// deadline. Of that, a share from half to all is taken.
///
/// The share depends on the attempt alone, so that all processes wait until the same time.
fn pause(
    turn: TurnId,
    claim: &Claim,
    current: &Current,
    earliest: Option<Timestamp>,
) -> SignedDuration {
    let time_left = earliest.map(|due| due.duration_since(current.written_at) / PAUSES);
    let longest = time_left.unwrap_or(LONGEST_PAUSE);
    let longest = longest.clamp(FIRST_PAUSE, LONGEST_PAUSE);
    let doubled = FIRST_PAUSE.saturating_mul(1 << current.number.min(10));
    let share = 0.5 + turn.jitter(&claim.claimant, current.number) / 2.0;
    SignedDuration::from_secs_f64(doubled.min(longest).as_secs_f64() * share)
}
