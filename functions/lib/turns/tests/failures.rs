//! What follows a statement that failed, hung or was refused.

#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

mod support;

use std::sync::Mutex;
use std::time::Duration;

use harness::interleave::finish;
use harness::memory;
use turns::{
    Attempt, Claim, ClaimedEntry, EvidenceEntry, Lane, Plan, Progress, Settings, TurnId,
    TurnNumber, Turns, WaitingEntry,
};
use warehouse::{Error, Row, Statement, StatementId, Status, Warehouse};

use support::{NoWork, at, batch, settings};

const TRANSACTIONS: TurnId = TurnId {
    lane: Lane::Transactions,
    number: TurnNumber(1),
};
const EVIDENCE: TurnId = TurnId {
    lane: Lane::Evidence(0),
    number: TurnNumber(1),
};

/// A warehouse with one answer to every submission and one status for every statement.
#[derive(Default)]
struct OneAnswer {
    /// Whether a refused submission may succeed later. `None` if submissions are accepted.
    refuses: Option<Refusal>,
    status: Option<Status>,
    cancelled: Mutex<Vec<StatementId>>,
}

#[derive(Clone, Copy)]
enum Refusal {
    Transient,
    Permanent,
}

impl Warehouse for OneAnswer {
    async fn submit(&self, statement: &Statement) -> Result<StatementId, Error> {
        let refused = |transient| Error::Call {
            operation: "ExecuteStatement",
            name: statement.name.clone(),
            code: None,
            transient,
            source: "refused by the test".into(),
        };
        match self.refuses {
            Some(Refusal::Transient) => Err(refused(true)),
            Some(Refusal::Permanent) => Err(refused(false)),
            None => Ok(StatementId(statement.name.clone())),
        }
    }

    async fn status(&self, _: &StatementId) -> Result<Status, Error> {
        Ok(self.status.clone().unwrap_or(Status::Running))
    }

    async fn rows(&self, _: &StatementId, _: usize) -> Result<Vec<Row>, Error> {
        Ok(Vec::new())
    }

    async fn cancel(&self, id: &StatementId) -> Result<(), Error> {
        self.cancelled.lock().unwrap().push(id.clone());
        Ok(())
    }

    async fn wait(&self, id: &StatementId, _: Duration) -> Result<Status, Error> {
        self.status(id).await
    }
}

impl OneAnswer {
    fn with_status(status: Status) -> Self {
        Self {
            status: Some(status),
            ..Self::default()
        }
    }

    fn failing(text: &str) -> Self {
        let error = text.to_owned();
        Self::with_status(Status::Failed { error })
    }
}

fn claim(entry: &WaitingEntry) -> Claim {
    Claim {
        claimant: "claimant".to_owned(),
        entries: vec![ClaimedEntry {
            key: entry.key(),
            file: None,
        }],
    }
}

fn write(objects: &memory::Objects, key: &str, value: &impl serde::Serialize) {
    objects.set(key, serde_json::to_vec(value).unwrap());
}

/// A bucket at 1,000 s with the claim of a load of holds that are due at 1,260 s.
fn claimed_load() -> memory::Objects {
    let objects = memory::Objects::new();
    objects.set_time(at(1_000));
    let entry = WaitingEntry::Batch(batch("a", 1, 1));
    write(&objects, &TRANSACTIONS.claim_key(), &claim(&entry));
    objects
}

fn advance(
    objects: &memory::Objects,
    warehouse: &OneAnswer,
    lane: Lane,
    second: i64,
) -> Result<Progress, turns::Error> {
    let settings: Settings = settings(1);
    let turns = Turns {
        objects,
        warehouse,
        work: &NoWork,
        settings: &settings,
    };
    // Objects that are written now have this time.
    objects.set_time(at(second));
    finish(turns.advance(lane, at(second)))
}

fn load(objects: &memory::Objects, warehouse: &OneAnswer, second: i64) -> Progress {
    advance(objects, warehouse, Lane::Transactions, second).unwrap()
}

fn attempt(objects: &memory::Objects, turn: TurnId, number: u32) -> Option<Attempt> {
    let bytes = objects.bytes(&turn.attempt_key(number))?;
    Some(serde_json::from_slice(&bytes).unwrap())
}

#[test]
fn a_retry_remembers_a_timeout() {
    let objects = claimed_load();
    let timeout = OneAnswer::failing("statement timeout");
    load(&objects, &timeout, 1_000);
    load(&objects, &timeout, 1_033);
    assert!(attempt(&objects, TRANSACTIONS, 1).unwrap().after_timeout);
    let failing = OneAnswer::failing("connection reset");
    load(&objects, &failing, 1_100);
    assert!(attempt(&objects, TRANSACTIONS, 2).unwrap().after_timeout);
}

#[test]
fn a_statement_is_cancelled_six_minutes_after_its_attempt() {
    let objects = claimed_load();
    let hanging = OneAnswer::with_status(Status::Running);
    for second in [1_000, 1_359] {
        assert_eq!(load(&objects, &hanging, second), Progress::Running);
        assert_eq!(hanging.cancelled.lock().unwrap().len(), 0);
    }
    load(&objects, &hanging, 1_360);
    assert_eq!(hanging.cancelled.lock().unwrap().len(), 1);
    let cancelled = OneAnswer::with_status(Status::Aborted);
    load(&objects, &cancelled, 1_400);
    assert!(attempt(&objects, TRANSACTIONS, 1).unwrap().after_timeout);
}

#[test]
fn a_refused_submission_is_repeated_or_followed_by_the_next_attempt() {
    let refusing = |refusal| OneAnswer {
        refuses: Some(refusal),
        ..OneAnswer::default()
    };
    let objects = claimed_load();
    let transient = refusing(Refusal::Transient);
    for _ in 0..2 {
        advance(&objects, &transient, Lane::Transactions, 1_000).unwrap_err();
    }
    let repeated = advance(&objects, &transient, Lane::Transactions, 1_100);
    repeated.unwrap_err();
    assert_eq!(attempt(&objects, TRANSACTIONS, 1), None);
    let permanent = refusing(Refusal::Permanent);
    let first = load(&objects, &permanent, 1_000);
    assert!(matches!(first, Progress::RetryAt(_)), "{first:?}");
    advance(&objects, &permanent, Lane::Transactions, 1_100).unwrap_err();
    assert!(attempt(&objects, TRANSACTIONS, 1).is_some());
}

#[test]
fn an_unreadable_object_ends_in_quarantine_with_the_reason() {
    let objects = claimed_load();
    let entry = WaitingEntry::Batch(batch("a", 1, 1));
    let key = claim(&entry).entries[0].object_key().unwrap();
    objects.set(&key, b"no gzip".to_vec());
    objects.set(&entry.key(), Vec::new());
    let refused = OneAnswer::failing("stl_load_errors: not in gzip format");
    assert_eq!(load(&objects, &refused, 1_000), Progress::Ended);
    let quarantined = vec![0];
    let plan = attempt(&objects, TRANSACTIONS, 2).unwrap().plan;
    assert_eq!(plan, Plan::NothingToLoad { quarantined });
    let copy = objects.bytes(&format!("quarantine/{key}"));
    assert_eq!(copy.unwrap(), b"no gzip");
    let reason = objects.bytes(&format!("quarantine/{key}.reason.json"));
    let reason: serde_json::Value = serde_json::from_slice(&reason.unwrap()).unwrap();
    let expected = serde_json::json!({
        "object": key,
        "turn": "transactions/0000000001",
        "reason": "stl_load_errors: not in gzip format",
    });
    assert_eq!(reason, expected);
    assert_eq!(objects.bytes(&entry.key()), None);
}

#[test]
fn the_manifest_makes_every_object_mandatory() {
    let objects = claimed_load();
    load(&objects, &OneAnswer::default(), 1_000);
    let entry = WaitingEntry::Batch(batch("a", 1, 1));
    let key = claim(&entry).entries[0].object_key().unwrap();
    let manifest = objects.bytes(&TRANSACTIONS.manifest_key("claimant"));
    let manifest: serde_json::Value = serde_json::from_slice(&manifest.unwrap()).unwrap();
    let url = format!("s3://b/{key}");
    let expected = serde_json::json!({"entries": [{"url": url, "mandatory": true}]});
    assert_eq!(manifest, expected);
}

/// A bucket with the claim of evidence for one hold of a loaded batch.
fn claimed_evidence() -> memory::Objects {
    let objects = claimed_load();
    let entry = WaitingEntry::Evidence(EvidenceEntry {
        lane: 0,
        turn: TRANSACTIONS.number,
        from: 0,
        to: 1,
    });
    write(&objects, &EVIDENCE.claim_key(), &claim(&entry));
    objects
}

#[test]
fn evidence_without_a_statement_is_settled_without_evidence() {
    let objects = claimed_evidence();
    let warehouse = OneAnswer::with_status(Status::Finished);
    let ended = advance(&objects, &warehouse, Lane::Evidence(0), 1_000);
    assert_eq!(ended.unwrap(), Progress::Ended);
    let attempt = attempt(&objects, EVIDENCE, 0).unwrap();
    assert_eq!(attempt.plan, Plan::WithoutEvidence);
    assert_eq!(attempt.statement, None);
}
