use std::time::Duration;

use decision::ledger::{LedgerEntry, SettleWork};
use futures_util::{StreamExt, stream};
use jiff::Timestamp;
use store::Objects;

/// How many ledger entries are read at a time.
const CONCURRENCY: usize = 16;

/// What the ledger says is due.
#[derive(Debug, Default, PartialEq, Eq)]
pub struct DueWork {
    /// The statements with a hold whose deadline has passed, earliest deadline first.
    pub overdue: Vec<String>,
    /// The other statements whose holds are to be settled, earliest deadline first.
    pub holds: Vec<String>,
    /// The statements that load.
    pub loads: Vec<String>,
    /// How many entries are too young to be looked at.
    pub young: usize,
    /// Keys of entries that can't be read, or are not where their name says. They stay where they are.
    pub unreadable: Vec<String>,
    /// Keys of entries that could not be fetched this time.
    pub unreachable: Vec<String>,
}

/// Why a sweep has not done all that it is for.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// The bucket failed us.
    #[error("can't list the ledger")]
    List(#[from] store::Error),
    /// All was tried, and not all was done. The log says what, and why.
    #[error(
        "{failed} entries not dealt with, {unreadable} not readable, {given_up} loads given up"
    )]
    Left {
        /// Entries and tables that could not be dealt with.
        failed: usize,
        /// Entries that can't be read.
        unreadable: usize,
        /// Loads given up.
        given_up: usize,
    },
}

/// One entry of the ledger, as far as it matters here.
enum Seen {
    Holds {
        name: String,
        deadline: Option<Timestamp>,
    },
    Load {
        name: String,
    },
    Young,
    Gone,
    Unreadable(String),
    Unreachable(String),
}

/// Reads the ledger. An entry is due when its present attempt was written down more than `grace`
/// ago, for until then its event may come, or when one of its holds has passed its deadline.
pub async fn find<O: Objects>(
    objects: &O,
    grace: Duration,
    now: Timestamp,
) -> Result<DueWork, Error> {
    let listed = objects.list(decision::keys::PENDING).await?;
    let mut entries = stream::iter(listed)
        .map(|listed| look(objects, listed.key, grace, now))
        .buffer_unordered(CONCURRENCY);
    let mut due = DueWork::default();
    let mut holds = Vec::new();
    while let Some(entry) = entries.next().await {
        match entry {
            Seen::Holds { name, deadline } => holds.push((deadline, name)),
            Seen::Load { name } => due.loads.push(name),
            Seen::Young => due.young += 1,
            Seen::Gone => {}
            Seen::Unreadable(key) => due.unreadable.push(key),
            Seen::Unreachable(key) => due.unreachable.push(key),
        }
    }
    holds.sort();
    for (deadline, name) in holds {
        let passed = deadline.is_some_and(|deadline| deadline <= now);
        if passed {
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

async fn look<O: Objects>(objects: &O, key: String, grace: Duration, now: Timestamp) -> Seen {
    let bytes = match objects.get(&key).await {
        Ok(Some(bytes)) => bytes,
        // Settled since it was listed.
        Ok(None) => return Seen::Gone,
        Err(error) => {
            tracing::error!(
                key,
                error = startup::chain(&error),
                "ledger entry not fetched"
            );
            return Seen::Unreachable(key);
        }
    };
    let entry = match serde_json::from_slice::<LedgerEntry>(&bytes) {
        Ok(entry) if decision::keys::pending(&entry.name) == key => entry,
        Ok(_) => {
            tracing::error!(key, "ledger entry bears the name of another");
            return Seen::Unreadable(key);
        }
        Err(error) => {
            tracing::error!(
                key,
                line = error.line(),
                column = error.column(),
                "ledger entry not readable"
            );
            return Seen::Unreadable(key);
        }
    };
    let young = now.duration_since(entry.submitted_at)
        < jiff::SignedDuration::try_from(grace).unwrap_or_default();
    match entry.work {
        SettleWork::Confirm { holds } => {
            let deadline = holds.iter().map(|hold| hold.deadline).min();
            if young && deadline.is_some_and(|deadline| now < deadline) {
                Seen::Young
            } else {
                Seen::Holds {
                    name: entry.name,
                    deadline,
                }
            }
        }
        SettleWork::Load { .. } if young => Seen::Young,
        SettleWork::Load { .. } => Seen::Load { name: entry.name },
    }
}
