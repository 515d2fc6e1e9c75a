use std::error::Error as StdError;

use futures_util::{StreamExt, TryStreamExt, stream};
use jiff::{SignedDuration, Timestamp};
use store::Objects;
use turns::{
    Claim, ClaimedEntry, Completed, EvidenceEntry, HoldRange, Lane, Load, OnBadRows, Plan, Sql,
    WaitingEntry, Work, evidence_entries,
};
use warehouse::Warehouse;

use crate::{Definitions, Error, LaneSql, refused};

/// The maximum number of holds of one evidence statement.
pub const MAX_RANGE_HOLDS: u32 = 5_000;
const MINUTE: SignedDuration = SignedDuration::from_mins(1);
/// How many waiting entries are written at a time.
const CONCURRENCY: usize = 16;

/// The own work of the lanes `transactions`, `labels` and `outcomes`: the steps after a load.
#[derive(Clone, Copy, Debug)]
pub struct LoadWork<'a, O, W, D> {
    pub objects: &'a O,
    pub warehouse: &'a W,
    pub sql: LaneSql<'a, D>,
    /// How many evidence lanes the holds are spread over.
    pub evidence_lanes: u16,
}

impl<O: Objects, W: Warehouse, D: Definitions> LoadWork<'_, O, W, D> {
    /// Keeps the refused rows, and writes the waiting entries of the loaded holds.
    async fn finish(&self, completed: &Completed<'_>, now: Timestamp) -> Result<Vec<Lane>, Error> {
        let leaves_out = matches!(
            completed.plan,
            Plan::Load {
                on_bad_rows: OnBadRows::LeaveOut,
                ..
            }
        );
        if leaves_out {
            refused::keep(self.objects, self.warehouse, completed).await?;
        }
        if completed.turn.lane != Lane::Transactions {
            return Ok(Vec::new());
        }
        // After an outage, evidence for expired holds would delay the evidence for new ones.
        let mut in_time = completed.covered();
        in_time.retain(|place| is_in_time(completed.claim, *place, now));
        let entries = evidence_entries(
            completed.turn.number,
            completed.claim,
            &in_time,
            MAX_RANGE_HOLDS,
            self.evidence_lanes,
        );
        let lanes = entries
            .iter()
            .map(|entry| Lane::Evidence(entry.lane))
            .collect();
        self.let_wait(entries).await?;
        Ok(lanes)
    }

    async fn let_wait(&self, entries: Vec<EvidenceEntry>) -> Result<(), store::Error> {
        let keys = entries
            .into_iter()
            .map(|entry| WaitingEntry::Evidence(entry).key());
        stream::iter(keys)
            .map(|key| async move { self.objects.put(&key, Vec::new()).await })
            .buffer_unordered(CONCURRENCY)
            .try_collect()
            .await
    }
}

/// Whether the due minute of a batch is not over. After it, the sweep settles the holds of the batch
/// at their deadlines.
fn is_in_time(claim: &Claim, place: usize, now: Timestamp) -> bool {
    let entry = claim.entries.get(place).and_then(ClaimedEntry::entry);
    let Some(WaitingEntry::Batch(batch)) = entry else {
        return true;
    };
    batch.due.is_none_or(|due| now.duration_since(due) < MINUTE)
}

impl<O: Objects, W: Warehouse, D: Definitions> Work for LoadWork<'_, O, W, D> {
    async fn load_sql(&self, load: Load<'_>) -> Result<Sql, Box<dyn StdError + Send + Sync>> {
        Ok(self.sql.load(load)?)
    }

    async fn evidence_sql(
        &self,
        holds: &HoldRange,
    ) -> Result<Option<Sql>, Box<dyn StdError + Send + Sync>> {
        Ok(self.sql.evidence(holds).await?)
    }

    async fn complete(
        &self,
        completed: Completed<'_>,
        now: Timestamp,
    ) -> Result<Vec<Lane>, Box<dyn StdError + Send + Sync>> {
        Ok(self.finish(&completed, now).await?)
    }

    fn completes(&self, lane: Lane) -> bool {
        lane.loads()
    }
}
