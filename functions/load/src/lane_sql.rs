use std::ops::RangeInclusive;

use decision::ledger::hold_group;
use features::Definition;
use features::sql::{
    self, BadRows, CopySource, HeldRows, HoldGroup, ReportsLoad, TransactionsLoad,
};
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
            Lane::Labels => {
                let reports = ReportsLoad {
                    arrived_at: arrival(load),
                    // Reports of earlier loads may wait for transactions of any hour.
                    hours: &[],
                };
                sql::load_reports(self.deployed, source, reports)
            }
            Lane::Outcomes => sql::load_outcomes(self.deployed, source, earliest(load)),
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
        let Some(version) = definition else {
            return Ok(None);
        };
        let batches = holds.batches.iter().map(|part| part.batch.hours.clone());
        let rows = HeldRows {
            turn: holds.turn.0,
            claim_id: &holds.claimant,
            from: holds.from,
            to: holds.to,
            cut_off: version.cut_off,
            hours: &times(&batches.collect::<Vec<_>>()),
        };
        Ok(Some(Sql {
            sqls: vec![sql::evidence(&version.definition, rows)],
            parameters: Vec::new(),
        }))
    }
}

/// When the last of the files of a load arrived. Their own rows may be older.
fn arrival(load: Load<'_>) -> Timestamp {
    let arrivals = load
        .entries
        .iter()
        .filter_map(|place| match entry(load.claim, *place)? {
            WaitingEntry::Labels(file) => Some(file.arrived_at),
            _ => None,
        });
    arrivals.max().unwrap_or_default()
}

/// When the earliest decision of a load was made.
fn earliest(load: Load<'_>) -> Timestamp {
    let decided = load
        .entries
        .iter()
        .filter_map(|place| match entry(load.claim, *place)? {
            WaitingEntry::Outcomes(slice) => Some(slice.decided_at),
            _ => None,
        });
    decided.min().unwrap_or(Timestamp::UNIX_EPOCH)
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

/// The times of the transactions that a load contains or reports; none if one of its files does
/// not say.
fn hours(load: Load<'_>) -> Vec<RangeInclusive<Timestamp>> {
    let mut all = Vec::new();
    for place in load.entries {
        match entry(load.claim, *place) {
            Some(WaitingEntry::Batch(batch)) => all.push(batch.hours),
            Some(WaitingEntry::History(file) | WaitingEntry::Labels(file))
                if !file.hours.ranges().is_empty() =>
            {
                all.push(file.hours);
            }
            _ => return Vec::new(),
        }
    }
    times(&all)
}

fn times(hours: &[HourRanges]) -> Vec<RangeInclusive<Timestamp>> {
    let union = HourRanges::union(hours);
    union
        .ranges()
        .iter()
        .filter_map(|range| range.times())
        .collect()
}
