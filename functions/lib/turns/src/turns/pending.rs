//! Which batches are on their way: what the sweep must not take for forgotten.

use std::collections::btree_map::Entry;
use std::collections::{BTreeMap, BTreeSet};

use store::Objects;
use warehouse::Warehouse;

use super::{Turns, Work};
use crate::{
    Claim, ClaimedEntry, Error, EvidenceEntry, Lane, TurnId, TurnNumber, WaitingEntry, batch_holds,
};

impl<O: Objects, W: Warehouse, K: Work> Turns<'_, O, W, K> {
    /// The names of the batches with holds that a waiting entry, or an unmarked turn of the lane of
    /// transactions or of an evidence lane, stands for.
    ///
    /// The places are read in the order in which a batch passes them, so that a batch that moves on
    /// meanwhile is found at a later place.
    pub async fn pending_batches(&self, evidence_lanes: u16) -> Result<BTreeSet<String>, Error> {
        let mut pending = BTreeSet::new();
        for prefix in WaitingEntry::prefixes(Lane::Transactions) {
            let listed = self.objects.list(&prefix).await;
            let listed = listed.map_err(Error::store(Lane::Transactions))?;
            for object in listed {
                if let Some(WaitingEntry::Batch(batch)) = WaitingEntry::parse(&object.key) {
                    pending.insert(batch.batch_name());
                }
            }
        }
        if let Some(claim) = self.unmarked_claim(Lane::Transactions).await? {
            let entries = claim.entries.iter().filter_map(ClaimedEntry::entry);
            pending.extend(entries.filter_map(|entry| match entry {
                WaitingEntry::Batch(batch) => Some(batch.batch_name()),
                _ => None,
            }));
        }
        let ranges = self.pending_ranges(evidence_lanes).await?;
        let mut claims: BTreeMap<TurnNumber, Claim> = BTreeMap::new();
        for range in ranges {
            let turn = TurnId {
                lane: Lane::Transactions,
                number: range.turn,
            };
            let claim = match claims.entry(range.turn) {
                Entry::Occupied(known) => known.into_mut(),
                Entry::Vacant(place) => place.insert(self.read(turn, &turn.claim_key()).await?),
            };
            pending.extend(batches_of_range(claim, &range));
        }
        Ok(pending)
    }

    /// The ranges that wait in any evidence lane, or that an unmarked turn of one is about.
    async fn pending_ranges(&self, evidence_lanes: u16) -> Result<Vec<EvidenceEntry>, Error> {
        let listed = self.objects.list("waiting/evidence-").await;
        let listed = listed.map_err(Error::store("evidence"))?;
        let mut ranges: Vec<EvidenceEntry> = listed
            .iter()
            .filter_map(|object| match WaitingEntry::parse(&object.key)? {
                WaitingEntry::Evidence(entry) => Some(entry),
                _ => None,
            })
            .collect();
        // A lane that was in use before the number of lanes was lowered still has its entries.
        let lanes: BTreeSet<u16> = ranges
            .iter()
            .map(|entry| entry.lane)
            .chain(0..evidence_lanes)
            .collect();
        for lane in lanes {
            let claim = self.unmarked_claim(Lane::Evidence(lane)).await?;
            let entries = claim.into_iter().flat_map(|claim| claim.entries);
            ranges.extend(entries.filter_map(|claimed| match claimed.entry()? {
                WaitingEntry::Evidence(entry) => Some(entry),
                _ => None,
            }));
        }
        Ok(ranges)
    }

    /// The turns of the lane of transactions that waiting or unmarked evidence refers to.
    pub(super) async fn turns_with_ranges(
        &self,
        evidence_lanes: u16,
    ) -> Result<BTreeSet<TurnNumber>, Error> {
        let ranges = self.pending_ranges(evidence_lanes).await?;
        Ok(ranges.into_iter().map(|range| range.turn).collect())
    }

    async fn unmarked_claim(&self, lane: Lane) -> Result<Option<Claim>, Error> {
        match self.latest(lane).await? {
            Some(latest) if !latest.ended => {
                let claim = self.read(latest.turn, &latest.turn.claim_key()).await?;
                Ok(Some(claim))
            }
            _ => Ok(None),
        }
    }
}

/// The names of the batches with holds in a range.
fn batches_of_range(claim: &Claim, range: &EvidenceEntry) -> Vec<String> {
    let mut names = Vec::new();
    for holds in batch_holds(claim) {
        if holds.first >= range.to || holds.end() <= range.from {
            continue;
        }
        let claimed = claim.entries.get(holds.place);
        if let Some(WaitingEntry::Batch(batch)) = claimed.and_then(ClaimedEntry::entry) {
            names.push(batch.batch_name());
        }
    }
    names
}
