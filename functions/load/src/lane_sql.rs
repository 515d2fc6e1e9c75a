use std::ops::RangeInclusive;

use decision::ledger::hold_group;
use features::Definition;
use features::sql::{self, BadRows, CopySource, HeldRows, HoldGroup, TransactionsLoad};
use jiff::Timestamp;
use turns::{
    Claim, ClaimedEntry, HoldRange, HourRanges, Lane, Load, OnBadRows, Sql, WaitingEntry,
    batch_holds,
};

use crate::{Definitions, Error};

/// The statements of all lanes.
#[derive(Debug)]
pub struct LaneSql<'a, D> {
    /// The deployed definition: it names the columns of the warehouse's tables.
    pub deployed: &'a Definition,
    /// For evidence: the bundle that placed a hold defines its features.
    pub definitions: &'a D,
    /// The role that COPY uses to read the bucket, or `default`.
    pub role_arn: &'a str,
}

// A derived implementation would require `D: Copy`.
impl<D> Clone for LaneSql<'_, D> {
    fn clone(&self) -> Self {
        *self
    }
}

impl<D> Copy for LaneSql<'_, D> {}

impl<D: Definitions> LaneSql<'_, D> {
    /// The statement of a load.
    pub fn load(&self, load: Load<'_>) -> Result<Sql, Error> {
        let source = CopySource {
            manifest: load.manifest,
            iam_role: self.role_arn,
            bad_rows: match load.on_bad_rows {
                OnBadRows::Fail => BadRows::Fail,
                OnBadRows::LeaveOut => BadRows::LeaveOut,
            },
        };
        let sqls = match load.turn.lane {
            Lane::Transactions => {
                let hours = hours(load);
                let transactions = TransactionsLoad {
                    turn: load.turn.number.0,
                    claim_id: &load.claim.claimant,
                    hold_groups: &hold_groups(load),
                    hours: &hours,
                };
                sql::load_transactions(self.deployed, source, transactions)
            }
            Lane::Labels => sql::load_reports(self.deployed, source),
            Lane::Outcomes => sql::load_outcomes(self.deployed, source),
            lane @ Lane::Evidence(_) => return Err(Error::NoLoad(lane.to_string())),
        };
        Ok(Sql {
            sqls,
            parameters: Vec::new(),
        })
    }

    /// The statement that asks for the evidence of these holds; `None` if their bundle does not
    /// open.
    pub async fn evidence(&self, holds: &HoldRange) -> Result<Option<Sql>, Error> {
        let definition = self.definitions.of_version(&holds.version).await;
        let definition = definition.map_err(|source| Error::Definition {
            version: holds.version.clone(),
            source,
        })?;
        let rows = HeldRows {
            turn: holds.turn.0,
            claim_id: &holds.claimant,
            from: holds.from,
            to: holds.to,
        };
        Ok(definition.map(|definition| Sql {
            sqls: vec![sql::evidence(&definition, rows)],
            parameters: Vec::new(),
        }))
    }
}

/// The holds of the batches that are loaded, with their ordinals.
fn hold_groups(load: Load<'_>) -> Vec<HoldGroup> {
    let mut groups = Vec::new();
    for holds in batch_holds(load.claim) {
        if !load.entries.contains(&holds.place) {
            continue;
        }
        if let Some(WaitingEntry::Batch(batch)) = entry(load.claim, holds.place) {
            groups.push(HoldGroup {
                group: hold_group(&batch.batch_name(), &holds.version),
                first: holds.first,
            });
        }
    }
    groups
}

fn entry(claim: &Claim, place: usize) -> Option<WaitingEntry> {
    claim.entries.get(place).and_then(ClaimedEntry::entry)
}

/// The times that the rows of a load span; none if a file of history does not say.
fn hours(load: Load<'_>) -> Vec<RangeInclusive<Timestamp>> {
    let mut all = Vec::new();
    for place in load.entries {
        match entry(load.claim, *place) {
            Some(WaitingEntry::Batch(batch)) => all.push(batch.hours),
            _ => return Vec::new(),
        }
    }
    let union = HourRanges::union(&all);
    union
        .ranges()
        .iter()
        .filter_map(|range| range.times())
        .collect()
}
