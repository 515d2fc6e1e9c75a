//! One loader for each table.
//!
//! New objects are written down in waiting lists; a *load* takes all the lists that wait for a
//! table, copies their objects into a staging table and merges it, in one transaction. Loads of a
//! table are numbered. While one is under way, lists wait; its end begins the next.
//!
//! INVARIANT: no waiting list is forgotten. Every list is written before [`Loader::kick`]. Kick
//! either begins a load after that, or finds the next generation's ledger entry, which is deleted
//! only after its end was marked, whereupon [`Loader::advance`] kicks again and, as S3's listings
//! are strongly consistent, sees the list. Whoever dies between the two leaves the list to the
//! sweep, which kicks every table.
//!
//! INVARIANT: two statements never load one table at a time.
//! 1. A generation begins by `put_new` of its ledger entry, after the one before it was marked as
//!    ended. Marks are never taken back, and the highest is always there: the mark before it is
//!    deleted only after it was written. Who claims a generation that has ended meanwhile (its
//!    entry was there, and gone) finds its mark after the claim, and withdraws.
//! 2. Within a generation, an attempt is submitted only after the warehouse said that the one
//!    before it has failed; and an attempt runs once, however many submit it, since its client token is
//!    derived from its name and number.
//! 3. A generation is marked as ended only after its last attempt has ended.
//!
//! So a late or repeated event can do again what was done, but cannot touch the generation after.

use decision::ledger::LedgerEntry;
use futures_util::{StreamExt, TryStreamExt, stream};
use jiff::{SignedDuration, Timestamp};
use serde::Serialize;
use sha2::{Digest, Sha256};
use store::{Objects, PutNew};
use warehouse::{Statement, StatementId, Status, Warehouse};

use crate::ledger::{self, Generation, Load, Manifest};
use crate::{NewObject, WarehouseTable};

/// How many waiting lists one load takes at the most.
const LISTS_PER_LOAD: usize = 1_000;
/// How often a load is submitted before it is tried with fewer objects, or given up with one.
pub const MAX_ATTEMPTS: u32 = 3;
/// How long a failed load is left alone: a warehouse that fails at once would use up all attempts in
/// seconds. The sweep, and nobody else, comes back later than this.
const PAUSE: SignedDuration = SignedDuration::from_secs(60);
/// How many S3 calls are made at a time.
const CONCURRENCY: usize = 16;

/// What a loader needs to know.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Settings {
    /// The bucket of the objects.
    pub bucket: String,
    /// What our statements' names begin with.
    pub statement_prefix: String,
    /// How often a load is submitted before it is tried with fewer objects.
    pub max_attempts: u32,
}

/// The SQLs that load what a COPY manifest lists into a table: given the table and the manifest's URL.
pub type LoadSql = dyn Fn(WarehouseTable, &str) -> Vec<String> + Send + Sync;

/// Loads new objects into their tables.
pub struct Loader<'a, O, W> {
    /// The bucket.
    pub objects: &'a O,
    /// The warehouse.
    pub warehouse: &'a W,
    /// How a table is loaded: the bundle's definition names the columns.
    pub sql: &'a LoadSql,
    /// The rest.
    pub settings: &'a Settings,
}

/// Why a step of a load failed. Every step may be taken again.
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
    /// A ledger entry that can't be one of the loader's.
    #[error("{key} is no ledger entry of a load")]
    NotALoad {
        /// The key.
        key: String,
    },
}

/// How a table's loading stands after a kick.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum StartOutcome {
    /// No object waits.
    NothingWaits,
    /// A load is under way; its end kicks again.
    UnderWay,
    /// A load was begun.
    Begun,
}

/// How a load stands after [`Loader::advance`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum AdvanceOutcome {
    /// There is no such load (any more).
    Absent,
    /// It runs.
    Running,
    /// It failed; the sweep submits its next attempt.
    Waiting,
    /// It was submitted again, all of it after a pause or a part at once.
    Resubmitted,
    /// It failed for good, and its one list became two, which wait.
    Split,
    /// It succeeded.
    Loaded,
    /// It failed for good: its list lies in `manifests/failed/`.
    GivenUp,
}

impl<O: Objects, W: Warehouse> Loader<'_, O, W> {
    /// Writes down that these objects wait to be loaded into `table`.
    ///
    /// The list's key is derived from the objects and their versions: a message that comes twice
    /// writes one list, an object that was written again is loaded again.
    pub async fn write_down(
        &self,
        table: WarehouseTable,
        objects: &[NewObject],
    ) -> Result<(), Error> {
        let mut versions: Vec<&NewObject> = objects.iter().collect();
        versions.sort();
        versions.dedup();
        let id = digest(
            versions
                .iter()
                .flat_map(|object| [&object.bucket, &object.key, &object.version]),
        );
        let urls = versions
            .iter()
            .map(|object| format!("s3://{}/{}", object.bucket, object.key));
        self.put(&ledger::waiting(table, &id), &Manifest::of(urls))
            .await
    }

    /// Begins a load of whatever waits for `table`, unless one is under way.
    pub async fn kick(&self, table: WarehouseTable, now: Timestamp) -> Result<StartOutcome, Error> {
        loop {
            let generation = self.last_ended(table).await?.next();
            let mut waiting = self.list(&ledger::waiting_prefix(table)).await?;
            if waiting.is_empty() {
                return Ok(StartOutcome::NothingWaits);
            }
            waiting.truncate(LISTS_PER_LOAD);
            let load = Load::new(
                &self.settings.statement_prefix,
                table,
                generation,
                waiting,
                now,
            );
            let key = load.key();
            let bytes = bytes_of(&key, &load.entry())?;
            let claimed = self
                .objects
                .put_new(&key, bytes)
                .await
                .map_err(Error::objects(&key))?;
            if let PutNew::Exists(_) = claimed {
                return Ok(StartOutcome::UnderWay);
            }
            // INVARIANT (1): the entry may have been there and gone since we read the marks.
            if self.last_ended(table).await? >= generation {
                self.delete(&key).await?;
                continue;
            }
            return Ok(self
                .submit(load)
                .await?
                .map_or(StartOutcome::NothingWaits, |_| StartOutcome::Begun));
        }
    }

    /// Acts on what has become of the load with this statement name. The end of a load, and
    /// nothing else, begins the next.
    pub async fn advance(&self, name: &str, now: Timestamp) -> Result<AdvanceOutcome, Error> {
        let key = decision::keys::pending(name);
        let Some(bytes) = self.objects.get(&key).await.map_err(Error::objects(&key))? else {
            return Ok(AdvanceOutcome::Absent);
        };
        let entry = serde_json::from_slice(&bytes).map_err(Error::unreadable(&key))?;
        let load =
            Load::of(&self.settings.statement_prefix, entry).ok_or(Error::NotALoad { key })?;
        let table = load.table;
        if self.last_ended(table).await? >= load.generation {
            self.tidy_up(&load).await?;
            self.kick(table, now).await?;
            return Ok(AdvanceOutcome::Absent);
        }
        let repeated = self.repeats(&load) && load.statement_id.is_none();
        if repeated && now.duration_since(load.submitted_at) < PAUSE {
            return Ok(AdvanceOutcome::Waiting);
        }
        // Without an id, its submitter died or is still at it: the token makes ours the same attempt.
        let (load, id) = match load.statement_id.clone() {
            Some(id) => (load, StatementId(id)),
            None => match self.submit(load).await? {
                Some(submitted) => submitted,
                None => {
                    self.kick(table, now).await?;
                    return Ok(AdvanceOutcome::Absent);
                }
            },
        };
        let advanced = match self.warehouse.status(&id).await {
            Ok(Status::Running) if repeated => return Ok(AdvanceOutcome::Resubmitted),
            Ok(Status::Running) => return Ok(AdvanceOutcome::Running),
            Ok(Status::Finished) => self.finish(&load, AdvanceOutcome::Loaded).await?,
            Ok(Status::Failed { .. } | Status::Aborted) | Err(warehouse::Error::Unknown(_)) => {
                self.retry(load, now).await?
            }
            Err(error) => return Err(Error::warehouse(&load.name)(error)),
        };
        if !matches!(
            advanced,
            AdvanceOutcome::Waiting | AdvanceOutcome::Resubmitted
        ) {
            self.kick(table, now).await?;
        }
        Ok(advanced)
    }

    /// Whether a statement's name is that of a load.
    pub fn is_ours(&self, name: &str) -> bool {
        ledger::parse_statement_name(&self.settings.statement_prefix, name).is_some()
    }

    /// The names of all loads in the ledger.
    pub async fn under_way(&self) -> Result<Vec<String>, Error> {
        let keys = self
            .list(&format!(
                "{}{}-load-",
                decision::keys::PENDING,
                self.settings.statement_prefix
            ))
            .await?;
        Ok(keys
            .iter()
            .filter_map(|key| decision::keys::pending_name(key))
            .collect())
    }

    /// The name of the load whose present attempt has this id.
    pub async fn find(&self, id: &str) -> Result<Option<String>, Error> {
        for name in self.under_way().await? {
            let key = decision::keys::pending(&name);
            let Some(bytes) = self.objects.get(&key).await.map_err(Error::objects(&key))? else {
                continue;
            };
            // What can't be read is the sweep's to report.
            let Ok(entry) = serde_json::from_slice::<LedgerEntry>(&bytes) else {
                continue;
            };
            if entry.statement_id.as_deref() == Some(id) {
                return Ok(Some(name));
            }
        }
        Ok(None)
    }

    /// Submits the load's present attempt. None if nothing of it waits any more: then it has ended.
    async fn submit(&self, mut load: Load) -> Result<Option<(Load, StatementId)>, Error> {
        let lists: Vec<Option<Manifest>> = stream::iter(&load.waiting)
            .map(|key| self.manifest(key))
            .buffered(CONCURRENCY)
            .try_collect()
            .await?;
        // A list that is gone was loaded: only the end of a load deletes one.
        let entries: Vec<_> = lists
            .into_iter()
            .flatten()
            .flat_map(|list| list.entries)
            .collect();
        if entries.is_empty() {
            self.finish(&load, AdvanceOutcome::Loaded).await?;
            return Ok(None);
        }
        let manifest = Manifest::of(entries.into_iter().map(|entry| entry.url));
        self.put(&load.manifest(), &manifest).await?;
        let id = self
            .warehouse
            .submit(&self.statement(&load))
            .await
            .map_err(Error::warehouse(&load.name))?;
        let (lists, objects) = (load.waiting.len(), manifest.entries.len());
        tracing::info!(statement = load.name, %id, attempt = load.attempts, lists, objects, "load submitted");
        load.statement_id = Some(id.to_string());
        self.put(&load.key(), &load.entry()).await?;
        Ok(Some((load, id)))
    }

    fn statement(&self, load: &Load) -> Statement {
        let url = format!("s3://{}/{}", self.settings.bucket, load.manifest());
        Statement::new(
            load.name.clone(),
            load.attempts,
            (self.sql)(load.table, &url),
            Vec::new(),
        )
    }

    /// After a failed attempt: the next one, by the sweep; after a round of them, with the first half of
    /// the lists, so that one bad object does not keep the others out; after a round with one list, with
    /// the list in two; after a round with one object, the end.
    async fn retry(&self, mut load: Load, now: Timestamp) -> Result<AdvanceOutcome, Error> {
        tracing::warn!(
            statement = load.name,
            attempt = load.attempts,
            lists = load.waiting.len(),
            "load failed"
        );
        load.attempts += 1;
        let round_is_over = !self.repeats(&load);
        if round_is_over {
            if let [key] = load.waiting.as_slice() {
                let how = self.split(load.table, key).await?;
                if how == AdvanceOutcome::GivenUp {
                    let failed = ledger::failed(load.table, key);
                    tracing::error!(statement = load.name, list = failed, "load given up");
                }
                return self.finish(&load, how).await;
            }
            load.waiting.truncate(load.waiting.len().div_ceil(2));
        }
        load.submitted_at = now;
        load.statement_id = None;
        self.put(&load.key(), &load.entry()).await?;
        if !round_is_over {
            return Ok(AdvanceOutcome::Waiting);
        }
        self.submit(load).await?;
        Ok(AdvanceOutcome::Resubmitted)
    }

    /// Whether the load's present attempt is of the same objects as the one before it.
    fn repeats(&self, load: &Load) -> bool {
        !load
            .attempts
            .saturating_sub(1)
            .is_multiple_of(self.settings.max_attempts.max(1))
    }

    /// Writes a waiting list as two, or, if it has one object only, among those that have failed. The
    /// list itself is its load's to delete: whoever dies before that leaves both, which does no harm.
    async fn split(&self, table: WarehouseTable, key: &str) -> Result<AdvanceOutcome, Error> {
        let Some(Manifest { entries }) = self.manifest(key).await? else {
            return Ok(AdvanceOutcome::Split);
        };
        if entries.len() <= 1 {
            self.put(&ledger::failed(table, key), &Manifest { entries })
                .await?;
            return Ok(AdvanceOutcome::GivenUp);
        }
        let (first, second) = entries.split_at(entries.len() / 2);
        for half in [first, second] {
            let urls: Vec<String> = half.iter().map(|entry| entry.url.clone()).collect();
            self.put(
                &ledger::waiting(table, &digest(&urls)),
                &Manifest::of(urls.clone()),
            )
            .await?;
        }
        Ok(AdvanceOutcome::Split)
    }

    /// Ends a load: its lists wait no more, and the next generation may begin.
    async fn finish(&self, load: &Load, how: AdvanceOutcome) -> Result<AdvanceOutcome, Error> {
        stream::iter(&load.waiting)
            .map(|key| self.delete(key))
            .buffer_unordered(CONCURRENCY)
            .try_collect::<Vec<()>>()
            .await?;
        let mark = ledger::ended(load.table, load.generation);
        self.objects
            .put(&mark, Vec::new())
            .await
            .map_err(Error::objects(&mark))?;
        tracing::info!(statement = load.name, lists = load.waiting.len(), how = ?how, "load ended");
        self.tidy_up(load).await?;
        Ok(how)
    }

    /// Removes what a load that was marked as ended has left; its ledger entry last.
    async fn tidy_up(&self, load: &Load) -> Result<(), Error> {
        self.delete(&load.manifest()).await?;
        self.delete(&ledger::ended(load.table, load.generation.previous()))
            .await?;
        self.delete(&load.key()).await
    }

    async fn last_ended(&self, table: WarehouseTable) -> Result<Generation, Error> {
        let marks = self.list(&ledger::ended_prefix(table)).await?;
        Ok(marks
            .iter()
            .filter_map(|key| ledger::parse_ended(key))
            .max()
            .unwrap_or(Generation(0)))
    }

    async fn manifest(&self, key: &str) -> Result<Option<Manifest>, Error> {
        let bytes = self.objects.get(key).await.map_err(Error::objects(key))?;
        bytes
            .map(|bytes| serde_json::from_slice(&bytes))
            .transpose()
            .map_err(Error::unreadable(key))
    }

    async fn list(&self, prefix: &str) -> Result<Vec<String>, Error> {
        let listed = self
            .objects
            .list(prefix)
            .await
            .map_err(Error::objects(prefix))?;
        let mut keys: Vec<String> = listed.into_iter().map(|object| object.key).collect();
        keys.sort();
        Ok(keys)
    }

    async fn put(&self, key: &str, value: &impl Serialize) -> Result<(), Error> {
        self.objects
            .put(key, bytes_of(key, value)?)
            .await
            .map_err(Error::objects(key))
    }

    async fn delete(&self, key: &str) -> Result<(), Error> {
        self.objects.delete(key).await.map_err(Error::objects(key))
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

fn bytes_of(key: &str, value: &impl Serialize) -> Result<Vec<u8>, Error> {
    serde_json::to_vec(value).map_err(Error::unreadable(key))
}

/// SHA-256 of the parts, each with its length before it, in hexadecimal.
fn digest<'a>(parts: impl IntoIterator<Item = &'a String>) -> String {
    let mut hash = Sha256::new();
    for part in parts {
        hash.update((part.len() as u64).to_be_bytes());
        hash.update(part);
    }
    hash.finalize()
        .iter()
        .map(|byte| format!("{byte:02x}"))
        .collect()
}
