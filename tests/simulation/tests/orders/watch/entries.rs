//! Waiting entries: each goes only when its work is done, or was handed on.

use std::collections::BTreeSet;

use decision::keys;
use jiff::SignedDuration;
use simulation::{Flaws, System, Tables};
use turns::{BatchEntry, EvidenceEntry, TurnId, WaitingEntry};

use super::Watch;
use crate::event::{Event, transactions_until};

impl Watch {
    /// Returns the notification of the entry.
    pub(super) fn entry_written(&mut self, key: &str) -> Option<Event> {
        self.waiting.insert(key.to_owned());
        let entry = WaitingEntry::parse(key).unwrap();
        let is_held = entry.is_held();
        match entry {
            WaitingEntry::Batch(batch) => {
                self.batches.insert(key.to_owned(), batch);
            }
            WaitingEntry::Evidence(range) => self.evidence.push(range),
            _ => {}
        }
        is_held.then(|| Event::Object(key.to_owned()))
    }

    pub(super) fn check_entry_gone(&self, key: &str, system: &System) -> Result<(), String> {
        let done = match WaitingEntry::parse(key).unwrap() {
            WaitingEntry::Batch(batch) => {
                let is_handed_on = self.has_evidence_entries(key) || is_over(&batch, system);
                self.is_batch_done(&batch, system) && is_handed_on
            }
            WaitingEntry::Outcomes(slice) => {
                let object = keys::outcome_slice(slice.decided_at, &slice.name);
                self.is_done(&object, system)
            }
            WaitingEntry::Labels(_) => self.is_done(simulation::LABELS, system),
            WaitingEntry::Evidence(range) => self.is_range_done(&range),
            WaitingEntry::History(_) => unreachable!("no order has files of history"),
        };
        match done {
            true => Ok(()),
            false => Err(format!("{key} waits no longer, but its work is not done")),
        }
    }

    /// Whether an object is loaded or in quarantine.
    fn is_done(&self, object: &str, system: &System) -> bool {
        let is_loaded = |tables: &Tables| tables.loaded.contains(object);
        self.quarantined.contains(object) || system.warehouse.with_tables(is_loaded)
    }

    fn is_batch_done(&self, batch: &BatchEntry, system: &System) -> bool {
        let object = keys::transactions(batch.arrived_at, &batch.batch_name());
        self.is_done(&object, system)
    }

    /// Whether a turn that covered this entry wrote evidence entries for all its holds.
    fn has_evidence_entries(&self, key: &str) -> bool {
        self.claims.iter().any(|(number, claimed)| {
            let mut entries = claimed.claim.entries.iter();
            let Some(place) = entries.position(|entry| entry.key == key) else {
                return false;
            };
            let mut of_batch = claimed.holds.iter().filter(|holds| holds.place == place);
            of_batch.all(|holds| (holds.first..holds.end()).all(|one| self.is_asked(*number, one)))
        })
    }

    /// Whether the evidence of a hold was ever to be asked for.
    fn is_asked(&self, turn: u64, ordinal: u32) -> bool {
        let mut ranges = self.evidence.iter().filter(|range| range.turn.0 == turn);
        ranges.any(|range| (range.from..range.to).contains(&ordinal))
    }

    /// Whether each hold of a range has an outcome, or smaller ranges have taken its place.
    fn is_range_done(&self, range: &EvidenceEntry) -> bool {
        let is_handed_on = |ordinal: u32| {
            let mut smaller = self.evidence.iter().filter(|other| {
                other.turn == range.turn && other.to - other.from < range.to - range.from
            });
            smaller.any(|other| (other.from..other.to).contains(&ordinal))
        };
        let mut ordinals = range.from..range.to;
        ordinals.all(|ordinal| self.has_outcome(range, ordinal) || is_handed_on(ordinal))
    }

    fn has_outcome(&self, range: &EvidenceEntry, ordinal: u32) -> bool {
        let claimed = &self.claims[&range.turn.0];
        for holds in &claimed.holds {
            if !(holds.first..holds.end()).contains(&ordinal) {
                continue;
            }
            let key = &claimed.claim.entries[holds.place].key;
            let earlier = self.batches[key].held.iter();
            let earlier = earlier.take_while(|held| held.version != holds.version);
            let offset: u32 = earlier.map(|held| held.holds).sum();
            let hold = &self.ledgers[key][(offset + ordinal - holds.first) as usize];
            return self.outcomes.contains_key(&hold.identity);
        }
        false
    }

    /// Evidence is asked for when its holds, and all that came before them in their shards, are
    /// loaded.
    pub(crate) fn check_evidence(
        &self,
        turn: TurnId,
        system: &System,
        flaws: &Flaws,
    ) -> Result<(), String> {
        let claim = system.bucket.bytes(&turn.claim_key()).unwrap();
        let claim: turns::Claim = serde_json::from_slice(&claim).unwrap();
        let Some(WaitingEntry::Evidence(range)) = claim.entries[0].entry() else {
            return Ok(());
        };
        let loaded = &self.claims[&range.turn.0];
        let mut needed = BTreeSet::new();
        for holds in &loaded.holds {
            if holds.end() > range.from && holds.first < range.to {
                let batch = &self.batches[&loaded.claim.entries[holds.place].key];
                needed.extend(transactions_until(
                    &batch.shard,
                    batch.last.parse().unwrap(),
                ));
            }
        }
        let rows = |tables: &Tables| tables.transactions.values().cloned().collect();
        let rows: BTreeSet<String> = system.warehouse.with_tables(rows);
        let mut missing = needed.into_iter().filter(|id| !rows.contains(*id));
        match missing.find(|id| !self.excused(system, flaws).contains(*id)) {
            Some(id) => Err(format!("{turn} asks for evidence before {id} is loaded")),
            None => Ok(()),
        }
    }
}

/// Whether the due minute of a batch is over: then its holds expire without evidence.
fn is_over(batch: &BatchEntry, system: &System) -> bool {
    let now = system.bucket.now();
    let is_past = |due| now.duration_since(due) >= SignedDuration::from_mins(1);
    batch.due.is_some_and(is_past)
}
