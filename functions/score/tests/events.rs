//! Handles each event under events/score, as AWS sends it.

#![expect(
    clippy::panic,
    clippy::unwrap_used,
    clippy::indexing_slicing,
    reason = "a test fails by panicking"
)]

mod support;

use std::collections::BTreeSet;
use std::path::Path;
use std::time::Duration;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use decision::{Action, Stage};
use harness::memory::Faults;
use jiff::SignedDuration;
use lambda_runtime::{Context as LambdaContext, LambdaEvent};
use score::{Publish, Records};
use serde_json::json;
use support::*;
use turns::HourRanges;

const TIME: Duration = Duration::from_secs(60);

fn event(name: &str) -> Records {
    let path = Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("../../events/score")
        .join(name);
    serde_json::from_slice(
        &std::fs::read(&path).unwrap_or_else(|e| panic!("{}: {e}", path.display())),
    )
    .unwrap()
}

fn ids(handler: &TestHandler) -> Vec<String> {
    rows(handler)
        .into_keys()
        .map(|(transaction, _)| transaction)
        .collect()
}

#[tokio::test]
async fn a_good_batch_is_decided_stored_and_published() {
    let mut handler = handler(&Faults::none());
    handler.publish = Publish::EachDecision;
    assert_eq!(handle(&mut handler, &event("good.json")).await, [""; 0]);
    assert_eq!(ids(&handler), ["T000001", "T000002", "T000003", "T000004"]);
    assert_eq!(
        handler.objects.keys("transactions/"),
        [
            "transactions/dt=2026-01-31/hh=09/000000000006-49590338271490256608559692538361571095921575989136588898\
          -49590338271490256608559692538361571095921575989136588919.ndjson.gz"
        ]
    );
    let decisions = handler.decisions.decisions();
    let actions: Vec<_> = decisions
        .iter()
        .map(|d| (d.transaction_id.as_str(), d.stage, d.action))
        .collect();
    let (stage, approve) = (Stage::Provisional, Action::Approve);
    assert_eq!(
        actions,
        [
            ("T000001", stage, approve),
            ("T000002", stage, Action::Hold),
            ("T000003", stage, approve),
            ("T000004", stage, approve)
        ]
    );
    let held = &decisions[1];
    assert_eq!(
        held.decision_id,
        "000000000006-49590338271490256608559692538361571095921575989136588905-0"
    );
    assert_eq!(
        held.deadline,
        Some("2026-01-31T09:10:00.375Z".parse().unwrap())
    );
    assert!(!held.reasons.is_empty() && held.reasons.len() <= 3);
    assert_eq!(handler.decisions.published()[1].partition_key, "C1002");

    let batch = "000000000006-49590338271490256608559692538361571095921575989136588898\
                 -49590338271490256608559692538361571095921575989136588919";
    let [entry] = &waiting(&handler)[..] else {
        panic!("not one waiting entry")
    };
    assert_eq!(entry.batch_name(), batch);
    assert_eq!(entry.holds(), 1);
    let body = handler
        .objects
        .bytes(&handler.objects.keys("transactions/")[0])
        .unwrap();
    assert_eq!(entry.bytes, body.len() as u64);
    assert_eq!(entry.due, Some("2026-01-31T09:10:00Z".parse().unwrap()));
    assert_eq!(
        handler.objects.keys("holds/"),
        [format!("holds/20260131T0910/{batch}.ndjson")]
    );
    let occurred_at = rows(&handler)
        .into_values()
        .map(|row| text(&row, "occurred_at").parse().unwrap());
    assert_eq!(entry.hours, HourRanges::from_timestamps(occurred_at));
    let [ledger] = &ledger(&handler)[..] else {
        panic!("not one ledger object")
    };
    assert_eq!(ledger.holds.len(), 1);
    assert_eq!(ledger.holds[0].transaction_id, "T000002");
    assert_consistent(&handler);
}

#[tokio::test]
async fn a_batch_without_holds_has_a_plain_waiting_entry_and_no_ledger_object() {
    let mut handler = handler(&Faults::none());
    assert_eq!(
        handle(&mut handler, &records(&[(1, 5.0), (2, 5.0)])).await,
        [""; 0]
    );
    assert!(ledger(&handler).is_empty());
    let [key] = &handler.objects.keys("waiting/transactions/live/")[..] else {
        panic!("not one waiting entry")
    };
    assert_eq!(key.rsplit_once('.').unwrap().1, "plain");
    assert_consistent(&handler);
}

#[tokio::test]
async fn unreadable_records_are_rejected_and_the_others_are_decided() {
    let mut handler = handler(&Faults::none());
    assert_eq!(handle(&mut handler, &event("poison.json")).await, [""; 0]);
    assert_eq!(
        ids(&handler),
        [
            "'; DROP TABLE transactions; --\"",
            "T000010",
            "T000011",
            "T000022"
        ]
    );
    let rejected = rejected(&handler);
    let found: Vec<_> = rejected
        .iter()
        .map(|(_, r)| (r.stage.as_str(), r.error.as_str()))
        .collect();
    let expected = [
        ("json", "begin with {"),
        ("json", "not UTF-8"),
        ("record", "empty"),
        ("transaction", "`amount`: a string"),
        ("transaction", "`amount`: missing"),
        ("transaction", "`customer_id`: missing"),
        ("transaction", "`amount`: a negative number"),
        ("transaction", "`amount`: a larger number"),
        ("json", "expected value"),
        ("transaction", "`occurred_at`: another text"),
        ("transaction", "`occurred_at`: a time after its arrival"),
        ("transaction", "`transaction_id`: a longer string"),
        ("transaction", "`amount`: a duplicate field"),
        ("json", "recursion limit"),
        ("kpl", "MD5"),
        ("json", "begin with {"),
    ];
    assert_eq!(found.len(), expected.len(), "{found:#?}");
    for (found, expected) in found.iter().zip(expected) {
        assert!(
            found.0 == expected.0 && found.1.contains(expected.1),
            "{found:?} is not {expected:?}"
        );
    }
    let keys: BTreeSet<_> = rejected.iter().map(|(key, _)| key.as_str()).collect();
    let name = waiting(&handler)[0].batch_name();
    let key = format!("rejected/dt=2026-01-31/{name}.ndjson.gz");
    assert_eq!(
        keys,
        BTreeSet::from([key.as_str()]),
        "one object for the batch"
    );
    let first = rejected.iter().find(|(_, r)| r.raw == "bm90IGpzb24=");
    assert_eq!(first.unwrap().1.sequence_number.as_str().len(), 56);
    assert_eq!(
        ledger(&handler)[0].holds.len(),
        2,
        "an id may contain quotes and SQL"
    );
}

#[tokio::test]
async fn an_aggregated_record_yields_its_transactions_and_its_unreadable_items() {
    let mut handler = handler(&Faults::none());
    handler.publish = Publish::EachDecision;
    assert_eq!(handle(&mut handler, &event("kpl.json")).await, [""; 0]);
    assert_eq!(ids(&handler), ["T000030", "T000031", "T000032", "T000033"]);
    let decisions = handler.decisions.decisions();
    let items: Vec<_> = decisions
        .iter()
        .map(|d| d.decision_id.rsplit_once('-').unwrap().1)
        .collect();
    assert_eq!(
        items,
        ["0", "1", "3", "0"],
        "an item's number is its place in the record"
    );
    assert_eq!(
        rejected(&handler)
            .iter()
            .map(|(_, r)| r.item)
            .collect::<Vec<_>>(),
        [2]
    );
}

#[tokio::test]
async fn each_line_of_a_record_is_one_transaction() {
    let mut handler = handler(&Faults::none());
    assert_eq!(handle(&mut handler, &event("several.json")).await, [""; 0]);
    assert_eq!(ids(&handler), ["T000040", "T000041", "T000042", "T000043"]);
    assert_eq!(rejected(&handler).len(), 1);
}

#[tokio::test]
async fn timestamps_have_the_precision_of_the_warehouse() {
    let mut handler = handler(&Faults::none());
    let mut records = Records::of_shard(SHARD);
    push(
        &mut records,
        1,
        transaction(1, 990.0)
            .replace("08:59:00Z", "08:59:00.123456789Z")
            .as_bytes(),
    );
    let response = handler
        .handle(records, now() + SignedDuration::from_nanos(1_001), TIME)
        .await
        .unwrap();
    assert!(response.batch_item_failures.is_empty());
    let row = rows(&handler).into_values().next().unwrap();
    let timestamps = ["occurred_at", "decided_at", "deadline"]
        .map(|name| row[name].as_str().unwrap().to_owned());
    assert_eq!(
        timestamps,
        [
            "2026-01-31T08:59:00.123456Z",
            "2026-01-31T09:00:05.000001Z",
            "2026-01-31T09:10:00.001Z"
        ]
    );
    let hold = &ledger(&handler)[0].holds[0];
    assert_eq!(
        [hold.occurred_at, hold.decided_at].map(|timestamp| timestamp.to_string()),
        timestamps[..2]
    );
}

#[tokio::test]
async fn an_empty_batch_does_nothing() {
    let faults = Faults::none();
    let mut handler = handler(&faults);
    assert_eq!(handle(&mut handler, &event("empty.json")).await, [""; 0]);
    assert_eq!(faults.calls(), [""; 0]);
}

#[tokio::test]
async fn a_batch_without_readable_transactions_writes_no_empty_object() {
    let mut handler = handler(&Faults::none());
    let mut records = Records::of_shard(SHARD);
    push(&mut records, 1, b"");
    assert_eq!(handle(&mut handler, &records).await, [""; 0]);
    assert_eq!(handler.objects.keys("").len(), 1);
    assert_eq!(rejected(&handler).len(), 1);
    assert!(handler.decisions.published().is_empty());
}

#[tokio::test]
async fn a_record_of_one_mebibyte_is_decided() {
    let mut handler = handler(&Faults::none());
    let good = transaction(2, 990.0);
    let long = good.replacen(
        '{',
        &format!(
            "{{\"note\":\"{}\",",
            "x".repeat(1024 * 1024 - good.len() - 10)
        ),
        1,
    );
    assert_eq!(long.len(), 1024 * 1024);
    let mut records = records(&[(1, 5.0)]);
    push(&mut records, 2, long.as_bytes());
    push(&mut records, 3, &[b'{'; 1024 * 1024]);
    push(&mut records, 4, transaction(4, 5.0).as_bytes());
    assert_eq!(handle(&mut handler, &records).await, [""; 0]);
    assert_eq!(ids(&handler), ["T1", "T2", "T4"]);
    assert_eq!(rejected(&handler).len(), 1);
    let lines = ledger(&handler)[0].to_ndjson().unwrap();
    assert!(
        lines.len() < 2_000,
        "fields that the bundle does not declare stay out of the ledger"
    );
}

#[tokio::test]
async fn a_record_without_sequence_number_is_rejected_and_the_others_are_decided() {
    let mut handler = handler(&Faults::none());
    let data = STANDARD.encode(transaction(1, 5.0));
    let event = json!({ "Records": [
        { "eventID": "shardId-000000000006:", "kinesis": {
            "data": "e30=",
            "approximateArrivalTimestamp": 1_769_850_000.5,
        } },
        { "eventID": "shardId-000000000006:1", "kinesis": {
            "sequenceNumber": "1",
            "data": data,
            "approximateArrivalTimestamp": 1_769_850_000.5,
        } },
    ] });
    let records: Records = serde_json::from_str(&event.to_string()).unwrap();
    assert_eq!(handle(&mut handler, &records).await, [""; 0]);
    assert_eq!(ids(&handler), ["T1"]);
    let rejected = rejected(&handler);
    assert_eq!(rejected[0].1.error, "record has no sequence number");
    assert_eq!(
        rejected[0].0,
        "rejected/dt=2026-01-31/000000000006-1-1.ndjson.gz"
    );
    assert_eq!(waiting(&handler)[0].batch_name(), "000000000006-1-1");
    assert_consistent(&handler);
}

#[tokio::test]
async fn a_missing_profile_is_named_in_the_decision_and_in_the_row() {
    let mut handler = handler(&Faults::none());
    let midnight = "2026-01-31T00:00:00Z".parse().unwrap();
    let files = harness::fixture::profiled(midnight, Some(&[("C1", 20.0)]));
    handler.bundles = startup::Bundles::fixed(bundle::Bundle::open(&files).unwrap());
    assert_eq!(
        handle(&mut handler, &records(&[(1, 9.5), (2, 9.5)])).await,
        [""; 0]
    );
    let decisions = handler.decisions.decisions().into_iter();
    let degraded: Vec<_> = decisions.map(|decision| decision.degraded).collect();
    assert_eq!(
        degraded,
        [vec![], vec!["profile_missing:customer_id".to_owned()]]
    );
    let rows = rows(&handler).into_values();
    let named: Vec<bool> = rows.map(|row| row.get("degraded").is_some()).collect();
    assert_eq!(named, [false, true]);
}

#[test]
fn the_lambda_runtime_deserialises_an_event_into_records() {
    let text = include_str!("../../../events/score/good.json");
    let event = LambdaEvent::<Records>::new(
        serde_json::from_str(text).unwrap(),
        LambdaContext::default(),
    );
    assert_eq!(event.payload.len(), 4);
}
