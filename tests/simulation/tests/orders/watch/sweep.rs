//! What a sweep that ends must have done.

use decision::keys::ledger_due;
use jiff::{SignedDuration, Timestamp};
use simulation::System;
use turns::{Lane, WaitingEntry};

use super::Watch;

/// A quarter of the longest time to a deadline: the age from which a ledger object is late.
const LATE: SignedDuration = SignedDuration::from_secs(150);

/// What the next sweep has to do.
#[derive(Debug, Default)]
pub(crate) struct Duties {
    /// The decision ids of the holds whose deadline has passed.
    overdue: Vec<String>,
    /// The keys of late ledger objects whose batches are not on their way.
    forgotten: Vec<String>,
}

impl Watch {
    /// What a sweep has to do that starts now.
    pub(crate) fn duties(&self, system: &System, now: Timestamp) -> Duties {
        let mut duties = Duties::default();
        for key in &self.open_ledgers {
            let holds = self.ledgers[&self.ledger_keys[key]].iter();
            let overdue = holds.filter(|hold| hold.deadline <= now);
            let overdue = overdue.map(|hold| hold.decision_id.clone());
            duties.overdue.extend(overdue);
            let age = system
                .bucket
                .modified(key)
                .map(|then| now.duration_since(then));
            let is_late = age.is_some_and(|age| age >= LATE);
            let is_due = ledger_due(key).is_some_and(|due| due <= now);
            if is_late && !is_due && !self.is_on_its_way(key) {
                duties.forgotten.push(key.clone());
            }
        }
        duties
    }

    /// Whether a waiting entry or an unmarked turn may stand for the batch of a ledger object.
    fn is_on_its_way(&self, key: &str) -> bool {
        let is_evidence = |key: &String| {
            let entry = WaitingEntry::parse(key).unwrap();
            matches!(entry.lane(), Lane::Evidence(_))
        };
        self.waiting.contains(&self.ledger_keys[key])
            || self.waiting.iter().any(is_evidence)
            || !self.unmarked.is_empty()
    }

    /// The sweep gave each overdue hold its final decision, and forgotten batches wait again.
    pub(crate) fn check_swept(&self, duties: &Duties) -> Result<(), String> {
        let mut overdue = duties.overdue.iter();
        if let Some(id) = overdue.find(|id| !self.finals.contains_key(*id)) {
            return Err(format!("{id} is overdue, and a sweep left it"));
        }
        let is_forgotten =
            |key: &&String| self.open_ledgers.contains(*key) && !self.is_on_its_way(key);
        match duties.forgotten.iter().find(is_forgotten) {
            Some(key) => Err(format!("{key} is forgotten, and a sweep left it")),
            None => Ok(()),
        }
    }
}
