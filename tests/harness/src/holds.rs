//! Holds, evidence rows and in-memory adapters for tests that settle holds.

use std::collections::BTreeMap;

use bundle::SecondScore;
use confirm::SecondModel;
use decision::ledger::LedgerObject;
use decision::settle::Outcome;
use decision::{Action, Decision, Entities, Evidence, Hold, Identity, Policy, keys};
use jiff::{SignedDuration, Timestamp};
use turns::{BatchEntry, HourRanges, VersionHolds, WaitingEntry};
use warehouse::{Row, Value};

use crate::fixture;
use crate::memory::{Bundles, Faults, Objects, Stream, Warehouse};

pub const PREFIX: &str = "second-look";
/// The time so many seconds after the holds were placed.
pub fn at(seconds: i64) -> Timestamp {
    "2026-11-24T01:14:00Z".parse::<Timestamp>().unwrap() + SignedDuration::from_secs(seconds)
}

/// A hold with the deadline `at(deadline)`.
pub fn hold(transaction: &str, deadline: i64) -> Hold {
    let mut entities = Entities::new();
    entities.insert("customer_id".to_owned(), "c1".to_owned());
    entities.insert("terminal_id".to_owned(), "t1".to_owned());
    Hold {
        decision_id: format!("000000000000-495-{transaction}"),
        transaction_id: transaction.into(),
        identity: Identity::new(transaction, at(-1), 300.0, ["c1", "t1"]),
        arrived_at: at(0),
        occurred_at: at(-1),
        amount: 300.0,
        entities,
        numbers: BTreeMap::new(),
        categories: BTreeMap::new(),
        profile: BTreeMap::new(),
        score: 0.6,
        reasons: Vec::new(),
        bundle_version: "first".to_owned(),
        decided_at: at(0),
        deadline: at(deadline),
    }
}

/// An evidence row of the hold with this ordinal. `looks` says which score it leads to: its column
/// `p` is the score.
pub fn row(ordinal: u32, looks: &str) -> Row {
    let (column, value) = match looks {
        "innocent" => ("p", Value::Number(0.05)),
        "unclear" => ("p", Value::Number(0.5)),
        "guilty" | "conflicting" => ("p", Value::Number(0.95)),
        "undecodable" => ("p", Value::Text("much".to_owned())),
        "partial" => ("q", Value::Number(0.5)),
        other => panic!("no evidence row looks {other}"),
    };
    Row::from([
        ("ordinal", Value::Integer(i64::from(ordinal))),
        ("_id_conflict", Value::Bool(looks == "conflicting")),
        (column, value),
    ])
}

/// Releases below 0.2 and blocks from 0.8. The two cases without evidence have different actions,
/// so that a test can distinguish them.
pub fn policy() -> Policy {
    Policy {
        on_expiry: Action::Release,
        on_missing_evidence: Action::Block,
        ..fixture::policy()
    }
}

/// Scores each hold by the column `p` of its evidence, with [`policy`].
#[derive(Debug)]
pub struct PlainModel(Policy);

impl PlainModel {
    /// A model of the definition of [`fixture::bundle`], for every version.
    pub fn bundles() -> Bundles<Self> {
        let definition = fixture::bundle().definition().clone();
        Bundles::new(Self(policy()), definition)
    }
}

impl SecondModel for PlainModel {
    fn policy(&self) -> &Policy {
        &self.0
    }

    fn evidence(&self, _: &Hold, numbers: Evidence) -> Option<Evidence> {
        numbers.contains_key("p").then_some(numbers)
    }

    fn score(&self, _: &Hold, evidence: &Evidence) -> SecondScore {
        SecondScore {
            score: evidence.get("p").copied().flatten().unwrap_or(f64::NAN),
            reasons: Vec::new(),
        }
    }
}

/// The waiting entry of a batch with these holds.
pub fn batch(shard: &str, first: u32, holds: &[Hold]) -> BatchEntry {
    let ledger = LedgerObject::new(String::new(), holds.to_vec());
    let held = ledger.versions().into_iter();
    BatchEntry {
        arrived_at: at(0),
        shard: shard.to_owned(),
        first: first.to_string(),
        last: (first + 9).to_string(),
        bytes: 428,
        held: held
            .map(|(version, holds)| VersionHolds {
                version: version.to_owned(),
                holds,
            })
            .collect(),
        due: holds.iter().map(|hold| hold.deadline).min(),
        hours: HourRanges::from_timestamps(holds.iter().map(|hold| hold.occurred_at)),
    }
}

/// The in-memory adapters that holds are settled with. All of them fail as `faults` says.
#[derive(Debug)]
pub struct World {
    pub faults: Faults,
    pub objects: Objects,
    pub decisions: Stream,
    pub warehouse: Warehouse,
}

impl World {
    /// The warehouse answers every statement with these rows.
    pub fn new(rows: Vec<Row>) -> Self {
        let faults = Faults::none();
        Self {
            objects: Objects::with(&faults),
            decisions: Stream::with(&faults),
            warehouse: Warehouse::with(&faults).answering(move |_, _| Ok(rows.clone())),
            faults,
        }
    }

    /// Writes the ledger object of a batch, as score does. Returns its key.
    pub fn write_ledger(&self, batch: &BatchEntry, holds: &[Hold]) -> String {
        let waiting = WaitingEntry::Batch(batch.clone()).key();
        let ledger = LedgerObject::new(waiting, holds.to_vec());
        let key = keys::ledger(batch.due.unwrap(), &batch.batch_name());
        self.objects.set(&key, ledger.to_ndjson().unwrap());
        key
    }

    /// Writes the ledger object and the waiting entry of a batch, as score does. Returns the key of
    /// the ledger object.
    pub fn place(&self, batch: &BatchEntry, holds: &[Hold]) -> String {
        let key = self.write_ledger(batch, holds);
        let waiting = WaitingEntry::Batch(batch.clone()).key();
        self.objects.set(&waiting, Vec::new());
        key
    }

    /// The outcomes by transaction.
    pub fn outcomes(&self) -> BTreeMap<String, Outcome> {
        let mut outcomes = BTreeMap::new();
        for key in self.objects.keys(keys::OUTCOMES) {
            let bytes = self.objects.bytes(&key).unwrap();
            let outcome: Outcome = serde_json::from_slice(&bytes).unwrap();
            outcomes.insert(outcome.transaction_id.to_string(), outcome);
        }
        outcomes
    }

    /// The final decisions in the slices for COPY, by decision id. Repetitions must be equal.
    pub fn slices(&self) -> BTreeMap<String, Decision> {
        let mut decisions = Vec::new();
        for key in self.objects.keys(keys::OUTCOME_SLICES) {
            let lines = store::gunzip(&key, &self.objects.bytes(&key).unwrap()).unwrap();
            for line in String::from_utf8(lines).unwrap().lines() {
                decisions.push(serde_json::from_str(line).unwrap());
            }
        }
        by_decision_id(decisions)
    }

    /// The decisions on the stream, by decision id. Repetitions must be equal.
    pub fn published(&self) -> BTreeMap<String, Decision> {
        by_decision_id(self.decisions.decisions())
    }
}

fn by_decision_id(decisions: Vec<Decision>) -> BTreeMap<String, Decision> {
    let mut found: BTreeMap<String, Decision> = BTreeMap::new();
    for decision in decisions {
        let id = decision.decision_id.clone();
        if let Some(earlier) = found.insert(id.clone(), decision.clone()) {
            assert_eq!(earlier, decision, "{id} has two different final decisions");
        }
    }
    found
}
