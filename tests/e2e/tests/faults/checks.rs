//! The guarantees, checked after a run.

use std::collections::BTreeMap;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use decision::keys;
use decision::{RejectedItem, SettledBy};
use jiff::Timestamp;
use local::Local;
use look::audit::audit;
use look::consume::DecisionLog;
use look::history;
use look::system::System;
use serde_json::json;
use store::Objects as _;

use crate::sent::{self, Sent};
use crate::system::{eventually, logs, set_faults};

/// Every final decision follows from the evidence. The sweep made some, because events were lost.
pub(crate) fn check_finals(sent: &Sent, log: &DecisionLog) {
    let mut by = BTreeMap::new();
    for (id, end) in &sent.transactions {
        let last = log.finals.get(id).map(|last| &last.decision);
        assert_eq!(last.map(|last| last.action), *end, "{id}: {last:#?}");
        if let Some(last) = last {
            *by.entry(format!(
                "{:?}",
                last.settled_by.unwrap_or(SettledBy::Expiry)
            ))
            .or_insert(0) += 1;
        }
    }
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
        let rejected: RejectedItem = serde_json::from_slice(&bytes).unwrap();
        let raw = STANDARD.decode(&rejected.raw).unwrap();
        assert_eq!(
            found.insert(raw, rejected.stage),
            None,
            "{}: a duplicate item",
            listed.key
        );
    }
    for (raw, stage) in &sent.unreadable {
        let shown = String::from_utf8_lossy(&raw[..raw.len().min(80)]);
        assert_eq!(found.get(raw).map(String::as_str), Some(*stage), "{shown}");
    }
    assert_eq!(found.len(), sent.unreadable.len());
}

/// The warehouse has every final decision once.
pub(crate) async fn check_outcomes(system: &System, sent: &Sent) {
    let held = sent.transactions.values().flatten().count() as u64;
    eventually("the outcomes are in the warehouse", 120, async || {
        let all = system.count("SELECT COUNT(*) FROM outcomes").await.unwrap();
        let different = system
            .count("SELECT COUNT(DISTINCT transaction_id) FROM outcomes")
            .await
            .unwrap();
        if (all, different) == (held, held) {
            Ok(())
        } else {
            Err(format!("{all}, {different} of {held}"))
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
    let written = system.objects.list(keys::TRANSACTIONS).await.unwrap();
    for listed in &written {
        let bytes = system.objects.get(&listed.key).await.unwrap().unwrap();
        system.objects.put(&listed.key, bytes).await.unwrap();
    }
    let marker = sent::history(Timestamp::now())
        .into_iter()
        .take(1)
        .map(|mut row| {
            row.json = row.json.replace("H0", "H-marker");
            row
        });
    // Objects are loaded in order: when this one is loaded, the earlier ones are too.
    history::transactions(system, &marker.collect::<Vec<_>>())
        .await
        .unwrap();
    eventually("the objects are loaded again", 180, async || {
        let marked = "SELECT COUNT(*) FROM transactions WHERE transaction_id = 'H-marker'";
        if system.count(marked).await.unwrap() == 1 {
            Ok(())
        } else {
            Err("not yet".to_owned())
        }
    })
    .await;
    eventually("nothing has changed", 120, async || {
        let after = audit(system, &scope, None).await.unwrap();
        if after == before {
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
            sent::PAYLOAD,
            sent::HOSTILE_CUSTOMER,
            "this is not json",
            "bad user record",
        ] {
            assert!(!text.contains(secret), "{name} shows a payload");
        }
    }
}
