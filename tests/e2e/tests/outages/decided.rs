//! Waiting for decisions on the stream.

use std::collections::{BTreeSet, HashMap};

use e2e::traffic::Traffic;
use e2e::wait::eventually;
use look::consume::{Consumer, ReadDecision};

/// Waits until each transaction has its provisional decision.
pub(crate) async fn all_are_decided(consumer: &Consumer, traffic: &Traffic) {
    let ids = traffic.transactions.keys().map(String::as_str).collect();
    eventually("every transaction is decided", 90, async || {
        missing(&consumer.log().provisional, &ids)
    })
    .await;
}

/// Waits until each hold has its final decision.
pub(crate) async fn all_holds_are_settled(consumer: &Consumer, traffic: &Traffic, seconds: u64) {
    let held = traffic.transactions.iter().filter(|(_, end)| end.is_some());
    let ids = held.map(|(id, _)| id.as_str()).collect();
    eventually("every hold has its final decision", seconds, async || {
        missing(&consumer.log().finals, &ids)
    })
    .await;
}

fn missing(read: &HashMap<String, ReadDecision>, ids: &BTreeSet<&str>) -> Result<(), String> {
    let read = read
        .values()
        .map(|read| read.decision.transaction_id.as_str());
    let read: BTreeSet<&str> = read.collect();
    let missing: Vec<&str> = ids.difference(&read).copied().collect();
    match missing.first() {
        None => Ok(()),
        Some(first) => Err(format!("{} are missing, {first} first", missing.len())),
    }
}
