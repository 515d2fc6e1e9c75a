//! One bad object among twenty in each lane that loads, and one hold among twenty whose evidence
//! fails.

use std::collections::{BTreeMap, BTreeSet};

use decision::{Action, Identity, SettledBy, keys};
use e2e::stand_in::{set_faults, statements};
use e2e::traffic::{First, Traffic, transaction};
use e2e::wait::{eventually, idle, swept};
use jiff::{SignedDuration, Timestamp};
use local::Local;
use look::consume::Consumer;
use look::system::System;
use serde_json::{Value, json};
use store::{Objects as _, gzip};
use turns::{Claim, FileEntry, Lane, SliceEntry, TurnId, WaitingEntry};

use crate::decided::all_holds_are_settled;

const OBJECTS: usize = 20;
/// The object with a bad row.
const BAD: usize = 7;
/// Good rows of each object.
const ROWS: usize = 3;
const LANES: [Lane; 3] = [Lane::Transactions, Lane::Labels, Lane::Outcomes];
/// The sum of two amounts of this customer is no number of the warehouse.
const CUSTOMER: &str = "overflow";
const AMOUNT: f64 = 1.7e308;

/// While one statement of each lane hangs, the objects come to wait. Then the next turn of each lane
/// takes all of them.
pub(crate) async fn are_left_out_in_each_lane(local: &Local, system: &System, consumer: &Consumer) {
    swept(local, "nothing is in progress", 120, async || {
        idle(system).await
    })
    .await;
    set_faults(
        local,
        &json!({ "hang_statements": true, "name_prefix": "second-look/" }),
    );
    for lane in LANES {
        let rows = match lane {
            Lane::Transactions => vec![history_row("o1", AMOUNT), history_row("o2", AMOUNT)],
            _ => vec![row(lane, "first", None)],
        };
        write(system, lane, 999, &rows).await;
    }
    let before = swept(local, "a turn of each lane runs", 60, async || {
        running(local)
    })
    .await;

    let mut bad = BTreeMap::new();
    for lane in LANES {
        for number in 0..OBJECTS {
            let key = write(system, lane, number, &rows(lane, number)).await;
            if number == BAD {
                bad.insert(lane, key);
            }
        }
    }
    let holds = holds();
    holds.publish(system).await;
    let waiting = async || all_wait(system).await;
    eventually("all objects and holds wait", 60, waiting).await;
    set_faults(local, &json!({}));

    swept(local, "the good rows are loaded", 120, async || {
        good_rows(system).await
    })
    .await;
    for (lane, turn) in &before {
        check_two_turns(system, *turn, *lane).await;
    }
    all_holds_are_settled(consumer, &holds, 120).await;
    swept(local, "nothing is in progress", 120, async || {
        idle(system).await
    })
    .await;
    check_quarantine(system, &bad).await;
    check_finals(consumer, &holds);
}

/// A row of an object of this lane. `fault` replaces the value of a field that is no text.
fn row(lane: Lane, id: &str, fault: Option<&str>) -> Value {
    let now = Timestamp::now();
    let (mut row, field) = match lane {
        Lane::Labels => (
            json!({ "transaction_id": id, "reported_at": now, "is_fraud": true }),
            "reported_at",
        ),
        Lane::Outcomes => (
            json!({
                "decision_id": id, "transaction_id": id, "action": "release", "score": 0.5,
                "bundle_version": "v", "settled_by": "confirm", "decided_at": now, "held_ms": 1,
            }),
            "score",
        ),
        _ => (history_row(id, 20.0), "amount"),
    };
    if let Some(fault) = fault {
        row[field] = json!(fault);
    }
    row
}

fn history_row(id: &str, amount: f64) -> Value {
    let at = Timestamp::now() - SignedDuration::from_hours(1);
    let mut row = transaction(id, at, amount, CUSTOMER);
    let identity = Identity::new(id, at, amount, [CUSTOMER, "S1"]);
    row["identity_hash"] = json!(identity.to_string());
    row["arrived_at"] = json!(at);
    row
}

fn rows(lane: Lane, number: usize) -> Vec<Value> {
    let id = |row| format!("good-{number}-{row}");
    let mut rows: Vec<Value> = (0..ROWS).map(|at| row(lane, &id(at), None)).collect();
    if number == BAD {
        rows.insert(1, row(lane, "bad", Some("neither a number nor a time")));
    }
    rows
}

/// Writes an object and, if no notification does it, its waiting entry. Returns the object's key.
async fn write(system: &System, lane: Lane, number: usize, rows: &[Value]) -> String {
    let lines: Vec<String> = rows.iter().map(Value::to_string).collect();
    let body = gzip(lines.join("\n").as_bytes());
    let bytes = body.len() as u64;
    let now = Timestamp::now();
    let name = format!("bad{number:03}");
    let id = format!("{number:016x}");
    let arrived_at = Timestamp::from_millisecond(now.as_millisecond()).unwrap();
    let file = FileEntry {
        arrived_at,
        id,
        bytes,
        hours: turns::HourRanges::default(),
    };
    let slice = SliceEntry {
        decided_at: arrived_at,
        name: name.clone(),
        bytes,
    };
    let (key, waiting) = match lane {
        Lane::Labels => (format!("{}{name}.ndjson.gz", keys::LABELS), None),
        Lane::Outcomes => (
            keys::outcome_slice(arrived_at, &name),
            Some(WaitingEntry::Outcomes(slice)),
        ),
        _ => (
            format!("{}history-{name}.ndjson.gz", keys::TRANSACTIONS),
            Some(WaitingEntry::History(file)),
        ),
    };
    system.objects.put(&key, body).await.unwrap();
    if let Some(entry) = waiting {
        let content = match lane {
            Lane::Transactions => key.clone().into_bytes(),
            _ => Vec::new(),
        };
        system.objects.put(&entry.key(), content).await.unwrap();
    }
    key
}

/// Holds of customers with a history, and one of the customer whose evidence fails.
fn holds() -> Traffic {
    let mut holds = Traffic::default();
    let now = Timestamp::now();
    for number in 1..OBJECTS {
        holds.add(format!("held{number:02}"), number, First::Hold, now);
    }
    holds.push(&transaction(CUSTOMER, now, 600.0, CUSTOMER));
    holds
        .transactions
        .insert(CUSTOMER.to_owned(), Some(Action::Review));
    holds
}

/// The running turn of each lane.
fn running(local: &Local) -> Result<BTreeMap<Lane, TurnId>, String> {
    let names = statements(local, "second-look/", "STARTED")?;
    let turns = names
        .iter()
        .filter_map(|name| TurnId::of_statement_name("second-look", name));
    let turns: BTreeMap<Lane, TurnId> = turns.map(|(turn, _)| (turn.lane, turn)).collect();
    if turns.len() == LANES.len() {
        return Ok(turns);
    }
    Err(format!("{names:?}"))
}

/// Whether all objects and holds wait for the next turn of their lane.
async fn all_wait(system: &System) -> Result<(), String> {
    let mut waiting: BTreeMap<Lane, usize> = BTreeMap::new();
    let mut held = 0;
    for object in system.objects.list("waiting/").await.unwrap() {
        let entry = WaitingEntry::parse(&object.key).unwrap();
        held += entry.holds();
        if !matches!(entry, WaitingEntry::Batch(_)) {
            *waiting.entry(entry.lane()).or_default() += 1;
        }
    }
    // One more in each lane: that of the running turn.
    let all = LANES
        .iter()
        .all(|lane| waiting.get(lane) == Some(&(OBJECTS + 1)));
    if all && held == OBJECTS as u64 {
        return Ok(());
    }
    Err(format!("{waiting:?}, {held} holds"))
}

async fn good_rows(system: &System) -> Result<(), String> {
    let mut counts = Vec::new();
    for table in ["transactions", "fraud_reports", "outcomes"] {
        let good = format!("SELECT COUNT(*) FROM {table} WHERE transaction_id LIKE 'good-%'");
        counts.push(
            system
                .count(&good)
                .await
                .map_err(|error| format!("{error:#}"))?,
        );
    }
    if counts == [(OBJECTS * ROWS) as u64; 3] {
        return Ok(());
    }
    Err(format!("{counts:?}"))
}

/// The two turns after this one cover all objects, and have ended.
async fn check_two_turns(system: &System, turn: TurnId, lane: Lane) {
    let mut covered = BTreeSet::new();
    let mut next = turn;
    for _ in 0..2 {
        next.number = next.number.next();
        let Some(claim) = system.objects.get(&next.claim_key()).await.unwrap() else {
            continue;
        };
        let ended = system.objects.get(&next.ended_key()).await.unwrap();
        assert!(ended.is_some(), "{next} has not ended");
        let claim: Claim = serde_json::from_slice(&claim).unwrap();
        covered.extend(
            claim
                .entries
                .iter()
                .filter_map(turns::ClaimedEntry::object_key),
        );
    }
    let objects = covered.iter().filter(|key| key.contains("bad0"));
    assert_eq!(objects.count(), OBJECTS, "{lane}: {covered:?}");
}

/// Each lane has its one refused row in quarantine, with the object, the reason and the row.
async fn check_quarantine(system: &System, bad: &BTreeMap<Lane, String>) {
    let mut refused = Vec::new();
    for object in system.objects.list(keys::QUARANTINE).await.unwrap() {
        let bytes = system.objects.get(&object.key).await.unwrap().unwrap();
        let text = String::from_utf8(bytes).unwrap();
        refused.extend(
            text.lines()
                .map(|line| serde_json::from_str::<Value>(line).unwrap()),
        );
    }
    assert_eq!(refused.len(), bad.len(), "{refused:#?}");
    for (lane, key) in bad {
        let of_object = |line: &&Value| line["object"] == json!(key);
        let line = refused.iter().find(of_object).unwrap();
        assert_eq!(line["line"], 2, "{lane}: {line:#}");
        let row = line["row"].as_str().unwrap_or_default();
        assert!(row.contains("neither a number nor a time"), "{line:#}");
        let reason = line["reason"].as_str().unwrap_or_default();
        assert!(!reason.is_empty(), "{lane}: {line:#}");
    }
}

/// The holds are settled by their history; the one without usable history by the policy.
fn check_finals(consumer: &Consumer, holds: &Traffic) {
    let log = consumer.log();
    let mut settled = 0;
    for read in log.finals.values() {
        let last = &read.decision;
        let Some(end) = holds.transactions.get(last.transaction_id.as_str()) else {
            continue;
        };
        settled += 1;
        assert_eq!(Some(last.action), *end, "{last:#?}");
        assert_ne!(last.settled_by, Some(SettledBy::Expiry), "{last:#?}");
        let has_evidence = last.transaction_id.as_str() != CUSTOMER;
        assert_eq!(last.evidence.is_some(), has_evidence, "{last:#?}");
    }
    assert_eq!(settled, OBJECTS);
}
