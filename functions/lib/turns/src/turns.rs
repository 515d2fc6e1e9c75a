//! What a process does about a lane: look for the next turn, or take an unmarked one further.

mod attempt;
mod objects;
mod pending;

use std::error::Error as StdError;

use jiff::{SignedDuration, Timestamp};
use store::{Objects, PutNew};
use warehouse::{StatementId, Warehouse};

use crate::select::{self, Listed};
use crate::{
    Attempt, Claim, ClaimedEntry, Ended, Error, Lane, Limits, Plan, Selection, TurnId, TurnNumber,
    WaitingEntry, plan,
};
use attempt::{NextAttempt, Verdict};
use objects::decode;

/// How many keys one page of a listing holds.
const PAGE: usize = 1_000;

/// What a stack's lanes have in common.
#[derive(Clone, Debug)]
pub struct Settings {
    pub bucket: String,
    /// The stack's name: statement names begin with it.
    pub stack: String,
    /// The most that one turn of a load takes.
    pub limits: Limits,
    /// How long batches without holds wait for a turn.
    pub load_interval: SignedDuration,
    /// Makes an id that no other process makes.
    pub random_id: fn() -> String,
}

/// The text of a statement.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Sql {
    pub sqls: Vec<String>,
    /// Values by the names that stand in the text as `:name`.
    pub parameters: Vec<(String, String)>,
}

/// A turn whose last attempt needs nothing more of the warehouse.
#[derive(Debug)]
pub struct Completed<'t> {
    pub turn: TurnId,
    pub claim: &'t Claim,
    pub plan: &'t Plan,
    /// The statement that succeeded, to read its rows; `None` for a plan without a statement.
    pub statement: Option<&'t StatementId>,
    /// How many SQL texts that statement has.
    pub sqls: usize,
}

impl Completed<'_> {
    /// The places in the claim of the entries that were loaded, asked about or put into quarantine.
    pub fn covered(&self) -> Vec<usize> {
        plan::covered(self.plan, self.claim)
    }
}

/// The part of a lane's work that this library does not know.
pub trait Work: Send + Sync {
    /// The statement of an attempt. `manifest` is the URL of the COPY manifest of a load.
    fn sql(
        &self,
        turn: TurnId,
        claim: &Claim,
        plan: &Plan,
        manifest: Option<&str>,
    ) -> impl Future<Output = Result<Sql, Box<dyn StdError + Send + Sync>>> + Send;

    /// The lane's own work after success. May run twice, at the same time too. Returns the lanes
    /// for which it wrote waiting entries.
    fn complete(
        &self,
        completed: Completed<'_>,
        now: Timestamp,
    ) -> impl Future<Output = Result<Vec<Lane>, Box<dyn StdError + Send + Sync>>> + Send;

    /// Whether this process does the own work of a lane. If not, it leaves the end of its turns to
    /// the function that does.
    fn completes(&self, lane: Lane) -> bool;
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
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
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

/// The objects of the latest turn of a lane.
struct Latest {
    turn: TurnId,
    ended: bool,
    /// The last attempt, if there is one, and when it was written.
    attempt: Option<(u32, Timestamp)>,
    /// When the newest object was written.
    modified: Timestamp,
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
    pub async fn start(&self, lane: Lane, now: Timestamp) -> Result<Started, Error> {
        // INVARIANT: the latest turn is read before the entries are listed. An entry that was
        // written while a turn ran is found by the listing that follows that turn's mark.
        let number = match self.latest(lane).await? {
            Some(latest) if !latest.ended => return Ok(Started::Busy),
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
            // The client's own retry can lose to its first try, whose answer was lost.
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
        let mut failed = Ok(());
        for lane in lanes {
            if let Err(error) = self.start(lane, now).await {
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
            let objects = self.objects.list_first(&prefix, most).await;
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

    /// The latest turn of a lane: numbers count down in keys, so it has the first key.
    async fn latest(&self, lane: Lane) -> Result<Option<Latest>, Error> {
        let prefix = TurnId::lane_prefix(lane);
        let first = self.objects.list_first(&prefix, 1).await;
        let first = first.map_err(Error::store(lane))?;
        let Some(turn) = first.first().and_then(|object| TurnId::of_key(&object.key)) else {
            return Ok(None);
        };
        let listed = self.objects.list(&turn.prefix()).await;
        let listed = listed.map_err(Error::store(turn))?;
        let mut latest = Latest {
            turn,
            ended: false,
            attempt: None,
            modified: Timestamp::MIN,
        };
        for object in listed {
            latest.modified = latest.modified.max(object.modified);
            latest.ended |= object.key == turn.ended_key();
            let name = object.key.strip_prefix(&turn.prefix()).unwrap_or_default();
            if let Some(number) = attempt_number(name) {
                latest.attempt = latest.attempt.max(Some((number, object.modified)));
            }
        }
        Ok(Some(latest))
    }
}

fn attempt_number(name: &str) -> Option<u32> {
    let is_number = name.len() == 4 && name.bytes().all(|byte| byte.is_ascii_digit());
    name.parse().ok().filter(|_| is_number)
}
