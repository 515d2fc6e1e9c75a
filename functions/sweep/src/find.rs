use std::time::Duration;

use decision::ledger::{LedgerEntry, SettleWork};
use futures_util::{StreamExt, stream};
use jiff::{SignedDuration, Timestamp};
use store::Objects;

use crate::Error;

/// The maximum number of ledger entries that are read concurrently.
const CONCURRENCY: usize = 16;

/// The due work of the ledger: names of statements, and keys of entries.
#[derive(Debug, Default, PartialEq, Eq)]
pub struct DueWork {
    /// Evidence statements with an overdue hold, earliest deadline first.
    pub overdue: Vec<String>,
    /// Other due evidence statements, earliest deadline first.
    pub holds: Vec<String>,
    pub loads: Vec<String>,
    /// The number of entries that are too young to be due.
    pub young: usize,
    /// Keys of entries that are unreadable or name another entry. They stay in the ledger.
    pub unreadable: Vec<String>,
    /// Keys of entries that could not be fetched in this sweep.
    pub unreachable: Vec<String>,
}

/// The result of reading one ledger entry.
enum EntryState {
    DueHolds {
        deadline: Option<Timestamp>,
        name: String,
    },
    DueLoad {
        name: String,
    },
    Young,
    Deleted,
    Unreadable {
        key: String,
    },
    Unreachable {
        key: String,
    },
}

/// Reads the ledger. An entry is due if the age of its current attempt is at least `grace`, or if
/// one of its holds is overdue. A completion event may still arrive for a younger attempt.
pub async fn find<O: Objects>(
    objects: &O,
    grace: Duration,
    now: Timestamp,
) -> Result<DueWork, Error> {
    let listed = objects.list(decision::keys::PENDING).await?;
    let mut entries = stream::iter(listed)
        .map(|listed| read(objects, listed.key, grace, now))
        .buffer_unordered(CONCURRENCY);
    let mut due = DueWork::default();
    let mut holds = Vec::new();
    while let Some(entry) = entries.next().await {
        match entry {
            EntryState::DueHolds { deadline, name } => holds.push((deadline, name)),
            EntryState::DueLoad { name } => due.loads.push(name),
            EntryState::Young => due.young += 1,
            EntryState::Deleted => {}
            EntryState::Unreadable { key } => due.unreadable.push(key),
            EntryState::Unreachable { key } => due.unreachable.push(key),
        }
    }
    holds.sort();
    for (deadline, name) in holds {
        if deadline.is_some_and(|deadline| deadline <= now) {
            due.overdue.push(name);
        } else {
            due.holds.push(name);
        }
    }
    due.loads.sort();
    due.unreadable.sort();
    due.unreachable.sort();
    Ok(due)
}

async fn read<O: Objects>(objects: &O, key: String, grace: Duration, now: Timestamp) -> EntryState {
    let bytes = match objects.get(&key).await {
        Ok(Some(bytes)) => bytes,
        Ok(None) => return EntryState::Deleted,
        Err(error) => {
            tracing::error!(
                key,
                error = startup::chain(&error),
                "can't fetch a ledger entry: the next sweep tries again"
            );
            return EntryState::Unreachable { key };
        }
    };
    let entry = match serde_json::from_slice::<LedgerEntry>(&bytes) {
        Ok(entry) if decision::keys::pending(&entry.name) == key => entry,
        Ok(_) => {
            tracing::error!(
                key,
                "ledger entry contains another entry's name: it is not settled until you repair it"
            );
            return EntryState::Unreadable { key };
        }
        Err(error) => {
            tracing::error!(
                key,
                line = error.line(),
                column = error.column(),
                "ledger entry is unreadable: it is not settled until you repair it"
            );
            return EntryState::Unreadable { key };
        }
    };
    state(entry, grace, now)
}

fn state(entry: LedgerEntry, grace: Duration, now: Timestamp) -> EntryState {
    let age = now.duration_since(entry.submitted_at);
    let young = age < SignedDuration::try_from(grace).unwrap_or_default();
    match entry.work {
        SettleWork::Confirm { holds } => {
            let deadline = holds.iter().map(|hold| hold.deadline).min();
            if young && deadline.is_some_and(|deadline| now < deadline) {
                EntryState::Young
            } else {
                EntryState::DueHolds {
                    deadline,
                    name: entry.name,
                }
            }
        }
        SettleWork::Load { .. } if young => EntryState::Young,
        SettleWork::Load { .. } => EntryState::DueLoad { name: entry.name },
    }
}
