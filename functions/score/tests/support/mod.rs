//! A handler among twins.

pub(crate) use harness::fixture::bundle;

use std::collections::BTreeMap;
use std::time::Duration;

use decision::Hold;
use decision::keys;
use decision::ledger::{LedgerEntry, SettleWork};
use harness::memory::{Faults, Objects, Stream, Warehouse};
use jiff::Timestamp;
use score::{Context, Records, Settings};
use serde_json::Value;
use store::gunzip;

pub(crate) type Twins = Context<Objects, Stream, Warehouse>;

pub(crate) fn context(faults: &Faults) -> Twins {
    Context {
        bundle: bundle(),
        objects: Objects::with(faults),
        decisions: Stream::with(faults),
        warehouse: Warehouse::with(faults),
        settings: Settings {
            statement_prefix: "second-look".to_owned(),
            publish_approvals: true,
            // Long for a twin, which answers at once, and short for a test.
            patience: Duration::from_millis(500),
        },
    }
}

pub(crate) fn now() -> Timestamp {
    "2026-01-31T09:00:05Z".parse().unwrap()
}

/// Records of one transaction each: (number, amount).
pub(crate) fn records(transactions: &[(u32, f64)]) -> Records {
    let mut records = Records::of_shard("000000000006");
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
    format!(
        r#"{{"transaction_id":"T{number}","occurred_at":"2026-01-31T08:59:00Z","amount":{amount},"customer_id":"C{}","terminal_id":"S{}"}}"#,
        number % 7,
        number % 3
    )
}

/// What the handler reports as failed.
pub(crate) async fn handle(context: &Twins, records: &Records) -> Vec<String> {
    let response = context.handle(records, now()).await.unwrap();
    response
        .batch_item_failures
        .into_iter()
        .map(|failure| failure.item_identifier.unwrap())
        .collect()
}

/// Every row that COPY would see, by transaction id and decision id: a retry may write one twice.
pub(crate) fn rows(context: &Twins) -> BTreeMap<(String, String), Value> {
    let mut rows = BTreeMap::new();
    for key in context.objects.keys(keys::TRANSACTIONS) {
        let lines = gunzip(&key, &context.objects.bytes(&key).unwrap()).unwrap();
        for line in lines
            .split(|&byte| byte == b'\n')
            .filter(|line| !line.is_empty())
        {
            let row: Value = serde_json::from_slice(line).unwrap_or_else(|e| panic!("{key}: {e}"));
            let text = |name: &str| row[name].as_str().unwrap().to_owned();
            rows.insert((text("transaction_id"), text("decision_id")), row);
        }
    }
    rows
}

pub(crate) fn ledger(context: &Twins) -> Vec<LedgerEntry> {
    let keys = context.objects.keys(keys::PENDING);
    keys.iter()
        .map(|key| serde_json::from_slice(&context.objects.bytes(key).unwrap()).unwrap())
        .collect()
}

pub(crate) fn holds(entry: &LedgerEntry) -> &[Hold] {
    match &entry.work {
        SettleWork::Confirm { holds } => holds,
        SettleWork::Load { .. } => panic!("score wrote the entry of a load"),
    }
}
