use std::error::Error as StdError;

use jiff::Timestamp;
use turns::{Completed, HoldRange, Lane, Load, Sql, Work};

/// The own work of all lanes: the sweep ends turns of each lane.
#[derive(Clone, Copy, Debug)]
pub struct AllWork<'a, L, E> {
    /// For the lanes that load.
    pub load: &'a L,
    /// For the evidence lanes.
    pub evidence: &'a E,
}

impl<L: Work, E: Work> Work for AllWork<'_, L, E> {
    async fn load_sql(&self, load: Load<'_>) -> Result<Sql, Box<dyn StdError + Send + Sync>> {
        self.load.load_sql(load).await
    }

    async fn evidence_sql(
        &self,
        holds: &HoldRange,
    ) -> Result<Option<Sql>, Box<dyn StdError + Send + Sync>> {
        self.evidence.evidence_sql(holds).await
    }

    async fn complete(
        &self,
        completed: Completed<'_>,
        now: Timestamp,
    ) -> Result<Vec<Lane>, Box<dyn StdError + Send + Sync>> {
        if completed.turn.lane.loads() {
            self.load.complete(completed, now).await
        } else {
            self.evidence.complete(completed, now).await
        }
    }

    fn completes(&self, _lane: Lane) -> bool {
        true
    }
}
