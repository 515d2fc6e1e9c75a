//! A handler with in-memory adapters.

#![allow(
    dead_code,
    clippy::allow_attributes,
    reason = "each test uses a part of it"
)]

use std::collections::BTreeMap;
use std::time::Duration;

use decision::Hold;
use decision::keys;
use decision::ledger::{LedgerEntry, SettleWork};
use harness::memory::{Faults, Objects, Stream, Warehouse};
use jiff::Timestamp;
use score::{Handler, Publish, Records, Settings};
use serde_json::Value;
use startup::BundleFollower;
use store::gunzip;

pub(crate) type TestHandler = Handler<Objects, Stream, Warehouse>;

pub(crate) const SHARD: &str = "000000000006";

pub(crate) fn handler(faults: &Faults) -> TestHandler {
    Handler {
        bundle: harness::fixture::bundle(),
        // A bundle in a folder never changes.
        follower: BundleFollower::new("./bundle"),
        objects: Objects::with(faults),
        decisions: Stream::with(faults),
        warehouse: Warehouse::with(faults),
        settings: Settings {
            statement_prefix: "second-look".to_owned(),
            publish: Publish::AllDecisions,
            // The in-memory warehouse answers at once; a test that exceeds this must stay short.
            patience: Duration::from_millis(500),
        },
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

pub(crate) fn push(records: &mut Records, number: u32, data: &[u8]) {
    let arrived_at = Timestamp::from_millisecond(1_769_850_000_000 + i64::from(number)).unwrap();
    records.push(&sequence_number(number), arrived_at, data);
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

/// The sequence numbers that the handler reports as failed.
pub(crate) async fn handle(handler: &mut TestHandler, records: &Records) -> Vec<String> {
    let response = handler.handle(records.clone(), now()).await.unwrap();
    response
        .batch_item_failures
        .into_iter()
        .map(|failure| failure.item_identifier.unwrap())
        .collect()
}

/// All rows that COPY would load, by transaction id and decision id. A retry may write a row twice.
pub(crate) fn rows(handler: &TestHandler) -> BTreeMap<(String, String), Value> {
    let mut rows = BTreeMap::new();
    for key in handler.objects.keys(keys::TRANSACTIONS) {
        let lines = gunzip(&key, &handler.objects.bytes(&key).unwrap()).unwrap();
        for line in lines
            .split(|&byte| byte == b'\n')
            .filter(|line| !line.is_empty())
        {
            let row: Value = serde_json::from_slice(line).unwrap_or_else(|e| panic!("{key}: {e}"));
            let text = |name| row.get(name).and_then(Value::as_str).unwrap().to_owned();
            rows.insert((text("transaction_id"), text("decision_id")), row);
        }
    }
    rows
}

pub(crate) fn ledger(handler: &TestHandler) -> Vec<LedgerEntry> {
    let keys = handler.objects.keys(keys::PENDING);
    keys.iter()
        .map(|key| serde_json::from_slice(&handler.objects.bytes(key).unwrap()).unwrap())
        .collect()
}

pub(crate) fn holds(entry: &LedgerEntry) -> &[Hold] {
    match &entry.work {
        SettleWork::Confirm { holds } => holds,
        SettleWork::Load { .. } => panic!("score wrote a ledger entry of a load"),
    }
}
