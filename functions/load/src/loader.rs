//! One sequence of loads for each table.
//!
//! New objects are written to waiting lists. A *load* takes all waiting lists of a table, copies
//! their objects into a staging table and merges it, in one transaction. The loads of a table are
//! numbered; the number is the *generation*. Lists wait while a load is running, and its end starts
//! the next load.
//!
//! INVARIANT: no waiting list is forgotten. Each list is written before [`Loader::start`], which
//! then does one of two things. It starts a load, which takes the list. Or it finds the ledger
//! entry of the next generation; that entry is deleted only after its end was marked, and then
//! [`Loader::advance`] calls `start` again. S3 listings are strongly consistent, so that call sees
//! the list. If a process dies in between, the sweep calls `start` for every table.
//!
//! INVARIANT: two statements never load one table at the same time.
//! 1. A generation starts with `put_new` of its ledger entry, after the previous generation was
//!    marked as ended. The highest mark always exists: a mark is deleted only after the next one was
//!    written. A process may claim a generation that ended in the meantime. It then finds the mark
//!    of that generation after its claim, and withdraws the claim.
//! 2. Within a generation, an attempt is submitted only after the previous attempt failed. An
//!    attempt runs once, however often it is submitted: its client token is derived from its name
//!    and number.
//! 3. A generation is marked as ended only after its last attempt has ended.
//!
//! So a late or repeated event can repeat old steps, but cannot affect the next generation.

use decision::ledger::LedgerEntry;
use futures_util::{StreamExt, TryStreamExt, stream};
use jiff::{SignedDuration, Timestamp};
use serde::Serialize;
use sha2::{Digest, Sha256};
use store::{Objects, PutNew};
use warehouse::{Statement, StatementId, Status, Warehouse};

use crate::ledger::{self, Generation, Load, Manifest};
use crate::{AdvanceOutcome, Error, NewObject, StartOutcome, WarehouseTable};

/// The maximum number of waiting lists that one load takes.
const LISTS_PER_LOAD: usize = 1_000;
/// How often a load is submitted before it is tried with fewer objects.
pub const MAX_ATTEMPTS: u32 = 3;
/// How long a failed load waits for its next attempt. Without the pause, a warehouse that fails at
/// once would use up all attempts in seconds. Only the sweep comes back after the pause.
const PAUSE: SignedDuration = SignedDuration::from_secs(60);
/// How many S3 calls are made at a time.
pub(crate) const CONCURRENCY: usize = 16;

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Settings {
    pub bucket: String,
    /// The prefix of our statements' names.
    pub statement_prefix: String,
    /// How often a load is submitted before it is tried with fewer objects.
    pub max_attempts: u32,
}

/// The SQL statements that load a table, given the table and the URL of the COPY manifest.
pub type LoadSql<'a> = dyn Fn(WarehouseTable, &str) -> Vec<String> + Send + Sync + 'a;

pub struct Loader<'a, O, W> {
    pub objects: &'a O,
    pub warehouse: &'a W,
    /// The bundle's definition names the columns.
    pub sql: &'a LoadSql<'a>,
    pub settings: &'a Settings,
}

impl<O: Objects, W: Warehouse> Loader<'_, O, W> {
    /// Writes a waiting list of these objects, to be loaded into `table`.
    ///
    /// The list's key is derived from the objects and their versions. So a repeated message writes
    /// the same list, and an object that was overwritten is loaded again.
    pub async fn enqueue(&self, table: WarehouseTable, objects: &[NewObject]) -> Result<(), Error> {
        let mut versions: Vec<&NewObject> = objects.iter().collect();
        versions.sort();
        versions.dedup();
        let mut parts = Vec::new();
        let mut urls = Vec::new();
        for object in versions {
            parts.extend([&object.bucket, &object.key, &object.version]);
            urls.push(format!("s3://{}/{}", object.bucket, object.key));
        }
        let key = ledger::waiting(table, &digest(parts));
        self.put(&key, &Manifest::of(urls)).await
    }

    /// Starts a load of all waiting lists of `table`, unless a load is running.
    pub async fn start(
        &self,
        table: WarehouseTable,
        now: Timestamp,
    ) -> Result<StartOutcome, Error> {
        loop {
            let generation = self.last_ended(table).await?.next();
            let mut waiting = self.list(&ledger::waiting_prefix(table)).await?;
            if waiting.is_empty() {
                return Ok(StartOutcome::NothingWaits);
            }
            waiting.truncate(LISTS_PER_LOAD);
            let prefix = &self.settings.statement_prefix;
            let load = Load::new(prefix, table, generation, waiting, now);
            let key = load.key();
            let bytes = bytes_of(&key, &load.entry())?;
            if let PutNew::Exists(_) = self.objects.put_new(&key, bytes).await? {
                return Ok(StartOutcome::UnderWay);
            }
            // INVARIANT (1): this generation may have started and ended since we read the marks.
            if self.last_ended(table).await? >= generation {
                self.objects.delete(&key).await?;
                continue;
            }
            return match self.submit(load).await? {
                Some(_) => Ok(StartOutcome::Begun),
                None => Ok(StartOutcome::NothingWaits),
            };
        }
    }

    /// Takes the next step of the load with this statement name. If the load has ended, starts the
    /// table's next load.
    pub async fn advance(&self, name: &str, now: Timestamp) -> Result<AdvanceOutcome, Error> {
        let key = decision::keys::pending(name);
        let Some(bytes) = self.objects.get(&key).await? else {
            return Ok(AdvanceOutcome::Absent);
        };
        let entry = serde_json::from_slice(&bytes).map_err(Error::unreadable(&key))?;
        let load =
            Load::of(&self.settings.statement_prefix, entry).ok_or(Error::NotALoad { key })?;
        let table = load.table;
        if self.last_ended(table).await? >= load.generation {
            self.clean_up(&load).await?;
            self.start(table, now).await?;
            return Ok(AdvanceOutcome::Absent);
        }
        let repeated = self.repeats(&load) && load.statement_id.is_none();
        if repeated && now.duration_since(load.submitted_at) < PAUSE {
            return Ok(AdvanceOutcome::Waiting);
        }
        // Without an id, the submitting process died or is still running. Its attempt and ours have
        // the same token, so they are one statement.
        let (load, id) = match load.statement_id.clone() {
            Some(id) => (load, StatementId(id)),
            None => match self.submit(load).await? {
                Some(submitted) => submitted,
                None => {
                    self.start(table, now).await?;
                    return Ok(AdvanceOutcome::Absent);
                }
            },
        };
        let outcome = match self.warehouse.status(&id).await {
            Ok(Status::Running) if repeated => return Ok(AdvanceOutcome::Resubmitted),
            Ok(Status::Running) => return Ok(AdvanceOutcome::Running),
            Ok(Status::Finished) => self.finish(&load, AdvanceOutcome::Loaded).await?,
            Ok(Status::Failed { .. } | Status::Aborted) | Err(warehouse::Error::Unknown(_)) => {
                self.retry(load, now).await?
            }
            Err(source) => {
                let statement = load.name;
                return Err(Error::Status { statement, source });
            }
        };
        match outcome {
            AdvanceOutcome::Waiting | AdvanceOutcome::Resubmitted => {}
            _ => {
                self.start(table, now).await?;
            }
        }
        Ok(outcome)
    }

    /// Whether this is the name of a load's statement in this stack.
    pub fn is_ours(&self, name: &str) -> bool {
        ledger::parse_statement_name(&self.settings.statement_prefix, name).is_some()
    }

    /// The names of all loads in the ledger.
    pub async fn under_way(&self) -> Result<Vec<String>, Error> {
        let prefix = &self.settings.statement_prefix;
        let keys = self
            .list(&format!("{}{prefix}-load-", decision::keys::PENDING))
            .await?;
        let names = keys
            .iter()
            .filter_map(|key| decision::keys::pending_name(key));
        Ok(names.collect())
    }

    /// The name of the load whose current attempt has this id.
    pub async fn find(&self, id: &str) -> Result<Option<String>, Error> {
        for name in self.under_way().await? {
            let key = decision::keys::pending(&name);
            let Some(bytes) = self.objects.get(&key).await? else {
                continue;
            };
            // The sweep reports unreadable entries.
            let Ok(entry) = serde_json::from_slice::<LedgerEntry>(&bytes) else {
                continue;
            };
            if entry.statement_id.as_deref() == Some(id) {
                return Ok(Some(name));
            }
        }
        Ok(None)
    }

    /// Submits the load's current attempt. `None` if none of its lists waits any more: then the
    /// load has ended.
    pub(crate) async fn submit(
        &self,
        mut load: Load,
    ) -> Result<Option<(Load, StatementId)>, Error> {
        let lists: Vec<Option<Manifest>> = stream::iter(&load.waiting)
            .map(|key| self.manifest(key))
            .buffered(CONCURRENCY)
            .try_collect()
            .await?;
        // A missing list was loaded: only the end of a load deletes lists.
        let mut urls = Vec::new();
        for list in lists.into_iter().flatten() {
            urls.extend(list.entries.into_iter().map(|entry| entry.url));
        }
        if urls.is_empty() {
            self.finish(&load, AdvanceOutcome::Loaded).await?;
            return Ok(None);
        }
        let manifest = Manifest::of(urls);
        self.put(&load.manifest(), &manifest).await?;
        let statement = self.statement(&load);
        let id = self
            .warehouse
            .submit(&statement)
            .await
            .map_err(Error::Submit)?;
        tracing::info!(
            statement = load.name,
            %id,
            attempt = load.attempts,
            lists = load.waiting.len(),
            objects = manifest.entries.len(),
            "load submitted"
        );
        load.statement_id = Some(id.to_string());
        self.put(&load.key(), &load.entry()).await?;
        Ok(Some((load, id)))
    }

    fn statement(&self, load: &Load) -> Statement {
        let url = format!("s3://{}/{}", self.settings.bucket, load.manifest());
        let sqls = (self.sql)(load.table, &url);
        Statement::new(load.name.clone(), load.attempts, sqls, Vec::new())
    }

    async fn last_ended(&self, table: WarehouseTable) -> Result<Generation, Error> {
        let marks = self.list(&ledger::ended_prefix(table)).await?;
        let generations = marks.iter().filter_map(|key| ledger::parse_ended(key));
        Ok(generations.max().unwrap_or(Generation(0)))
    }

    pub(crate) async fn manifest(&self, key: &str) -> Result<Option<Manifest>, Error> {
        let Some(bytes) = self.objects.get(key).await? else {
            return Ok(None);
        };
        let manifest = serde_json::from_slice(&bytes).map_err(Error::unreadable(key))?;
        Ok(Some(manifest))
    }

    async fn list(&self, prefix: &str) -> Result<Vec<String>, Error> {
        let listed = self.objects.list(prefix).await?;
        let mut keys: Vec<String> = listed.into_iter().map(|object| object.key).collect();
        keys.sort();
        Ok(keys)
    }

    pub(crate) async fn put(&self, key: &str, value: &impl Serialize) -> Result<(), Error> {
        self.objects.put(key, bytes_of(key, value)?).await?;
        Ok(())
    }
}

fn bytes_of(key: &str, value: &impl Serialize) -> Result<Vec<u8>, Error> {
    serde_json::to_vec(value).map_err(Error::unreadable(key))
}

/// The SHA-256 of the parts in hex. The length of each part precedes it.
pub(crate) fn digest<'a>(parts: impl IntoIterator<Item = &'a String>) -> String {
    let mut hash = Sha256::new();
    for part in parts {
        hash.update((part.len() as u64).to_be_bytes());
        hash.update(part);
    }
    hex::encode(hash.finalize())
}
