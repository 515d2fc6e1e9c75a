//! What must hold when all work is done.

use std::collections::BTreeSet;

use decision::{SettledBy, keys};
use simulation::{Flaws, LABELS, System, Tables};

use super::Watch;
use crate::event::{HOLDS, RECORDS, TRANSACTIONS};

impl Watch {
    /// Checks a system without work.
    pub(crate) fn check_end(&self, system: &System, flaws: &Flaws) -> Result<(), String> {
        if !self.is_settled() {
            return Err(self.left());
        }
        let excused = self.excused(system, flaws);
        let check = |tables: &Tables| self.check_tables(tables, &excused);
        system.warehouse.with_tables(check)?;
        if self.provisional.len() != RECORDS {
            return Err(format!("{} provisional decisions", self.provisional.len()));
        }
        if self.identities.len() != HOLDS {
            return Err(format!(
                "{} holds were in the ledger",
                self.identities.len()
            ));
        }
        for id in self.identities.keys() {
            if !self.finals.contains_key(id) {
                return Err(format!("{id} has no final decision"));
            }
        }
        for outcome in self.outcomes.values() {
            let id = outcome.transaction_id.as_str();
            let is_expired = outcome.settled_by == SettledBy::Expiry;
            let is_excused = is_expired || excused.contains(id);
            if outcome.evidence.is_none() && !is_excused {
                return Err(format!("{id} is settled without evidence"));
            }
            if flaws.failing_holds.contains(&id) && outcome.evidence.is_some() {
                return Err(format!("{id} is settled with evidence that fails"));
            }
        }
        Ok(())
    }

    /// What is left to do.
    pub(crate) fn left(&self) -> String {
        format!(
            "left over: waiting {:?}, ledger {:?}, unmarked turns {:?}",
            self.waiting, self.open_ledgers, self.unmarked
        )
    }

    fn check_tables(&self, tables: &Tables, excused: &BTreeSet<String>) -> Result<(), String> {
        let rows: BTreeSet<&str> = tables.transactions.values().map(String::as_str).collect();
        if rows.len() != tables.transactions.len() {
            return Err(format!("a transaction has two rows: {rows:?}"));
        }
        let mut missing = TRANSACTIONS.into_iter().filter(|id| !rows.contains(id));
        if let Some(id) = missing.find(|id| !excused.contains(*id)) {
            return Err(format!("{id} has no row"));
        }
        let is_slice = |key: &String| key.starts_with(keys::OUTCOME_SLICES);
        let lost_slice = self.quarantined.iter().any(is_slice);
        let mut finals = self.finals.keys();
        let not_loaded = finals.find(|id| !tables.outcomes.contains(*id));
        if let Some(id) = not_loaded.filter(|_| !lost_slice) {
            return Err(format!("the final decision of {id} is not loaded"));
        }
        if !tables.loaded.contains(LABELS) && !self.quarantined.contains(LABELS) {
            return Err("the fraud reports are not loaded".to_owned());
        }
        Ok(())
    }

    /// The ids of transactions that the warehouse could not work with.
    pub(super) fn excused(&self, system: &System, flaws: &Flaws) -> BTreeSet<String> {
        let all = [&flaws.refused_rows[..], &flaws.failing_holds].concat();
        let mut excused: BTreeSet<String> = all.into_iter().map(str::to_owned).collect();
        for object in &self.quarantined {
            if !object.starts_with(keys::TRANSACTIONS) {
                continue;
            }
            let bytes = system.bucket.bytes(object).unwrap();
            let text = String::from_utf8(store::gunzip(object, &bytes).unwrap()).unwrap();
            for id in TRANSACTIONS {
                if text.contains(&format!("\"transaction_id\":\"{id}\"")) {
                    excused.insert(id.to_owned());
                }
            }
        }
        excused
    }
}
