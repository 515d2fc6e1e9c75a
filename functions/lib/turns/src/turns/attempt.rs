//! Attempts: written first, submitted second, judged by what the warehouse says of them.

use jiff::{SignedDuration, Timestamp};
use store::{Objects, PutNew};
use warehouse::{Statement, StatementId, Status, Warehouse};

use super::{Current, Progress, Turns, Work, decode};
use crate::plan::{self, Next};
use crate::{Attempt, Claim, Error, Failure, Plan, PlannedStatement, TurnId, WaitingEntry};

/// A statement that has not ended this long after its attempt was written is cancelled. Statements
/// have a timeout of 5 minutes, which does not bound the time before they start.
const CANCEL_AFTER: SignedDuration = SignedDuration::from_mins(6);
/// The shortest and the longest pause before a statement is tried again.
const SHORTEST_PAUSE: SignedDuration = SignedDuration::from_secs(1);
const LONGEST_PAUSE: SignedDuration = SignedDuration::from_mins(1);
/// Into how many pauses the time to the earliest deadline is divided.
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
    /// statement of a lane runs, whoever submits it and however often.
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
        let attempt = Attempt {
            statement: self.planned(turn, claim, number, &next.plan).await?,
            plan: next.plan,
            after_timeout: next.after_timeout,
        };
        let key = turn.attempt_key(number);
        if let PutNew::Exists(bytes) = self.put_new(turn, &key, &attempt).await? {
            let theirs: Attempt = decode(&key, &bytes)?;
            if theirs != attempt {
                return Ok(());
            }
        }
        if let Some(planned) = attempt.statement {
            let statement = Statement::from(planned);
            let submitted = self.warehouse.submit(&statement).await;
            let id = submitted.map_err(Error::warehouse(turn))?;
            tracing::info!(%turn, attempt = number, %id, "statement submitted");
        }
        Ok(())
    }

    /// The statement of a plan; its manifest is written under a random name before.
    async fn planned(
        &self,
        turn: TurnId,
        claim: &Claim,
        number: u32,
        plan: &Plan,
    ) -> Result<Option<PlannedStatement>, Error> {
        let manifest = match plan {
            Plan::Load { entries, .. } => {
                let key = turn.manifest_key(&(self.settings.random_id)());
                let manifest = self.manifest(claim, entries);
                self.put(turn, &key, &manifest).await?;
                Some(format!("s3://{}/{key}", self.settings.bucket))
            }
            Plan::Evidence => None,
            Plan::NothingToLoad { .. } | Plan::Split | Plan::WithoutEvidence => return Ok(None),
        };
        let sql = self.work.sql(turn, claim, plan, manifest.as_deref()).await;
        let sql = sql.map_err(Error::work(turn))?;
        Ok(Some(PlannedStatement {
            name: turn.statement_name(&self.settings.stack, number),
            token: turn.token(&self.settings.bucket, &claim.claimant, number),
            sqls: sql.sqls,
            parameters: sql.parameters,
        }))
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
        // Its writer may have died before it was submitted. The token makes this the same
        // statement.
        let statement = Statement::from(planned);
        let id = match self.warehouse.submit(&statement).await {
            Ok(id) => id,
            Err(error) if error.is_transient() => return Err(Error::warehouse(turn)(error)),
            Err(error) => {
                tracing::error!(%turn, attempt = current.number, %error, "statement refused");
                return Ok(Self::again(claim, current, false, now));
            }
        };
        let status = self.warehouse.status(&id).await;
        match status.map_err(Error::warehouse(turn))? {
            Status::Finished => Ok(Verdict::Succeeded(Some(id))),
            Status::Running => {
                if now.duration_since(current.written_at) >= CANCEL_AFTER {
                    tracing::error!(%turn, attempt = current.number, %id, "statement cancelled");
                    let cancelled = self.warehouse.cancel(&id).await;
                    cancelled.map_err(Error::warehouse(turn))?;
                }
                Ok(Verdict::Progress(Progress::Running))
            }
            Status::Failed { error } => Ok(self.after_failure(turn, claim, current, &error, now)),
            // Only a cancellation aborts a statement.
            Status::Aborted => {
                let text = "statement timeout: the statement was cancelled";
                Ok(self.after_failure(turn, claim, current, text, now))
            }
        }
    }

    fn after_failure(
        &self,
        turn: TurnId,
        claim: &Claim,
        current: &Current,
        text: &str,
        now: Timestamp,
    ) -> Verdict {
        let failure = Failure::from_text(text);
        // The text may quote values, so it stays out of the log: DescribeStatement has it.
        tracing::error!(%turn, attempt = current.number, ?failure, "statement failed");
        let after_timeout = current.attempt.after_timeout || failure == Failure::Timeout;
        match plan::after(&current.attempt, claim, text) {
            Next::Again => Self::again(claim, current, after_timeout, now),
            Next::Plan { plan, quarantine } => Verdict::Next(NextAttempt {
                plan,
                quarantine,
                reason: text.to_owned(),
                after_timeout,
            }),
        }
    }

    /// The same plan again, when its pause is over.
    ///
    /// Attempts are spread over the time to the earliest deadline: a warehouse that fails at once
    /// must not use up the time in which it could have recovered.
    fn again(claim: &Claim, current: &Current, after_timeout: bool, now: Timestamp) -> Verdict {
        let due = current
            .written_at
            .saturating_add(pause(claim, current.written_at));
        let due = due.unwrap_or(now);
        if now < due {
            return Verdict::Progress(Progress::RetryAt(due));
        }
        Verdict::Next(NextAttempt {
            after_timeout,
            ..NextAttempt::first(current.attempt.plan.clone())
        })
    }
}

/// A random share, from half to all, of an eighth of the time to the earliest deadline.
fn pause(claim: &Claim, written_at: Timestamp) -> SignedDuration {
    let due = |claimed: &crate::ClaimedEntry| match claimed.entry()? {
        WaitingEntry::Batch(batch) => batch.due,
        _ => None,
    };
    let earliest = claim.entries.iter().filter_map(due).min();
    let longest = earliest.map_or(LONGEST_PAUSE, |due| due.duration_since(written_at) / PAUSES);
    let pause = longest.clamp(SHORTEST_PAUSE, LONGEST_PAUSE);
    let share = 0.5 + fastrand::f64() / 2.0;
    SignedDuration::from_secs_f64(pause.as_secs_f64() * share)
}
