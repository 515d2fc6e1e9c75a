//! Whether all batches are loaded that profiles must contain.

use std::fmt::{self, Display, Formatter};
use std::time::{Duration, Instant};

use jiff::{SignedDuration, Timestamp};
use store::Objects;
use turns::{Lane, WaitingEntry};
use warehouse::Warehouse;

use crate::handler::Clock;
use crate::{Handler, HandlerError};

/// How often waiting entries are listed while profiles wait for loads.
const POLL: Duration = Duration::from_secs(5);

/// Batches that arrived up to a cut-off and are not loaded.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Backlog {
    pub batches: usize,
    /// The age of the oldest of them.
    pub age: SignedDuration,
}

impl Display for Backlog {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        let Self { batches, age } = self;
        write!(
            f,
            "{batches} batches that arrived up to then are not loaded, the oldest is {} s old",
            age.as_secs()
        )
    }
}

impl<O: Objects, W: Warehouse> Handler<'_, O, W> {
    /// Waits until every batch that arrived up to the cut-off is loaded, and fails when that takes
    /// too long: profiles without these batches would be wrong until the next cut-off.
    pub(crate) async fn wait_for_loads(
        &self,
        cut_off: Timestamp,
        clock: Clock,
    ) -> Result<(), HandlerError> {
        let began = Instant::now();
        while let Some(backlog) = self.backlog(cut_off, clock.now()).await? {
            if began.elapsed() >= self.loads_patience {
                return Err(HandlerError::NotLoaded { cut_off, backlog });
            }
            tracing::info!(%backlog, "profiles wait for loads");
            tokio::time::sleep(POLL.min(self.loads_patience / 20)).await;
        }
        Ok(())
    }

    async fn backlog(
        &self,
        cut_off: Timestamp,
        now: Timestamp,
    ) -> Result<Option<Backlog>, HandlerError> {
        // Keys begin with the arrival, so the first page says whether there is a backlog.
        let live = format!("{}live/", WaitingEntry::prefix(Lane::Transactions));
        let first = self.objects.list_after(&live, "", 1).await?;
        let first = first.iter().filter_map(|object| arrival(&object.key));
        if first.min().is_none_or(|arrived_at| arrived_at > cut_off) {
            return Ok(None);
        }
        let objects = self.objects.list(&live).await?;
        let arrivals = objects.iter().filter_map(|object| arrival(&object.key));
        let before: Vec<Timestamp> = arrivals.filter(|at| *at <= cut_off).collect();
        Ok(before.iter().min().map(|oldest| Backlog {
            batches: before.len(),
            age: now.duration_since(*oldest),
        }))
    }
}

fn arrival(key: &str) -> Option<Timestamp> {
    match WaitingEntry::parse(key)? {
        WaitingEntry::Batch(entry) => Some(entry.arrived_at),
        _ => None,
    }
}
