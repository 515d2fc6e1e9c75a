//! The phases of a run with faults: prepare, stream under faults, wait for every decision.

use decision::keys;
use harness::fixture;
use jiff::Timestamp;
use local::Local;
use look::audit::{Audit, audit};
use look::consume::{Consumer, DecisionLog};
use look::history;
use look::init::init;
use look::system::System;
use serde_json::json;
use store::{Objects as _, Stream as _};

use crate::sent::{self, Sent};
use crate::system::{eventually, kill_functions, set_faults};

/// Uploads the harness's bundle, and a history with the usual amounts of the customers.
pub(crate) async fn prepare(system: &System) {
    init(system, fixture::DEFINITION).await.unwrap();
    let version = fixture::bundle().version().to_owned();
    for (name, bytes) in fixture::files() {
        system
            .objects
            .put(&bundle::keys::file("small", &version, &name), bytes)
            .await
            .unwrap();
    }
    let pointer = json!({ "version": version }).to_string().into_bytes();
    system
        .objects
        .put(&bundle::keys::pointer("small"), pointer)
        .await
        .unwrap();
    let rows = sent::history(Timestamp::now());
    history::transactions(system, &rows).await.unwrap();
    eventually("the history is in the warehouse", 180, async || {
        let count = system
            .count("SELECT COUNT(*) FROM transactions")
            .await
            .unwrap();
        if count == rows.len() as u64 {
            Ok(())
        } else {
            Err(format!("{count} of {}", rows.len()))
        }
    })
    .await;
}

/// Puts all records on the stream under faults, until the audit is clean.
pub(crate) async fn go_live(
    local: &Local,
    system: &System,
    sent: &Sent,
    say: &impl Fn(&str),
) -> DecisionLog {
    let consumer = Consumer::start(&system.kinesis, &system.decisions_stream)
        .await
        .unwrap();
    set_faults(
        local,
        &json!({
            "name_prefix": "second-look-", "drop_event_share": 0.4, "duplicate_events": 10, "delay_events": 5,
            "delay_ms": 8_000, "fail_statements": 4, "abort_statements": 2,
        }),
    );
    let mut killed = 0;
    for (place, chunk) in sent.records.chunks(200).enumerate() {
        assert_eq!(
            system.transactions.publish(chunk).await.unwrap(),
            [0; 0],
            "the stream takes every record"
        );
        eventually("score is at work", 120, async || {
            let decisions = consumer.log().provisional.len();
            if decisions > place * 120 {
                Ok(())
            } else {
                Err(format!("{decisions} decisions"))
            }
        })
        .await;
        if place % 3 == 1 {
            killed += kill_functions(local);
        }
    }
    say(&format!(
        "all records are sent, {killed} processes of functions were killed"
    ));
    assert!(
        killed >= 5,
        "too few functions were running to be killed: {killed}"
    );
    all_is_there(system, sent, &consumer).await
}

/// Waits until the audit is clean and every decision was read from the stream.
pub(crate) async fn all_is_there(system: &System, sent: &Sent, consumer: &Consumer) -> DecisionLog {
    let scope = sent.scope();
    let audited = async || {
        let audit = audit(system, &scope, None).await.unwrap();
        if audit.is_clean() && audit.decided == scope.ids.len() {
            return Ok(audit);
        }
        Err(format!(
            "{audit:?}; in progress: {:?}",
            under_way(system).await
        ))
    };
    let found: Audit = eventually("the audit is clean", 300, audited).await;
    let held = sent.transactions.values().flatten().count();
    assert_eq!((found.held, found.settled), (held, held));
    assert_eq!(found.rejected, sent.unreadable.len());
    eventually("all decisions are on the stream", 60, async || {
        let log = consumer.log();
        let counts = (log.provisional.len(), log.finals.len());
        let expected = (scope.ids.len(), held);
        if counts == expected {
            Ok(())
        } else {
            Err(format!("{counts:?} of {expected:?}"))
        }
    })
    .await;
    let log = std::mem::take(&mut *consumer.log());
    assert_eq!((log.contradictions.len(), log.unreadable), (0, 0));
    assert_eq!(audit(system, &scope, Some(&log)).await.unwrap(), found);
    log
}

/// The keys of unfinished work, for the failure message.
async fn under_way(system: &System) -> Vec<String> {
    let mut keys = Vec::new();
    for prefix in [keys::PENDING, "manifests/", "aws/"] {
        keys.extend(
            system
                .objects
                .list(prefix)
                .await
                .unwrap()
                .into_iter()
                .map(|listed| listed.key),
        );
    }
    keys
}
