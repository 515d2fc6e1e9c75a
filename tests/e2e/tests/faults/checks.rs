//! The guarantees, checked after a run.

use std::collections::BTreeMap;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use decision::keys;
use decision::{Decision, RejectedItem, SettledBy};
use e2e::functions::logs;
use e2e::stand_in::set_faults;
use e2e::traffic::{self, HOSTILE_CUSTOMER, PAYLOAD};
use e2e::wait::eventually;
use jiff::Timestamp;
use local::Local;
use look::audit::{Audit, audit};
use look::consume::DecisionLog;
use look::history;
use look::lanes::unfinished;
use look::system::System;
use serde_json::json;
use store::{Objects as _, gunzip};
use turns::{FileEntry, WaitingEntry};

use crate::sent::Sent;

/// Every final decision follows from the evidence. The sweep made some, because events were lost.
pub(crate) fn check_finals(sent: &Sent, log: &DecisionLog) {
    let mut by = BTreeMap::new();
    let mut finals: BTreeMap<&str, Vec<&Decision>> = BTreeMap::new();
    for read in log.finals.values() {
        let last = &read.decision;
        let of_transaction = finals.entry(last.transaction_id.as_str()).or_default();
        of_transaction.push(last);
    }
    for (id, end) in &sent.transactions {
        let lasts = finals.remove(id.as_str()).unwrap_or_default();
        assert_eq!(lasts.is_empty(), end.is_none(), "{id}: {lasts:#?}");
        for last in lasts {
            assert_eq!(Some(last.action), *end, "{id}: {last:#?}");
            *by.entry(format!(
                "{:?}",
                last.settled_by.unwrap_or(SettledBy::Expiry)
            ))
            .or_insert(0) += 1;
        }
    }
    assert_eq!(finals.len(), 0, "{finals:#?}");
    assert!(
        by.contains_key("Confirm") && by.contains_key("Sweep"),
        "settled by {by:?}"
    );
    assert!(!by.contains_key("Expiry"), "settled by {by:?}");
}

/// Every unreadable item is in `rejected/` once, with its exact bytes and the stage at which reading
/// failed.
pub(crate) async fn check_rejected(system: &System, sent: &Sent) {
    let mut found = BTreeMap::new();
    for listed in system.objects.list(keys::REJECTED).await.unwrap() {
        let bytes = system.objects.get(&listed.key).await.unwrap().unwrap();
        let lines = gunzip(&listed.key, &bytes).unwrap();
        for line in lines.split(|byte| *byte == b'\n') {
            if line.is_empty() {
                continue;
            }
            let rejected: RejectedItem = serde_json::from_slice(line).unwrap();
            let raw = STANDARD.decode(&rejected.raw).unwrap();
            assert_eq!(
                found.insert(raw, rejected.stage),
                None,
                "{}: a duplicate item",
                listed.key
            );
        }
    }
    for (raw, stage) in &sent.unreadable {
        let shown = String::from_utf8_lossy(&raw[..raw.len().min(80)]);
        assert_eq!(found.get(raw).map(String::as_str), Some(*stage), "{shown}");
    }
    assert_eq!(found.len(), sent.unreadable.len());
}

/// The warehouse has every final decision once: one for each hold, and a hold that was sent twice is
/// two.
pub(crate) async fn check_outcomes(system: &System, sent: &Sent) {
    let held = sent.transactions.values().flatten().count() as u64;
    eventually("the outcomes are in the warehouse", 120, async || {
        let count = async |what: &str| {
            let query = format!("SELECT COUNT({what}) FROM outcomes");
            system.count(&query).await.unwrap()
        };
        let all = count("*").await;
        let decisions = count("DISTINCT decision_id").await;
        let transactions = count("DISTINCT transaction_id").await;
        if all == decisions && transactions == held {
            Ok(())
        } else {
            Err(format!("{all}, {decisions}, {transactions} of {held}"))
        }
    })
    .await;
}

/// A repeated object and a repeated event change nothing.
pub(crate) async fn nothing_changes_a_second_time(local: &Local, system: &System, sent: &Sent) {
    set_faults(local, &json!({}));
    let scope = sent.scope();
    let before = audit(system, &scope, None).await.unwrap();
    let rows = system
        .count("SELECT COUNT(*) FROM transactions")
        .await
        .unwrap();
    // Each object waits again, as after a redelivery.
    for listed in system.objects.list(keys::TRANSACTIONS).await.unwrap() {
        let waiting = WaitingEntry::History(FileEntry {
            arrived_at: listed.modified,
            id: "again".to_owned(),
            bytes: listed.bytes,
            hours: turns::HourRanges::default(),
        });
        let content = listed.key.clone().into_bytes();
        system.objects.put(&waiting.key(), content).await.unwrap();
    }
    let definition = system.definition().await.unwrap();
    let marker = traffic::history(Timestamp::now())
        .into_iter()
        .take(1)
        .map(|mut row| {
            row.json = row.json.replace("H0", "H-marker");
            row
        });
    let marker: Vec<_> = marker.collect();
    history::transactions(system, &definition, &marker)
        .await
        .unwrap();
    eventually("the objects are loaded again", 180, async || {
        let left = unfinished(&system.objects).await.unwrap();
        let marked = "SELECT COUNT(*) FROM transactions WHERE transaction_id = 'H-marker'";
        let count = system.count(marked).await.unwrap();
        if left.is_empty() && count == 1 {
            Ok(())
        } else {
            Err(format!("{count} marker, {left:?}"))
        }
    })
    .await;
    // The marker arrived before the holds of its customer and was loaded after them: their evidence
    // is late now.
    let besides_evidence = |audit: &Audit| Audit {
        evidence_compared: 0,
        late_evidence: 0,
        ..audit.clone()
    };
    eventually("nothing has changed", 120, async || {
        let after = audit(system, &scope, None).await.unwrap();
        if besides_evidence(&after) == besides_evidence(&before) {
            Ok(())
        } else {
            Err(format!("{after:?}, before {before:?}"))
        }
    })
    .await;
    assert_eq!(
        system
            .count("SELECT COUNT(*) FROM transactions")
            .await
            .unwrap(),
        rows + 1
    );
    assert!(local.redshift_data_endpoint().is_some());
}

/// Logs name records by sequence number and id, and contain no payload.
pub(crate) fn check_logs(local: &Local) {
    let logs = logs(local);
    for function in ["score", "confirm", "sweep", "load"] {
        let told = logs
            .iter()
            .any(|(name, text)| name.contains(function) && !text.is_empty());
        assert!(told, "{function} logged nothing");
    }
    for (name, text) in logs
        .iter()
        .filter(|(name, _)| name.starts_with("second-look"))
    {
        for secret in [
            PAYLOAD,
            HOSTILE_CUSTOMER,
            "this is not json",
            "bad user record",
        ] {
            assert!(!text.contains(secret), "{name} shows a payload");
        }
    }
}
