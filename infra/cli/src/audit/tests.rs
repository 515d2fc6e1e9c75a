use serde_json::json;

use super::*;
use crate::consume::ReadDecision;

fn decision(id: &str, stage: &str, action: &str) -> ReadDecision {
    let mut decision = json!({
        "decision_id": id, "transaction_id": id, "stage": stage, "action": action, "score": 0.5,
        "reasons": [], "model_version": "v", "decided_at": Timestamp::UNIX_EPOCH,
    });
    if action == "hold" {
        decision["deadline"] = json!(Timestamp::UNIX_EPOCH);
    }
    ReadDecision {
        decision: serde_json::from_value(decision).unwrap(),
        read_at: Timestamp::UNIX_EPOCH,
    }
}

fn once(action: Action) -> WarehouseRows {
    WarehouseRows {
        times: 1,
        action: Some(action),
    }
}

/// An approval `a` and a hold `h` that was released, as they must be stored.
fn in_order() -> (AuditScope, StoredDecisions, DecisionLog) {
    let ids = ["a", "h"].map(str::to_owned);
    let [a, h] = ids.clone();
    let stored = StoredDecisions {
        decided: [
            (a.clone(), [Action::Approve].into()),
            (h.clone(), [Action::Hold].into()),
        ]
        .into(),
        transactions: [
            (a.clone(), once(Action::Approve)),
            (h.clone(), once(Action::Hold)),
        ]
        .into(),
        outcomes: [h.clone()].into(),
        ended: [(h.clone(), once(Action::Release))].into(),
        ..StoredDecisions::default()
    };
    let log = DecisionLog {
        provisional: [
            (a, decision("a", "provisional", "approve")),
            (h.clone(), decision("h", "provisional", "hold")),
        ]
        .into(),
        finals: [(h, decision("h", "final", "release"))].into(),
        ..DecisionLog::default()
    };
    (AuditScope::nothing_but(ids.into()), stored, log)
}

#[test]
fn complete_records_give_a_clean_audit() {
    let (scope, stored, log) = in_order();
    let audit = judge(&scope, &stored, Some(&log), true);
    assert_eq!(
        audit,
        Audit {
            sent: 2,
            decided: 2,
            held: 1,
            settled: 1,
            ..Audit::default()
        }
    );
    assert!(audit.is_clean());
    assert!(judge(&scope, &stored, None, true).is_clean());
}

#[test]
fn each_damage_is_counted_under_its_name() {
    type Damage = fn(&mut StoredDecisions, &mut DecisionLog);
    let damages: [(&str, Damage, &str, usize); 16] = [
        (
            "no object",
            |stored, _| drop(stored.decided.remove("a")),
            "lost",
            1,
        ),
        (
            "no row",
            |stored, _| stored.transactions.retain(|id, _| id != "a"),
            "lost",
            1,
        ),
        (
            "no approval on the stream",
            |_, log| drop(log.provisional.remove("a")),
            "lost",
            1,
        ),
        (
            "no hold on the stream",
            |_, log| drop(log.provisional.remove("h")),
            "lost",
            1,
        ),
        (
            "no outcome",
            |stored, _| stored.outcomes.clear(),
            "unsettled",
            1,
        ),
        (
            "no row of the end",
            |stored, _| stored.ended.retain(|id, _| id != "h"),
            "unsettled",
            1,
        ),
        (
            "no end on the stream",
            |_, log| drop(log.finals.remove("h")),
            "unsettled",
            1,
        ),
        (
            "a row twice",
            |stored, _| stored.transactions.get_mut("a").unwrap().times = 3,
            "twice",
            2,
        ),
        (
            "an end twice",
            |stored, _| stored.ended.get_mut("h").unwrap().times = 2,
            "twice",
            1,
        ),
        (
            "a row that was never sent",
            |stored, _| {
                stored
                    .transactions
                    .extend([("x".into(), once(Action::Hold))]);
            },
            "strangers",
            1,
        ),
        (
            "an end of an approval",
            |stored, _| stored.outcomes.extend(["a".into()]),
            "strangers",
            1,
        ),
        (
            "two decisions",
            |stored, _| stored.decided.get_mut("a").unwrap().extend([Action::Hold]),
            "contradictory",
            1,
        ),
        (
            "another decision on the stream",
            |_, log| {
                drop(
                    log.provisional
                        .insert("a".into(), decision("a", "provisional", "hold")),
                );
            },
            "contradictory",
            1,
        ),
        (
            "another end on the stream",
            |_, log| {
                drop(
                    log.finals
                        .insert("h".into(), decision("h", "final", "block")),
                );
            },
            "contradictory",
            1,
        ),
        (
            "another action in the warehouse",
            |stored, _| {
                stored
                    .transactions
                    .extend([("a".into(), once(Action::Hold))]);
            },
            "contradictory",
            1,
        ),
        (
            "two ends on the stream",
            |_, log| log.contradictions.push("h".into()),
            "contradictory",
            1,
        ),
    ];
    for (name, damage, field, count) in damages {
        let (scope, mut stored, mut log) = in_order();
        damage(&mut stored, &mut log);
        let audit = judge(&scope, &stored, Some(&log), true);
        assert!(!audit.is_clean(), "{name}: {audit:?}");
        assert_eq!(
            serde_json::to_value(&audit).unwrap()[field],
            count,
            "{name}: {audit:?}"
        );
    }
}

#[test]
fn left_entries_and_failed_work_are_not_clean() {
    for field in ["pending", "given_up_batches", "given_up_loads"] {
        let (scope, mut stored, log) = in_order();
        match field {
            "pending" => stored.pending = 1,
            "given_up_batches" => stored.failed_batches = 1,
            _ => stored.failed_loads = 1,
        }
        let audit = judge(&scope, &stored, Some(&log), true);
        assert!(!audit.is_clean(), "{field}");
        assert_eq!(serde_json::to_value(&audit).unwrap()[field], 1);
    }
}

#[test]
fn approvals_are_missed_only_where_they_are_published() {
    let (scope, stored, mut log) = in_order();
    log.provisional.remove("a");
    assert!(judge(&scope, &stored, Some(&log), false).is_clean());
    log.provisional.remove("h");
    assert_eq!(judge(&scope, &stored, Some(&log), false).lost, 1);
}

#[test]
fn other_transactions_are_outside_of_the_scope() {
    let (mut scope, stored, mut log) = in_order();
    log.finals
        .insert("theirs".into(), decision("theirs", "final", "block"));
    log.contradictions.push("theirs".into());
    let among_all = judge(&scope, &stored, Some(&log), true);
    assert_eq!((among_all.unknown, among_all.contradictory), (1, 1));
    scope.among_others = Some((Timestamp::UNIX_EPOCH, Timestamp::UNIX_EPOCH));
    assert!(judge(&scope, &stored, Some(&log), true).is_clean());
}
