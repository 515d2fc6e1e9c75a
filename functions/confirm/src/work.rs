use std::error::Error as StdError;

use decision::{SettledBy, keys};
use jiff::Timestamp;
use load::{Definitions, LaneSql};
use store::{Objects, Stream};
use turns::{
    ClaimedEntry, Completed, HoldRange, Lane, Load, Plan, Sql, WaitingEntry, Work, hold_range,
    split,
};
use warehouse::Warehouse;

use crate::evidence::EvidenceRows;
use crate::{Bundles, Error, HoldToSettle, PartToSettle, Settler};

/// The own work of the evidence lanes: settles the holds of a statement that ended.
#[derive(Debug)]
pub struct EvidenceWork<'a, O, W, D, B, L> {
    pub settler: Settler<'a, O, D, B>,
    pub warehouse: &'a W,
    pub sql: LaneSql<'a, L>,
    /// The process that settles.
    pub settled_by: SettledBy,
}

impl<O: Objects, W: Warehouse, D: Stream, B: Bundles, L: Definitions>
    EvidenceWork<'_, O, W, D, B, L>
{
    async fn finish(&self, completed: &Completed<'_>, now: Timestamp) -> Result<Vec<Lane>, Error> {
        let rows = match completed.plan {
            Plan::Evidence => self.rows(completed).await?,
            Plan::WithoutEvidence => Vec::new(),
            Plan::Split => return self.split(completed).await,
            Plan::Load { .. } | Plan::NothingToLoad { .. } => {
                return Err(Error::NoEvidence(completed.turn.to_string()));
            }
        };
        let holds = hold_range(self.settler.objects, completed.claim).await?;
        let mut rows = EvidenceRows::read(rows, &(holds.from..holds.to));
        if rows.ignored > 0 || !rows.undecodable.is_empty() {
            tracing::error!(
                turn = %completed.turn,
                ignored = rows.ignored,
                undecodable = rows.undecodable.join(" "),
                "evidence rows do not match the holds: \
                 holds without a row are settled by on_missing_evidence"
            );
        }
        let parts = parts(&holds, &mut rows);
        let report = self.settler.settle(parts, self.settled_by, now).await?;
        tracing::info!(
            turn = %completed.turn,
            settled = report.settled(),
            absent = report.absent,
            missing_evidence = report.missing_evidence,
            damaged = report.damaged,
            "holds settled"
        );
        Ok(Vec::new())
    }

    async fn rows(&self, completed: &Completed<'_>) -> Result<Vec<warehouse::Row>, Error> {
        let Some(id) = completed.statement else {
            return Ok(Vec::new());
        };
        let rows = self.warehouse.rows(id, completed.sqls).await;
        rows.map_err(|source| Error::Rows {
            turn: completed.turn.to_string(),
            source,
        })
    }

    /// Writes the entries of the two halves of a range.
    async fn split(&self, completed: &Completed<'_>) -> Result<Vec<Lane>, Error> {
        let entry = completed
            .claim
            .entries
            .first()
            .and_then(ClaimedEntry::entry);
        let Some(WaitingEntry::Evidence(range)) = entry else {
            return Err(Error::NoEvidence(completed.turn.to_string()));
        };
        let mut lanes = Vec::new();
        for half in split(&range).into_iter().flatten() {
            lanes.push(Lane::Evidence(half.lane));
            let key = WaitingEntry::Evidence(half).key();
            self.settler.objects.put(&key, Vec::new()).await?;
        }
        Ok(lanes)
    }
}

/// The holds of a range in their ledger objects, each with its evidence.
fn parts(holds: &HoldRange, rows: &mut EvidenceRows) -> Vec<PartToSettle> {
    let mut parts = Vec::with_capacity(holds.batches.len());
    for part in &holds.batches {
        // INVARIANT: a batch with holds has a due minute.
        let Some(due) = part.batch.due else {
            continue;
        };
        let ordinals = part.ordinal..;
        let holds = part.places.clone().zip(ordinals);
        let holds = holds.map(|(place, ordinal)| HoldToSettle {
            place,
            known: rows.take(ordinal),
        });
        parts.push(PartToSettle {
            ledger: keys::ledger(due, &part.batch.batch_name()),
            holds: holds.collect(),
        });
    }
    parts
}

impl<O: Objects, W: Warehouse, D: Stream, B: Bundles, L: Definitions> Work
    for EvidenceWork<'_, O, W, D, B, L>
{
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
        !lane.loads()
    }
}
