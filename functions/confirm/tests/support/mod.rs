//! A hold, a bundle and a warehouse to settle with.

#![allow(
    dead_code,
    clippy::allow_attributes,
    reason = "each test uses a part of it"
)]

use std::collections::BTreeMap;
use std::time::Duration;

use confirm::{SecondModel, Settler};
use decision::keys;
use decision::ledger::{LedgerEntry, SettleWork};
use decision::{Decision, Entities, Evidence, Hold, Policy, Reason};
use harness::memory::{Faults, Objects, Stream, Warehouse};
use jiff::{SignedDuration, Timestamp};
use warehouse::{Row, Statement, StatementId, Value, Warehouse as _};

pub(crate) const PREFIX: &str = "second-look";
pub(crate) const NAME: &str = "second-look-confirm-000000000000-49590338271490256608559692538361571095921575989136588898-49590338271490256608559692540925702759324208523137515618";

/// Long for twins, which answer at once, and short for a test.
pub(crate) const PATIENCE: Duration = Duration::from_millis(300);

/// So many seconds after the holds were placed.
pub(crate) fn at(seconds: i64) -> Timestamp {
    "2026-11-24T01:14:00Z".parse::<Timestamp>().unwrap() + SignedDuration::from_secs(seconds)
}

/// A hold with a deadline in so many seconds.
pub(crate) fn hold(transaction: &str, deadline: i64) -> Hold {
    Hold {
        decision_id: format!("000000000000-495-{transaction}"),
        transaction_id: transaction.into(),
        occurred_at: at(-1),
        amount: 300.0,
        entities: Entities::from(
            [("customer_id", "c1"), ("terminal_id", "t1")].map(|(k, v)| (k.into(), v.into())),
        ),
        numbers: BTreeMap::new(),
        categories: BTreeMap::new(),
        score: 0.6,
        reasons: Vec::new(),
        model_version: "first".to_owned(),
        decided_at: at(0),
        deadline: at(deadline),
    }
}

/// The row that the warehouse has for a transaction which looks like this.
pub(crate) fn row(transaction: &str, looks: &str) -> Row {
    let (column, value) = match looks {
        "innocent" => ("p", Value::Number(0.05)),
        "unclear" => ("p", Value::Number(0.5)),
        "guilty" => ("p", Value::Number(0.95)),
        "undecodable" => ("p", Value::Text("much".to_owned())),
        "partial" => ("q", Value::Number(0.5)),
        other => panic!("what is {other}?"),
    };
    Row::from([
        ("transaction_id", Value::Text(transaction.to_owned())),
        (column, value),
    ])
}

/// Everything that holds are settled with, in memory.
pub(crate) struct World {
    pub(crate) faults: Faults,
    pub(crate) objects: Objects,
    pub(crate) decisions: Stream,
    pub(crate) warehouse: Warehouse,
    pub(crate) judge: PlainModel,
}

impl World {
    /// With a warehouse that answers every statement with these rows.
    pub(crate) fn new(rows: Vec<Row>) -> Self {
        let faults = Faults::none();
        Self {
            objects: Objects::with(&faults),
            decisions: Stream::with(&faults),
            warehouse: Warehouse::with(&faults).answering(move |_, _| Ok(rows.clone())),
            judge: PlainModel(policy()),
            faults,
        }
    }

    pub(crate) fn settler(&self) -> Settler<'_, Objects, Stream, Warehouse, PlainModel> {
        Settler {
            objects: &self.objects,
            decisions: &self.decisions,
            warehouse: &self.warehouse,
            judge: Some(&self.judge),
            on_expiry: policy().on_expiry,
            first_entity: Some("terminal_id"),
            patience: PATIENCE,
        }
    }

    /// Puts an entry into the ledger, as score does.
    pub(crate) fn write(
        &self,
        name: &str,
        holds: &[Hold],
        attempts: u32,
        id: Option<&StatementId>,
    ) {
        let entry = LedgerEntry {
            name: name.to_owned(),
            work: SettleWork::Confirm {
                holds: holds.to_vec(),
            },
            attempts,
            submitted_at: at(0),
            statement_id: id.map(|id| id.0.clone()),
        };
        self.objects
            .set(&keys::pending(name), serde_json::to_vec(&entry).unwrap());
    }

    /// Submits the query for these holds, as score does.
    pub(crate) async fn submit(&self, name: &str, holds: &[Hold], attempts: u32) -> StatementId {
        let statement = self.judge.ask(name, attempts, holds);
        self.warehouse.submit(&statement).await.unwrap()
    }

    /// An entry whose statement has ended.
    pub(crate) async fn hold(&self, name: &str, holds: &[Hold]) -> StatementId {
        let id = self.submit(name, holds, 1).await;
        self.write(name, holds, 1, Some(&id));
        id
    }

    pub(crate) fn entry(&self, name: &str) -> Option<LedgerEntry> {
        Some(serde_json::from_slice(&self.objects.bytes(&keys::pending(name))?).unwrap())
    }

    /// The outcomes, by transaction.
    pub(crate) fn outcomes(&self) -> BTreeMap<String, Decision> {
        let read = |key: &String| {
            serde_json::from_slice::<Decision>(&self.objects.bytes(key).unwrap()).unwrap()
        };
        let keys = self.objects.keys(keys::OUTCOMES_BY_TRANSACTION);
        keys.iter()
            .map(read)
            .map(|decision| (decision.transaction_id.to_string(), decision))
            .collect()
    }

    /// The outcomes in the batches for COPY, by transaction; a transaction that is in two of them
    /// must be the same in both.
    pub(crate) fn batched(&self) -> BTreeMap<String, Decision> {
        let mut batched = BTreeMap::new();
        for key in self.objects.keys(keys::OUTCOMES_BATCHES) {
            let lines = store::gunzip(&key, &self.objects.bytes(&key).unwrap()).unwrap();
            for line in String::from_utf8(lines).unwrap().lines() {
                let decision: Decision = serde_json::from_str(line).unwrap();
                let earlier = batched.insert(decision.transaction_id.to_string(), decision.clone());
                assert!(
                    earlier.is_none_or(|earlier| earlier == decision),
                    "{key} tells it otherwise"
                );
            }
        }
        batched
    }

    /// What the stream says of each transaction; it may say it twice, but not differently.
    pub(crate) fn published(&self) -> BTreeMap<String, Decision> {
        let mut published = BTreeMap::new();
        for decision in self.decisions.decisions() {
            let earlier = published.insert(decision.transaction_id.to_string(), decision.clone());
            assert!(
                earlier.is_none_or(|earlier| earlier == decision),
                "two finals of {}",
                decision.transaction_id
            );
        }
        published
    }
}

/// A judge who takes the evidence at its word: its `p` is the probability.
pub(crate) struct PlainModel(Policy);

impl SecondModel for PlainModel {
    fn version(&self) -> &'static str {
        "second"
    }

    fn policy(&self) -> &Policy {
        &self.0
    }

    fn ask(&self, name: &str, attempt: u32, holds: &[Hold]) -> Statement {
        let ids: Vec<&str> = holds
            .iter()
            .map(|hold| hold.transaction_id.as_str())
            .collect();
        let parameters = vec![("holds_0".to_owned(), serde_json::to_string(&ids).unwrap())];
        Statement::new(
            name.to_owned(),
            attempt,
            vec!["SELECT :holds_0".to_owned()],
            parameters,
        )
    }

    fn is_whole(&self, evidence: &Evidence) -> bool {
        evidence.contains_key("p")
    }

    fn confirm(&self, _: &Hold, evidence: &Evidence) -> (f64, Vec<Reason>) {
        (evidence["p"].unwrap(), Vec::new())
    }
}

/// Release below 0.2, block from 0.8; a deadline releases, failure blocks, a missing row asks a
/// person, so that each can be told from the others; three attempts.
pub(crate) fn policy() -> Policy {
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
