//! A handler with in-memory adapters.

#![allow(
    dead_code,
    clippy::allow_attributes,
    clippy::expect_used,
    clippy::panic,
    reason = "each test uses a part of it, and fails by panicking"
)]

use std::collections::BTreeMap;
use std::time::Duration;

use decision::ledger::{LedgerObject, hold_group};
use decision::{RejectedItem, keys};
use harness::memory::{Faults, Objects, Stream};
use jiff::Timestamp;
use score::{Handler, Publish, RESERVE, Records};
use serde_json::Value;
use startup::Bundles;
use store::gunzip;
use turns::{BatchEntry, Lane, WaitingEntry};

pub(crate) type TestHandler = Handler<Objects, Stream>;

pub(crate) const SHARD: &str = "000000000006";

pub(crate) fn handler(faults: &Faults) -> TestHandler {
    Handler {
        bundles: Bundles::fixed(harness::fixture::bundle()),
        objects: Objects::with(faults),
        decisions: Stream::with(faults),
        publish: Publish::AllDecisions,
    }
}

pub(crate) fn now() -> Timestamp {
    "2026-01-31T09:00:05Z".parse().unwrap()
}

/// Records of one transaction each: (number, amount).
pub(crate) fn records(transactions: &[(u32, f64)]) -> Records {
    let mut records = Records::of_shard(SHARD);
    for &(number, amount) in transactions {
        push(&mut records, number, transaction(number, amount).as_bytes());
    }
    records
}

/// Ten transactions, of which 3, 6 and 9 are held.
pub(crate) fn ten() -> Records {
    let mut transactions = Vec::new();
    for number in 0..10 {
        let held = number > 0 && number % 3 == 0;
        transactions.push((number, if held { 990.0 } else { 5.0 }));
    }
    records(&transactions)
}

pub(crate) fn arrival(number: u32) -> Timestamp {
    Timestamp::from_millisecond(1_769_850_000_000 + i64::from(number)).unwrap()
}

pub(crate) fn push(records: &mut Records, number: u32, data: &[u8]) {
    records.push(&sequence_number(number), arrival(number), data);
}

pub(crate) fn sequence_number(number: u32) -> String {
    format!("4959033827149025660855969253836157109592157598913{number:07}")
}

pub(crate) fn transaction(number: u32, amount: f64) -> String {
    let customer = number % 7;
    let terminal = number % 3;
    format!(r#"{{"transaction_id":"T{number}","occurred_at":"2026-01-31T08:59:00Z","#)
        + &format!(r#""amount":{amount},"customer_id":"C{customer}","terminal_id":"S{terminal}"}}"#)
}

/// The batch from this record on, as Lambda redelivers it.
pub(crate) fn from(records: &Records, lowest: &str) -> Records {
    let mut rest = Records::of_shard(records.shard());
    let before = |record: &score::Record<'_>| record.sequence_number.as_str() != lowest;
    for record in records.iter().skip_while(before) {
        let number = record.sequence_number.as_str();
        rest.push(number, record.arrived_at, record.data);
    }
    rest
}

/// The sequence numbers that the handler reports as failed.
pub(crate) async fn handle(handler: &mut TestHandler, records: &Records) -> Vec<String> {
    handle_within(handler, records, Duration::from_secs(60)).await
}

/// Like [`handle`], with this much time besides the reserve.
pub(crate) async fn handle_within(
    handler: &mut TestHandler,
    records: &Records,
    time: Duration,
) -> Vec<String> {
    let response = handler.handle(records.clone(), now(), RESERVE + time);
    let failures = response.await.unwrap().batch_item_failures;
    let numbers = failures
        .into_iter()
        .map(|failure| failure.item_identifier.unwrap());
    numbers.collect()
}

/// Delivers the batch as Lambda does, again and again until it is finished.
pub(crate) async fn deliver(handler: &mut TestHandler, mut records: Records) {
    for _ in 0..20 {
        let failed = handle(handler, &records).await;
        let Some(lowest) = failed.first() else { return };
        records = from(&records, lowest);
        assert!(!records.is_empty(), "{lowest} is no record of the batch");
        handler.objects.faults().clear();
    }
    panic!("not finished after 20 deliveries");
}

/// The lines of an object.
pub(crate) fn lines(handler: &TestHandler, key: &str) -> Vec<Value> {
    let bytes = gunzip(key, &handler.objects.bytes(key).unwrap()).unwrap();
    parse_lines(&bytes)
}

pub(crate) fn parse_lines(bytes: &[u8]) -> Vec<Value> {
    let lines = bytes.split(|&byte| byte == b'\n');
    let lines = lines.filter(|line| !line.is_empty());
    lines
        .map(|line| serde_json::from_slice(line).unwrap())
        .collect()
}

pub(crate) fn text<'r>(row: &'r Value, name: &str) -> &'r str {
    row.get(name).and_then(Value::as_str).unwrap_or_default()
}

/// All rows that COPY would load, by transaction id and decision id. A retry may write a row twice.
pub(crate) fn rows(handler: &TestHandler) -> BTreeMap<(String, String), Value> {
    let mut rows = BTreeMap::new();
    for key in handler.objects.keys(keys::TRANSACTIONS) {
        for row in lines(handler, &key) {
            let id = text(&row, "transaction_id").to_owned();
            rows.insert((id, text(&row, "decision_id").to_owned()), row);
        }
    }
    rows
}

/// The unreadable items, with the keys of their objects.
pub(crate) fn rejected(handler: &TestHandler) -> Vec<(String, RejectedItem)> {
    let mut rejected = Vec::new();
    for key in handler.objects.keys(keys::REJECTED) {
        for line in lines(handler, &key) {
            rejected.push((key.clone(), serde_json::from_value(line).unwrap()));
        }
    }
    rejected
}

pub(crate) fn ledger(handler: &TestHandler) -> Vec<LedgerObject> {
    let keys = handler.objects.keys(keys::LEDGER);
    let parse = |key: &String| LedgerObject::parse(&handler.objects.bytes(key).unwrap());
    keys.iter().map(|key| parse(key).unwrap()).collect()
}

/// The waiting entries of batches.
pub(crate) fn waiting(handler: &TestHandler) -> Vec<BatchEntry> {
    let mut entries = Vec::new();
    for key in handler
        .objects
        .keys(&WaitingEntry::prefix(Lane::Transactions))
    {
        match WaitingEntry::parse(&key) {
            Some(WaitingEntry::Batch(entry)) => entries.push(entry),
            other => panic!("{key} stands for {other:?}"),
        }
    }
    entries
}

/// Checks that the objects of a batch are consistent: each waiting entry has its batch and its ledger
/// object, and the rows of the batch name the holds of the ledger.
pub(crate) fn assert_consistent(handler: &TestHandler) {
    for entry in waiting(handler) {
        let batch = entry.batch_name();
        let key = keys::transactions(entry.arrived_at, &batch);
        let rows = lines(handler, &key);
        let mut holds = 0;
        if let Some(due) = entry.due {
            let key = keys::ledger(due, &batch);
            let bytes = handler.objects.bytes(&key).expect("a ledger object");
            let ledger = LedgerObject::parse(&bytes).unwrap();
            assert_eq!(
                WaitingEntry::parse(&ledger.waiting).map(|e| e.key()),
                Some(ledger.waiting)
            );
            let mut from = 0;
            for held in &entry.held {
                let group = hold_group(&batch, &held.version);
                let next = from + held.holds as usize;
                for (index, hold) in (0..).zip(&ledger.holds[from..next]) {
                    assert_eq!(hold.bundle_version, held.version);
                    let row = rows.iter().find(|row| {
                        text(row, "_hold_group") == group && row["_hold_index"] == index
                    });
                    let row = row.expect("a row of the hold");
                    assert_eq!(text(row, "decision_id"), hold.decision_id);
                    assert_eq!(text(row, "identity_hash"), hold.identity.to_string());
                }
                from = next;
            }
            assert_eq!(from, ledger.holds.len());
            holds = from;
        }
        let marked = rows.iter().filter(|row| row.get("_hold_group").is_some());
        assert_eq!(marked.count(), holds, "{batch}");
    }
}
