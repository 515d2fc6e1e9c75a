//! What a process does about a lane: look for the next turn, or take an unmarked one further.

mod attempt;
mod clean_up;
mod latest;
mod objects;
mod pending;
mod settings;
mod work;

use std::time::Duration;

use futures_util::{StreamExt, stream};
use jiff::{SignedDuration, Timestamp};
use serde::Serialize;
use store::{Objects, PutNew};
use tokio::time::{Instant, sleep_until};
use warehouse::{StatementId, Warehouse};

use crate::select::{self, Listed};
use crate::{
    Attempt, Claim, ClaimedEntry, Ended, Error, Lane, Selection, TurnId, TurnNumber, WaitingEntry,
    plan,
};
use attempt::{NextAttempt, Verdict};
use objects::decode;
pub use settings::{Settings, SettingsError};
pub use work::{Completed, Load, Sql, Work};

/// The part of a function's time that is kept back for the work after a pause.
const RESERVE: Duration = Duration::from_secs(15);
/// How many keys one page of a listing holds.
const PAGE: usize = 1_000;
/// How many lanes are looked at side by side. Each start may submit a statement, and statements that
/// start together end together: the Data API accepts 30 submissions and 20 results a second.
const STARTS: usize = 4;

/// Who looks for the next turn of a lane.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Starter {
    /// A wake-up or the end of a turn.
    Event,
    /// The schedule.
    Sweep,
}

/// How a lane stands after a look for its next turn.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Started {
    NothingWaits,
    /// Entries wait, but none is held and the oldest is younger than the load interval.
    NotDue,
    /// A turn runs, or another process claimed the next one.
    Busy,
    /// This process claimed the next turn and submitted its first attempt.
    Claimed(TurnId),
}

/// How a turn stands after a step.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Progress {
    /// The lane has no turn, or its latest turn is marked.
    Idle,
    Running,
    /// The next attempt is due at this time.
    RetryAt(Timestamp),
    /// The own work of the lane is another function's.
    LeftToOther,
    /// This process ended the turn.
    Ended,
}

/// The turns of a stack.
pub struct Turns<'a, O, W, K> {
    pub objects: &'a O,
    pub warehouse: &'a W,
    pub work: &'a K,
    pub settings: &'a Settings,
}

/// An attempt as it stands in the bucket.
struct Current {
    number: u32,
    attempt: Attempt,
    written_at: Timestamp,
}

impl<O: Objects, W: Warehouse, K: Work> Turns<'_, O, W, K> {
    /// Starts the lane's next turn if none runs and entries are due.
    ///
    /// Called after a wake-up, after the mark of a turn, and by the sweep.
    pub async fn start(
        &self,
        lane: Lane,
        starter: Starter,
        now: Timestamp,
    ) -> Result<Started, Error> {
        let waits = lane == Lane::Transactions && self.settings.turn_interval.is_positive();
        if waits && starter == Starter::Event {
            return Ok(Started::NotDue);
        }
        // INVARIANT: the latest turn is read before the entries are listed. An entry that was
        // written while a turn ran is found by the listing that follows that turn's mark.
        let number = match self.latest(lane).await? {
            Some(latest) if !latest.ended => return Ok(Started::Busy),
            Some(latest) if waits && latest.is_younger(self.settings.turn_interval, now) => {
                return Ok(Started::NotDue);
            }
            Some(latest) => latest.turn.number.next(),
            None => TurnNumber::FIRST,
        };
        let turn = TurnId { lane, number };
        let entries = match self.choose(lane, now).await? {
            Selection::Nothing => return Ok(Started::NothingWaits),
            Selection::NotDue => return Ok(Started::NotDue),
            Selection::Take(entries) => self.claimed(turn, entries).await?,
        };
        if entries.is_empty() {
            return Ok(Started::NothingWaits);
        }
        let claim = Claim {
            claimant: (self.settings.random_id)(),
            entries,
        };
        let key = turn.claim_key();
        if let PutNew::Exists(bytes) = self.put_new(turn, &key, &claim).await? {
            // The client's retry can lose to its own first try, if the answer to that was lost.
            let winner: Claim = decode(&key, &bytes)?;
            if winner.claimant != claim.claimant {
                return Ok(Started::Busy);
            }
        }
        tracing::info!(%turn, entries = claim.entries.len(), "turn claimed");
        let plan = plan::first(lane, &claim);
        self.attempt(turn, &claim, 0, NextAttempt::first(plan))
            .await?;
        Ok(Started::Claimed(turn))
    }

    /// Takes the lane's latest turn as far as it can be taken now, and starts next turns after its
    /// end.
    pub async fn advance(&self, lane: Lane, now: Timestamp) -> Result<Progress, Error> {
        let Some(latest) = self.latest(lane).await? else {
            return Ok(Progress::Idle);
        };
        if latest.ended {
            return Ok(Progress::Idle);
        }
        let turn = latest.turn;
        let claim: Claim = self.read(turn, &turn.claim_key()).await?;
        let mut last = latest.attempt;
        loop {
            let Some((number, written_at)) = last else {
                let plan = plan::first(lane, &claim);
                self.attempt(turn, &claim, 0, NextAttempt::first(plan))
                    .await?;
                last = Some((0, now));
                continue;
            };
            let attempt = self.read(turn, &turn.attempt_key(number)).await?;
            let current = Current {
                number,
                attempt,
                written_at,
            };
            match self.judge(turn, &claim, &current, now).await? {
                Verdict::Progress(progress) => return Ok(progress),
                Verdict::Succeeded(statement) => {
                    return self.end(turn, &claim, &current, statement, now).await;
                }
                Verdict::Next(next) => {
                    self.attempt(turn, &claim, number + 1, next).await?;
                    last = Some((number + 1, now));
                }
            }
        }
    }

    /// [`Turns::advance`], then the next attempts that are due within `time_left`, the time until
    /// the function is stopped.
    pub async fn advance_within(
        &self,
        lane: Lane,
        now: Timestamp,
        time_left: Duration,
    ) -> Result<Progress, Error> {
        let started = Instant::now();
        let until = started + time_left.saturating_sub(RESERVE);
        loop {
            let passed = SignedDuration::try_from(started.elapsed()).unwrap_or_default();
            let now = now.saturating_add(passed).unwrap_or(now);
            let progress = self.advance(lane, now).await?;
            let Progress::RetryAt(due) = progress else {
                return Ok(progress);
            };
            let due = Instant::now() + due.duration_since(now).unsigned_abs();
            if due >= until {
                return Ok(progress);
            }
            sleep_until(due).await;
        }
    }

    /// [`Turns::advance`] if the lane's turn counts as left alone by its events; `None` if not.
    pub async fn advance_overdue(
        &self,
        lane: Lane,
        now: Timestamp,
    ) -> Result<Option<Progress>, Error> {
        match self.age(lane, now).await? {
            Some(age) if age >= self.settings.grace => self.advance(lane, now).await.map(Some),
            _ => Ok(None),
        }
    }

    /// How long ago the newest object of the lane's unmarked turn was written; `None` if no turn
    /// runs.
    pub async fn age(&self, lane: Lane, now: Timestamp) -> Result<Option<SignedDuration>, Error> {
        let latest = self.latest(lane).await?.filter(|latest| !latest.ended);
        Ok(latest.map(|latest| now.duration_since(latest.modified)))
    }

    /// The lane's own work, then the entries, then the mark, then the next turns: in this order, so
    /// that a process that dies in between leaves the turn unmarked and the work to be repeated.
    async fn end(
        &self,
        turn: TurnId,
        claim: &Claim,
        current: &Current,
        statement: Option<StatementId>,
        now: Timestamp,
    ) -> Result<Progress, Error> {
        if !self.work.completes(turn.lane) {
            return Ok(Progress::LeftToOther);
        }
        let plan = &current.attempt.plan;
        let completed = Completed {
            turn,
            claim,
            plan,
            statement: statement.as_ref(),
            sqls: current
                .attempt
                .statement
                .as_ref()
                .map_or(0, |planned| planned.sqls.len()),
        };
        let lanes = self.work.complete(completed, now).await;
        let lanes = lanes.map_err(Error::work(turn))?;
        let covered = plan::covered(plan, claim);
        let entries = covered.iter().filter_map(|place| claim.entries.get(*place));
        let keys: Vec<String> = entries.map(|claimed| claimed.key.clone()).collect();
        self.delete(turn, &keys).await?;
        let ended = Ended {
            attempt: current.number,
            entries: keys.len(),
        };
        self.put_new(turn, &turn.ended_key(), &ended).await?;
        tracing::info!(%turn, attempt = current.number, entries = keys.len(), "turn ended");
        self.start_all(turn.lane, lanes, now).await?;
        Ok(Progress::Ended)
    }

    /// Looks for the next turn in each of these lanes. A failure in one does not keep the others
    /// from being looked at; the sweep looks again.
    async fn start_all(
        &self,
        own: Lane,
        mut lanes: Vec<Lane>,
        now: Timestamp,
    ) -> Result<(), Error> {
        lanes.push(own);
        lanes.sort_unstable();
        lanes.dedup();
        let mut started = stream::iter(lanes)
            .map(|lane| self.start(lane, Starter::Event, now))
            .buffer_unordered(STARTS);
        let mut failed = Ok(());
        while let Some(result) = started.next().await {
            if let Err(error) = result {
                failed = Err(error);
            }
        }
        failed
    }

    /// The entries that the lane's next turn would take.
    async fn choose(&self, lane: Lane, now: Timestamp) -> Result<Selection, Error> {
        let first = self.waiting(lane).await?;
        let listed = if first.len() > PAGE {
            select::agreed(&first, self.waiting(lane).await?)
        } else {
            first
        };
        let Settings {
            limits,
            load_interval,
            ..
        } = self.settings;
        Ok(select::select(lane, listed, *limits, *load_interval, now))
    }

    /// The first entries of a lane, as many as one turn can take.
    async fn waiting(&self, lane: Lane) -> Result<Vec<Listed>, Error> {
        let most = self.settings.limits.objects.max(1);
        let mut found = Vec::new();
        for prefix in WaitingEntry::prefixes(lane) {
            let objects = self.objects.list_after(&prefix, "", most).await;
            let objects = objects.map_err(Error::store(lane))?;
            let (listed, strangers) = Listed::from_objects(objects);
            for key in strangers {
                tracing::error!(key, "no waiting entry: move the object elsewhere");
            }
            found.extend(listed);
        }
        Ok(found)
    }

    /// Entries with the keys of their files. An entry that is gone by now was covered by another
    /// turn.
    async fn claimed(
        &self,
        turn: TurnId,
        entries: Vec<WaitingEntry>,
    ) -> Result<Vec<ClaimedEntry>, Error> {
        let mut claimed = Vec::with_capacity(entries.len());
        for entry in entries {
            let key = entry.key();
            let file = match entry {
                WaitingEntry::History(_) | WaitingEntry::Labels(_) => {
                    match self.get_text(turn, &key).await? {
                        Some(file) => Some(file),
                        None => continue,
                    }
                }
                WaitingEntry::Batch(_) | WaitingEntry::Evidence(_) | WaitingEntry::Outcomes(_) => {
                    None
                }
            };
            claimed.push(ClaimedEntry { key, file });
        }
        Ok(claimed)
    }
}
