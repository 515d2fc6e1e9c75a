//! Holds, evidence rows and in-memory adapters for tests that settle holds.

use std::collections::BTreeMap;

use decision::ledger::{LedgerEntry, SettleWork};
use decision::{Decision, Entities, Hold, Policy, keys};
use jiff::{SignedDuration, Timestamp};
use warehouse::{Row, Statement, StatementId, Value, Warehouse as _};

use crate::memory::{Faults, Objects, Stream, Warehouse};

pub const PREFIX: &str = "second-look";
/// A statement name as score gives it, with sequence numbers of full length.
pub const NAME: &str = "second-look-confirm-000000000000-\
    49590338271490256608559692538361571095921575989136588898-\
    49590338271490256608559692540925702759324208523137515618";

/// The time so many seconds after the holds were placed.
pub fn at(seconds: i64) -> Timestamp {
    "2026-11-24T01:14:00Z".parse::<Timestamp>().unwrap() + SignedDuration::from_secs(seconds)
}

/// A hold whose deadline is at `at(deadline)`.
pub fn hold(transaction: &str, deadline: i64) -> Hold {
    let mut entities = Entities::new();
    entities.insert("customer_id".to_owned(), "c1".to_owned());
    entities.insert("terminal_id".to_owned(), "t1".to_owned());
    Hold {
        decision_id: format!("000000000000-495-{transaction}"),
        transaction_id: transaction.into(),
        occurred_at: at(-1),
        amount: 300.0,
        entities,
        numbers: BTreeMap::new(),
        categories: BTreeMap::new(),
        score: 0.6,
        reasons: Vec::new(),
        model_version: "first".to_owned(),
        decided_at: at(0),
        deadline: at(deadline),
    }
}

/// An evidence row. `looks` says which score it leads to: its column `p` is the score.
pub fn row(transaction: &str, looks: &str) -> Row {
    let (column, value) = match looks {
        "innocent" => ("p", Value::Number(0.05)),
        "unclear" => ("p", Value::Number(0.5)),
        "guilty" => ("p", Value::Number(0.95)),
        "undecodable" => ("p", Value::Text("much".to_owned())),
        "partial" => ("q", Value::Number(0.5)),
        other => panic!("no evidence row looks {other}"),
    };
    Row::from([
        ("transaction_id", Value::Text(transaction.to_owned())),
        (column, value),
    ])
}

/// Releases below 0.2 and blocks from 0.8. The three cases without evidence have different actions,
/// so that a test can distinguish them.
pub fn policy() -> Policy {
    use decision::Action::{Block, Release, Review};
    Policy {
        hold_at: 0.5,
        release_below: 0.2,
        block_at: 0.8,
        hold_deadline_seconds: 600,
        max_attempts: 3,
        on_expiry: Release,
        on_failure: Block,
        on_missing_evidence: Review,
    }
}

/// Stands for a bundle's evidence statement.
pub fn evidence_statement(name: &str, attempt: u32, holds: &[Hold]) -> Statement {
    let ids: Vec<&str> = holds
        .iter()
        .map(|hold| hold.transaction_id.as_str())
        .collect();
    let parameters = vec![("holds_0".to_owned(), serde_json::to_string(&ids).unwrap())];
    let sqls = vec!["SELECT :holds_0".to_owned()];
    Statement::new(name.to_owned(), attempt, sqls, parameters)
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

    /// Writes a ledger entry, as score does.
    pub fn write(&self, name: &str, holds: &[Hold], attempts: u32, id: Option<&StatementId>) {
        let entry = LedgerEntry {
            name: name.to_owned(),
            work: SettleWork::Confirm {
                holds: holds.to_vec(),
            },
            attempts,
            submitted_at: at(0),
            statement_id: id.map(|id| id.0.clone()),
        };
        let bytes = serde_json::to_vec(&entry).unwrap();
        self.objects.set(&keys::pending(name), bytes);
    }

    /// Submits the evidence statement, as score does.
    pub async fn submit(&self, name: &str, holds: &[Hold], attempts: u32) -> StatementId {
        let statement = evidence_statement(name, attempts, holds);
        self.warehouse.submit(&statement).await.unwrap()
    }

    /// Submits the first attempt and writes its ledger entry. Its statement has ended.
    pub async fn hold(&self, name: &str, holds: &[Hold]) -> StatementId {
        let id = self.submit(name, holds, 1).await;
        self.write(name, holds, 1, Some(&id));
        id
    }

    /// The ledger entry of this statement.
    pub fn entry(&self, name: &str) -> Option<LedgerEntry> {
        let bytes = self.objects.bytes(&keys::pending(name))?;
        Some(serde_json::from_slice(&bytes).unwrap())
    }

    /// The outcomes by transaction.
    pub fn outcomes(&self) -> BTreeMap<String, Decision> {
        let mut outcomes = BTreeMap::new();
        for key in self.objects.keys(keys::OUTCOMES_BY_TRANSACTION) {
            let bytes = self.objects.bytes(&key).unwrap();
            let decision: Decision = serde_json::from_slice(&bytes).unwrap();
            outcomes.insert(decision.transaction_id.to_string(), decision);
        }
        outcomes
    }

    /// The outcomes in the batches for COPY, by transaction. Repetitions must be equal.
    pub fn batched(&self) -> BTreeMap<String, Decision> {
        let mut decisions = Vec::new();
        for key in self.objects.keys(keys::OUTCOMES_BATCHES) {
            let lines = store::gunzip(&key, &self.objects.bytes(&key).unwrap()).unwrap();
            for line in String::from_utf8(lines).unwrap().lines() {
                decisions.push(serde_json::from_str(line).unwrap());
            }
        }
        by_transaction(decisions)
    }

    /// The decisions on the stream, by transaction. Repetitions must be equal.
    pub fn published(&self) -> BTreeMap<String, Decision> {
        by_transaction(self.decisions.decisions())
    }
}

fn by_transaction(decisions: Vec<Decision>) -> BTreeMap<String, Decision> {
    let mut found: BTreeMap<String, Decision> = BTreeMap::new();
    for decision in decisions {
        let id = decision.transaction_id.to_string();
        if let Some(earlier) = found.insert(id.clone(), decision.clone()) {
            assert_eq!(earlier, decision, "{id} has two different final decisions");
        }
    }
    found
}
