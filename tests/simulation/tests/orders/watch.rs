//! What must hold after every step, and at the end.

mod end;
mod entries;
mod finals;
mod sweep;

use std::collections::{BTreeMap, BTreeSet};

use decision::ledger::LedgerObject;
use decision::settle::Outcome;
use decision::{Action, Decision, Identity, keys};
use jiff::Timestamp;
use serde::Deserialize;
use simulation::{Change, LABELS, System};
use turns::{Claim, Lane, Plan, TurnId, WaitingEntry};

use crate::event::Event;
pub(crate) use sweep::Duties;

/// Watches a system.
#[derive(Default)]
pub(crate) struct Watch {
    /// The keys of the waiting entries.
    waiting: BTreeSet<String>,
    /// All evidence entries that were ever written.
    evidence: Vec<turns::EvidenceEntry>,
    /// All batches that ever waited, by the key of their entry.
    batches: BTreeMap<String, turns::BatchEntry>,
    /// All ledger objects that were ever written, by the key of their waiting entry.
    ledgers: BTreeMap<String, Vec<LedgerHold>>,
    /// The waiting entry of each ledger object that was ever written, by its key.
    ledger_keys: BTreeMap<String, String>,
    /// The keys of the ledger objects that are there.
    open_ledgers: BTreeSet<String>,
    /// The claims of the lane of transactions, by the number of their turn.
    claims: BTreeMap<u64, TransactionsClaim>,
    unmarked: BTreeSet<TurnId>,
    outcomes: BTreeMap<Identity, Outcome>,
    identities: BTreeMap<String, Identity>,
    /// The first final decision under each decision id.
    finals: BTreeMap<String, Decision>,
    /// The provisional action and score under each decision id.
    provisional: BTreeMap<String, (Action, f64)>,
    /// How many records of the stream of decisions were read.
    records: usize,
    /// The keys of the objects in quarantine.
    quarantined: BTreeSet<String>,
    sights: BTreeSet<Sight>,
}

/// A claim of the lane of transactions and its holds.
struct TransactionsClaim {
    claim: Claim,
    holds: Vec<turns::BatchHolds>,
}

struct LedgerHold {
    decision_id: String,
    identity: Identity,
    deadline: Timestamp,
}

/// What happened in an order. Tests name what must have happened in some of theirs.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Sight {
    EvidenceLane(u16),
    /// One turn loaded holds of two bundle versions.
    TwoVersions,
    Split,
    WithoutEvidence,
    RefusedRow,
    ObjectInQuarantine(Lane),
    Cancelled(Lane),
    ByConfirm,
    BySweep,
    Expired,
    /// A process went on after everything was settled.
    LateZombie,
    /// Every hold was settled before a sweep ran.
    SettledByEventsAlone,
}

/// The part of an attempt that the watch needs.
#[derive(Deserialize)]
struct PlanOfAttempt {
    plan: Plan,
}

impl Watch {
    pub(crate) fn saw(&mut self, sight: Sight) {
        self.sights.insert(sight);
    }

    pub(crate) const fn sights(&self) -> &BTreeSet<Sight> {
        &self.sights
    }

    /// Checks what has changed; an error says which guarantee is broken. Returns the notifications
    /// of new objects.
    pub(crate) fn check(&mut self, system: &System) -> Result<Vec<Event>, String> {
        if let Some(name) = system.warehouse.overlapping() {
            return Err(format!("{name} ran beside another statement of its lane"));
        }
        self.check_decisions(system)?;
        let mut notifications = Vec::new();
        for change in system.bucket.take_changes() {
            match change {
                Change::Written(key) => notifications.extend(self.written(&key, system)?),
                Change::Deleted(key) => self.deleted(&key, system)?,
            }
        }
        Ok(notifications)
    }

    fn written(&mut self, key: &str, system: &System) -> Result<Option<Event>, String> {
        if key.starts_with("waiting/") {
            return Ok(self.entry_written(key));
        }
        if key.starts_with("turns/") {
            self.turn_written(key, system);
        } else if key.starts_with(keys::LEDGER) {
            self.ledger_written(key, system);
        } else if key.starts_with(keys::OUTCOMES) {
            self.outcome_written(key, system)?;
        } else if let Some(object) = key.strip_prefix(keys::QUARANTINE) {
            self.quarantine_written(object);
        }
        Ok((key == LABELS).then(|| Event::Object(key.to_owned())))
    }

    fn deleted(&mut self, key: &str, system: &System) -> Result<(), String> {
        if self.waiting.remove(key) {
            return self.check_entry_gone(key, system);
        }
        if self.open_ledgers.remove(key) {
            return self.check_ledger_gone(key);
        }
        Err(format!("{key} is deleted"))
    }

    fn turn_written(&mut self, key: &str, system: &System) {
        let turn = TurnId::of_key(key).unwrap();
        let bytes = || system.bucket.bytes(key).unwrap();
        if key == turn.claim_key() {
            self.unmarked.insert(turn);
            match turn.lane {
                Lane::Transactions => {
                    let claim: Claim = serde_json::from_slice(&bytes()).unwrap();
                    let holds = turns::batch_holds(&claim);
                    let versions: BTreeSet<_> = holds.iter().map(|held| &held.version).collect();
                    if versions.len() > 1 {
                        self.saw(Sight::TwoVersions);
                    }
                    self.claims
                        .insert(turn.number.0, TransactionsClaim { claim, holds });
                }
                Lane::Evidence(lane) => self.saw(Sight::EvidenceLane(lane)),
                Lane::Labels | Lane::Outcomes => {}
            }
        } else if key == turn.ended_key() {
            self.unmarked.remove(&turn);
        } else if !turn.lane.loads() && !key.ends_with("-statement") {
            let attempt: PlanOfAttempt = serde_json::from_slice(&bytes()).unwrap();
            match attempt.plan {
                Plan::Split => self.saw(Sight::Split),
                Plan::WithoutEvidence => self.saw(Sight::WithoutEvidence),
                _ => {}
            }
        }
    }

    fn ledger_written(&mut self, key: &str, system: &System) {
        self.open_ledgers.insert(key.to_owned());
        let ledger = LedgerObject::parse(&system.bucket.bytes(key).unwrap()).unwrap();
        let mut holds = Vec::new();
        for hold in ledger.holds {
            self.identities
                .insert(hold.decision_id.clone(), hold.identity);
            holds.push(LedgerHold {
                decision_id: hold.decision_id,
                identity: hold.identity,
                deadline: hold.deadline,
            });
        }
        self.ledger_keys
            .insert(key.to_owned(), ledger.waiting.clone());
        self.ledgers.insert(ledger.waiting, holds);
    }

    fn quarantine_written(&mut self, object: &str) {
        if object.ends_with("refused.ndjson") {
            self.saw(Sight::RefusedRow);
        } else if !object.ends_with(".reason.json") {
            self.quarantined.insert(object.to_owned());
            let lane = match object {
                LABELS => Lane::Labels,
                slice if slice.starts_with(keys::OUTCOME_SLICES) => Lane::Outcomes,
                _ => Lane::Transactions,
            };
            self.saw(Sight::ObjectInQuarantine(lane));
        }
    }

    /// Whether nothing is left to do.
    pub(crate) fn is_settled(&self) -> bool {
        self.waiting.is_empty() && self.are_holds_settled()
    }

    /// Whether nothing is left to do about a hold.
    pub(crate) fn are_holds_settled(&self) -> bool {
        let is_held = |key: &String| WaitingEntry::parse(key).unwrap().is_held();
        let waits = self.waiting.iter().any(is_held);
        !waits && self.open_ledgers.is_empty() && self.unmarked.is_empty()
    }
}
