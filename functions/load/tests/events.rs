//! Handles each event under events/load, as AWS sends it.

#![expect(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    clippy::panic,
    reason = "a test fails by panicking"
)]

mod support;

use harness::holds::at;
use harness::memory::{Fault, Faults, Objects, Warehouse};
use jiff::{SignedDuration, Timestamp};
use load::{LoadEvent, Response};
use serde_json::{Value, json};
use support::{BUCKET, event, handle, handle_at};
use turns::{Lane, TurnId, TurnNumber, WaitingEntry};
use warehouse::Row;

/// The batch that the events are about.
const BATCH: &str = "20261124T011419.870Z-000000000000-\
    49590338271490256608559692538361571095921575989136588898-\
    49590338271490256608559692540925702759324208523137515618-\
    b48213-v4b227777d4dd1fc6.3-d20261124T0124-h498745";

fn batch_key() -> String {
    format!("waiting/transactions/live/{BATCH}.held")
}

fn turn(lane: Lane, number: u64) -> TurnId {
    TurnId {
        lane,
        number: TurnNumber(number),
    }
}

/// A bucket after turn 7 of transactions loaded the batch. Its holds wait in `evidence-1`, and the
/// batch and a file of history wait again.
fn bucket(faults: &Faults) -> Objects {
    let objects = Objects::with(faults);
    let loaded = turn(Lane::Transactions, 7);
    let claim = json!({"claimant": "seventh", "entries": [{"key": batch_key()}]});
    objects.set(&loaded.claim_key(), claim.to_string());
    let ended = json!({"attempt": 0, "entries": 1});
    objects.set(&loaded.ended_key(), ended.to_string());
    objects.set(&batch_key(), "");
    let history =
        "waiting/transactions/history/20261123T000000.000Z-5feceb66ffc86f38-b1048576.held";
    objects.set(history, "transactions/history/a.ndjson.gz");
    let evidence = "waiting/evidence-1/0000000007-0000000-0000003.held";
    objects.set(evidence, "");
    objects
}

fn failed_messages(response: Response) -> Vec<String> {
    let Response::Objects(response) = response else {
        panic!("the response of a completion event");
    };
    let failures = response.batch_item_failures.into_iter();
    failures.map(|failure| failure.item_identifier).collect()
}

fn names(warehouse: &Warehouse) -> Vec<String> {
    let submitted = warehouse.submitted().into_iter();
    submitted.map(|(_, statement)| statement.name).collect()
}

#[tokio::test]
async fn a_wake_up_starts_a_turn_in_the_lane_that_its_key_names() {
    let objects = bucket(&Faults::none());
    let warehouse = Warehouse::new();
    let response = handle(&objects, &warehouse, event("objects.json")).await;
    assert_eq!(failed_messages(response), [""; 0]);
    assert_eq!(
        names(&warehouse),
        ["second-look/transactions/8/0", "second-look/evidence-1/1/0"]
    );
    let claim = objects.bytes(&turn(Lane::Transactions, 8).claim_key());
    let claim: Value = serde_json::from_slice(&claim.unwrap()).unwrap();
    assert_eq!(claim["entries"][0]["key"], batch_key());
    assert_eq!(
        claim["entries"][1]["file"], "transactions/history/a.ndjson.gz",
        "files of history come after the batches"
    );
}

#[tokio::test]
async fn a_repeated_wake_up_starts_no_second_turn() {
    let objects = bucket(&Faults::none());
    let warehouse = Warehouse::new();
    handle(&objects, &warehouse, event("objects.json")).await;
    handle(&objects, &warehouse, event("objects.json")).await;
    assert_eq!(warehouse.submitted().len(), 2);
}

#[tokio::test]
async fn a_wake_up_ends_a_turn_whose_completion_event_is_lost() {
    let objects = bucket(&Faults::none());
    objects.set_time(at(-60));
    let warehouse = Warehouse::new();
    handle(&objects, &warehouse, event("objects.json")).await;
    let ended = turn(Lane::Transactions, 8).ended_key();
    assert_eq!(objects.bytes(&ended), None);
    handle(&objects, &warehouse, event("objects.json")).await;
    assert!(objects.bytes(&ended).is_some(), "the turn is 60 s old");
}

#[tokio::test]
async fn evidence_is_requested_for_the_holds_that_the_turn_loaded() {
    let objects = bucket(&Faults::none());
    let warehouse = Warehouse::new();
    handle(&objects, &warehouse, event("objects.json")).await;
    let (_, statement) = warehouse.submitted().remove(1);
    let sql = &statement.sqls[0];
    let holds = "turn = 7 AND claim_id = 'seventh' AND ordinal >= 0 AND ordinal < 3";
    assert!(sql.contains(holds), "{sql}");
}

/// How many holds wait for evidence after a turn that ends at this time has loaded the batch.
async fn holds_that_wait(now: Timestamp) -> u64 {
    let objects = Objects::new();
    let warehouse = Warehouse::new();
    objects.set(&batch_key(), "");
    handle(&objects, &warehouse, event("objects.json")).await;
    handle_at(&objects, &warehouse, event("finished.json"), now).await;
    let keys = objects.keys("waiting/evidence-");
    let entries = keys.iter().filter_map(|key| WaitingEntry::parse(key));
    entries.map(|entry| entry.holds()).sum()
}

#[tokio::test]
async fn a_batch_whose_due_minute_is_over_asks_for_no_evidence() {
    let end_of_due_minute = "2026-11-24T01:25:00Z".parse::<Timestamp>().unwrap();
    let second = SignedDuration::from_secs(1);
    assert_eq!(holds_that_wait(end_of_due_minute - second).await, 3);
    assert_eq!(holds_that_wait(end_of_due_minute).await, 0);
}

#[tokio::test]
async fn a_new_file_of_fraud_reports_waits_and_is_loaded() {
    let objects = Objects::new();
    let warehouse = Warehouse::new();
    let response = handle(&objects, &warehouse, event("labels.json")).await;
    assert_eq!(failed_messages(response), [""; 0]);
    let waiting = objects.keys("waiting/");
    assert_eq!(waiting.len(), 1, "folders and empty objects do not wait");
    assert!(matches!(
        WaitingEntry::parse(&waiting[0]),
        Some(WaitingEntry::Labels(_))
    ));
    let file = objects.bytes(&waiting[0]).unwrap();
    assert_eq!(file, b"labels/chargebacks of monday 100%.ndjson.gz");
    assert_eq!(names(&warehouse), ["second-look/labels/1/0"]);
    let manifest = objects.keys("turns/labels/");
    let manifest = manifest
        .iter()
        .find(|key| key.contains("manifest"))
        .unwrap();
    let manifest: Value = serde_json::from_slice(&objects.bytes(manifest).unwrap()).unwrap();
    let url = format!("s3://{BUCKET}/labels/chargebacks of monday 100%.ndjson.gz");
    assert_eq!(
        manifest["entries"],
        json!([{"url": url, "mandatory": true}])
    );
}

/// The SQL of the turn that loads the batch beside a file of history with this waiting entry.
async fn history_sql(entry: &str) -> String {
    let objects = Objects::new();
    objects.set(&batch_key(), "");
    let history = format!("waiting/transactions/history/{entry}.held");
    objects.set(&history, "transactions/history/a.ndjson.gz");
    let warehouse = Warehouse::new();
    handle(&objects, &warehouse, event("objects.json")).await;
    let (_, statement) = &warehouse.submitted()[0];
    statement.sqls.join(";\n")
}

#[tokio::test]
async fn a_load_is_bounded_if_each_of_its_files_of_history_says_its_hours() {
    let file = "20261123T000000.000Z-5feceb66ffc86f38-b1048576";
    let bounded = history_sql(&format!("{file}-h498658")).await;
    let hours = ["2026-11-20T10:00:00", "2026-11-24T01:00:00"];
    for hour in hours {
        let bound = format!("_known.occurred_at >= CAST('{hour}");
        assert!(bounded.contains(&bound), "{bounded}");
    }
    let unbounded = history_sql(file).await;
    assert!(!unbounded.contains("_known.occurred_at >="), "{unbounded}");
}

/// The hours of the waiting file that the event is about, if the file has these reports.
async fn label_hours(reports: &str) -> String {
    let objects = Objects::new();
    let file = "labels/chargebacks of monday 100%.ndjson.gz";
    objects.set(file, store::gzip(reports.as_bytes()));
    handle(&objects, &Warehouse::new(), event("labels.json")).await;
    let waiting = objects.keys("waiting/");
    let Some(WaitingEntry::Labels(entry)) = WaitingEntry::parse(&waiting[0]) else {
        panic!("expected a file of fraud reports: {waiting:?}");
    };
    entry.hours.to_string()
}

#[tokio::test]
async fn a_waiting_file_of_fraud_reports_says_the_hours_of_their_transactions() {
    let report = r#"{"transaction_id": "a", "occurred_at": "2026-11-20T10:30:00Z"}"#;
    assert_eq!(label_hours(&format!("{report}\n")).await, "498658");
    assert_eq!(label_hours(&format!("{report}\n{{}}\n")).await, "");
}

#[tokio::test]
async fn a_file_of_fraud_reports_that_is_not_readable_now_is_delivered_again() {
    let faults = Faults::none();
    let objects = Objects::with(&faults);
    let warehouse = Warehouse::new();
    faults.add(Fault::on("get").name("labels/chargebacks"));
    let response = handle(&objects, &warehouse, event("labels.json")).await;
    let failed = ["059f36b4-87a3-44ab-83d2-661975030001"];
    assert_eq!(failed_messages(response), failed);
    assert_eq!(objects.keys("waiting/"), [""; 0]);
}

#[tokio::test]
async fn only_messages_without_a_written_entry_are_delivered_again() {
    let faults = Faults::none();
    let objects = Objects::with(&faults);
    let warehouse = Warehouse::new();
    faults.add(Fault::on("put").name("waiting/labels/"));
    let response = handle(&objects, &warehouse, event("labels.json")).await;
    let failed = ["059f36b4-87a3-44ab-83d2-661975030001"];
    assert_eq!(failed_messages(response), failed);
    faults.clear();
    let response = handle(&objects, &warehouse, event("labels.json")).await;
    assert_eq!(failed_messages(response), [""; 0]);
    assert_eq!(objects.keys("waiting/").len(), 1);
}

#[tokio::test]
async fn an_unreadable_message_is_delivered_again() {
    let LoadEvent::Objects(mut messages) = event("objects.json") else {
        panic!("another event");
    };
    messages.records[1].body = Some("{".to_owned());
    let objects = bucket(&Faults::none());
    let warehouse = Warehouse::new();
    let response = handle(&objects, &warehouse, LoadEvent::Objects(messages)).await;
    let failed = ["059f36b4-87a3-44ab-83d2-661975030002"];
    assert_eq!(failed_messages(response), failed);
    assert_eq!(warehouse.submitted().len(), 2, "the others are handled");
}

#[tokio::test]
async fn a_turn_that_does_not_start_fails_no_message() {
    let faults = Faults::none();
    let objects = bucket(&faults);
    let warehouse = Warehouse::with(&faults);
    faults.add(Fault::on("submit"));
    let response = handle(&objects, &warehouse, event("objects.json")).await;
    assert_eq!(failed_messages(response), [""; 0]);
}

#[tokio::test]
async fn the_test_event_of_s3_does_nothing() {
    let faults = Faults::none();
    let objects = Objects::with(&faults);
    let warehouse = Warehouse::with(&faults);
    let response = handle(&objects, &warehouse, event("test_event.json")).await;
    assert_eq!(failed_messages(response), [""; 0]);
    assert_eq!(faults.calls(), [""; 0]);
}

#[tokio::test]
async fn the_end_of_a_load_lets_its_holds_wait_for_evidence() {
    let objects = bucket(&Faults::none());
    let warehouse = Warehouse::new();
    handle(&objects, &warehouse, event("objects.json")).await;
    let before = warehouse.submitted().len();
    // The event is about another turn of the lane: the lane's state is read from the bucket.
    let response = handle(&objects, &warehouse, event("finished.json")).await;
    let response = serde_json::to_value(response).unwrap();
    assert_eq!(response, json!({"lanes": {"transactions": "ended"}}));
    assert_eq!(objects.keys("waiting/transactions/"), [""; 0]);
    let evidence = objects.keys("waiting/evidence-0/");
    assert_eq!(
        evidence,
        ["waiting/evidence-0/0000000008-0000000-0000003.held"]
    );
    assert_eq!(
        warehouse.submitted().len(),
        before + 1,
        "its turn has started"
    );
    let again = handle(&objects, &warehouse, event("finished.json")).await;
    let again = serde_json::to_value(again).unwrap();
    assert_eq!(again, json!({"lanes": {"transactions": "idle"}}));
}

#[tokio::test]
async fn an_event_without_a_name_advances_every_lane_that_loads() {
    let objects = bucket(&Faults::none());
    let warehouse = Warehouse::new();
    handle(&objects, &warehouse, event("objects.json")).await;
    let LoadEvent::StatementEnded { mut detail } = event("finished.json") else {
        panic!("another event");
    };
    detail.statement_name = None;
    let response = handle(&objects, &warehouse, LoadEvent::StatementEnded { detail }).await;
    let response = serde_json::to_value(response).unwrap();
    let lanes = json!({"transactions": "ended", "labels": "idle", "outcomes": "idle"});
    assert_eq!(response, json!({ "lanes": lanes }));
}

/// The first COPY fails for a reason of the data; the second leaves one row out.
fn refusing_warehouse(object: &'static str) -> Warehouse {
    Warehouse::new().answering(move |sql, _| {
        if sql.starts_with("COPY") && !sql.contains("MAXERROR") {
            let error = "Load into table 'incoming' failed. Check 'sys_load_error_detail'";
            return Err(error.to_owned());
        }
        if !sql.contains("sys_load_error_detail") {
            return Ok(Vec::new());
        }
        let text = |text: &str| warehouse::Value::Text(text.to_owned());
        Ok(vec![Row::from([
            ("file_name", text(&format!("s3://{BUCKET}/{object}   "))),
            ("line_number", warehouse::Value::Integer(2)),
            ("column_name", text("amount   ")),
            ("error_message", text("Invalid digit")),
        ])])
    })
}

#[tokio::test]
async fn refused_rows_go_to_quarantine_with_their_reason() {
    let object = "labels/chargebacks of monday 100%.ndjson.gz";
    let objects = Objects::new();
    objects.set(object, store::gzip(b"{\"first\":1}\n{\"second\":2}\n"));
    let warehouse = refusing_warehouse(object);
    handle(&objects, &warehouse, event("labels.json")).await;
    let LoadEvent::StatementEnded { mut detail } = event("finished.json") else {
        panic!("another event");
    };
    detail.statement_name = Some("second-look/labels/1/0".to_owned());
    handle(&objects, &warehouse, LoadEvent::StatementEnded { detail }).await;
    let kept = objects.bytes("quarantine/labels/0000000001/refused.ndjson");
    let kept: Value = serde_json::from_slice(&kept.unwrap()).unwrap();
    let expected = json!({
        "object": object, "line": 2, "column": "amount", "reason": "Invalid digit",
        "row": "{\"second\":2}",
    });
    assert_eq!(kept, expected);
    assert_eq!(objects.keys("waiting/"), [""; 0], "the turn has ended");
}
