//! Ends loads: after their success, or after their last attempt.

use futures_util::{StreamExt, TryStreamExt, stream};
use jiff::Timestamp;
use store::Objects;
use warehouse::Warehouse;

use crate::ledger::{self, Load, Manifest};
use crate::loader::{CONCURRENCY, digest};
use crate::{AdvanceOutcome, Error, Loader, WarehouseTable};

impl<O: Objects, W: Warehouse> Loader<'_, O, W> {
    /// Decides what follows a failed attempt. `max_attempts` attempts are one round.
    ///
    /// Within a round, the sweep submits the next attempt. After a round, the load continues with
    /// the first half of its lists, so that one bad object does not block the others. After a round
    /// with one list, the list is split into two. After a round with one object, the load ends.
    pub(crate) async fn retry(
        &self,
        mut load: Load,
        now: Timestamp,
    ) -> Result<AdvanceOutcome, Error> {
        tracing::warn!(
            statement = load.name,
            attempt = load.attempts,
            lists = load.waiting.len(),
            "load attempt failed"
        );
        load.attempts += 1;
        let round_is_over = !self.repeats(&load);
        if round_is_over {
            if let [key] = load.waiting.as_slice() {
                let outcome = self.split(load.table, key).await?;
                if outcome == AdvanceOutcome::GivenUp {
                    let failed = ledger::failed(load.table, key);
                    // The template counts this message: see `LoadsGivenUp` there.
                    tracing::error!(
                        statement = load.name,
                        list = failed,
                        "load given up: repair the object, then move the list back"
                    );
                }
                return self.finish(&load, outcome).await;
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

    /// Whether the load's current attempt has the same objects as the previous one.
    pub(crate) fn repeats(&self, load: &Load) -> bool {
        let earlier = load.attempts.saturating_sub(1);
        !earlier.is_multiple_of(self.settings.max_attempts.max(1))
    }

    /// Writes the waiting list as two lists, or moves it to the failed lists if it has one object.
    /// The end of the load deletes the list itself. If the process dies before that, the objects
    /// are in several lists, which does no harm.
    async fn split(&self, table: WarehouseTable, key: &str) -> Result<AdvanceOutcome, Error> {
        let Some(Manifest { entries }) = self.manifest(key).await? else {
            return Ok(AdvanceOutcome::Split);
        };
        if entries.len() <= 1 {
            let failed = ledger::failed(table, key);
            self.put(&failed, &Manifest { entries }).await?;
            return Ok(AdvanceOutcome::GivenUp);
        }
        let (first, second) = entries.split_at(entries.len() / 2);
        for half in [first, second] {
            let urls: Vec<String> = half.iter().map(|entry| entry.url.clone()).collect();
            let key = ledger::waiting(table, &digest(&urls));
            self.put(&key, &Manifest::of(urls)).await?;
        }
        Ok(AdvanceOutcome::Split)
    }

    /// Ends a load: deletes its lists, and allows the next generation to start.
    pub(crate) async fn finish(
        &self,
        load: &Load,
        outcome: AdvanceOutcome,
    ) -> Result<AdvanceOutcome, Error> {
        stream::iter(&load.waiting)
            .map(|key| self.objects.delete(key))
            .buffer_unordered(CONCURRENCY)
            .try_collect::<Vec<()>>()
            .await?;
        let mark = ledger::ended(load.table, load.generation);
        self.objects.put(&mark, Vec::new()).await?;
        tracing::info!(
            statement = load.name,
            lists = load.waiting.len(),
            ?outcome,
            "load ended"
        );
        self.clean_up(load).await?;
        Ok(outcome)
    }

    /// Deletes the objects of a load that was marked as ended; its ledger entry last.
    pub(crate) async fn clean_up(&self, load: &Load) -> Result<(), Error> {
        self.objects.delete(&load.manifest()).await?;
        let previous = ledger::ended(load.table, load.generation.previous());
        self.objects.delete(&previous).await?;
        self.objects.delete(&load.key()).await?;
        Ok(())
    }
}
