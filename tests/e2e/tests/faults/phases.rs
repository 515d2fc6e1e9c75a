//! The phases of a run with faults: stream under faults, wait for every decision.

use std::collections::{HashMap, HashSet};

use decision::SettledBy;
use e2e::functions::kill_functions;
use e2e::stand_in::set_faults;
use e2e::wait::{clean_audit, eventually, swept};
use local::Local;
use look::audit::audit;
use look::consume::{Consumer, DecisionLog, ReadDecision};
use look::system::System;
use serde_json::json;
use store::Stream as _;

use crate::sent::Sent;

/// From this chunk of records on, all events are lost, and some statements fail.
const EVENTS_ARE_LOST: usize = 4;

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
    let late_and_doubled = json!({
        "name_prefix": "second-look/", "duplicate_events": 10, "delay_events": 5, "delay_ms": 8_000,
    });
    // Without events, only sweeps and wake-ups take a turn further.
    let lost_and_failing = json!({
        "name_prefix": "second-look/", "drop_event_share": 1.0, "fail_statements": 4,
        "abort_statements": 2,
    });
    set_faults(local, &late_and_doubled);
    let mut killed = 0;
    for (place, chunk) in sent.records.chunks(200).enumerate() {
        if place == EVENTS_ARE_LOST {
            eventually("confirm has settled a hold", 180, async || {
                settled_by_confirm(&consumer)
            })
            .await;
            set_faults(local, &lost_and_failing);
        }
        assert_eq!(
            system.transactions.publish(chunk).await.unwrap(),
            [0; 0],
            "the stream takes every record"
        );
        eventually("score is at work", 120, async || {
            let read = consumer.log().provisional.len();
            if read > place * 120 {
                Ok(())
            } else {
                Err(format!("{read} decisions"))
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
    all_is_there(local, system, sent, &consumer).await
}

fn settled_by_confirm(consumer: &Consumer) -> Result<(), String> {
    let log = consumer.log();
    let mut finals = log.finals.values();
    let by_confirm = |read: &ReadDecision| read.decision.settled_by == Some(SettledBy::Confirm);
    if finals.any(by_confirm) {
        return Ok(());
    }
    Err(format!("{} final decisions by others", log.finals.len()))
}

/// Waits until the audit is clean and every decision was read from the stream.
pub(crate) async fn all_is_there(
    local: &Local,
    system: &System,
    sent: &Sent,
    consumer: &Consumer,
) -> DecisionLog {
    let scope = sent.scope();
    let audited = async || clean_audit(system, &scope).await;
    let found = swept(local, "the audit is clean", 300, audited).await;
    let held = sent.transactions.values().flatten().count();
    assert_eq!((found.held, found.settled), (held, held));
    assert_eq!(found.rejected, sent.unreadable.len());
    eventually("all decisions are on the stream", 60, async || {
        let log = consumer.log();
        let counts = (transactions(&log.provisional), transactions(&log.finals));
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

/// How many transactions these decisions are on. A transaction that was sent twice has two.
fn transactions(decisions: &HashMap<String, ReadDecision>) -> usize {
    let ids: HashSet<&str> = decisions
        .values()
        .map(|read| read.decision.transaction_id.as_str())
        .collect();
    ids.len()
}
