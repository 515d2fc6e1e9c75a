use decision::Decision;
use serde_json::json;

use super::*;

fn decision(id: &str, stage: &str, action: &str) -> (Decision, Timestamp) {
    let mut decision = json!({
        "decision_id": id, "transaction_id": id, "stage": stage, "action": action, "score": 0.5,
        "reasons": [], "model_version": "v", "decided_at": Timestamp::UNIX_EPOCH,
    });
    if action == "hold" {
        decision["deadline"] = json!(Timestamp::UNIX_EPOCH);
    }
    (
        serde_json::from_value(decision).unwrap(),
        Timestamp::UNIX_EPOCH,
    )
}

fn once(action: Action) -> WarehouseRows {
    WarehouseRows {
        times: 1,
        action: Some(action),
    }
}

/// An approval `a` and a hold `h` that was released, as they must be found.
fn in_order() -> (AuditScope, StoredDecisions, DecisionLog) {
    let ids = ["a", "h"].map(str::to_owned);
    let [a, h] = ids.clone();
    let found = StoredDecisions {
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
    let seen = DecisionLog {
        provisional: [
            (a, decision("a", "provisional", "approve")),
            (h.clone(), decision("h", "provisional", "hold")),
        ]
        .into(),
        finals: [(h, decision("h", "final", "release"))].into(),
        ..DecisionLog::default()
    };
    (AuditScope::nothing_but(ids.into()), found, seen)
}

#[test]
fn what_is_in_order_is_clean() {
    let (asked, found, seen) = in_order();
    let audit = judge(&asked, &found, Some(&seen), true);
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
    assert!(judge(&asked, &found, None, true).is_clean());
}

#[test]
fn each_damage_is_seen_as_what_it_is() {
    type Damage = fn(&mut StoredDecisions, &mut DecisionLog);
    let damages: [(&str, Damage, &str, usize); 16] = [
        (
            "no object",
            |found, _| drop(found.decided.remove("a")),
            "lost",
            1,
        ),
        (
            "no row",
            |found, _| found.transactions.retain(|id, _| id != "a"),
            "lost",
            1,
        ),
        (
            "no approval on the stream",
            |_, seen| drop(seen.provisional.remove("a")),
            "lost",
            1,
        ),
        (
            "no hold on the stream",
            |_, seen| drop(seen.provisional.remove("h")),
            "lost",
            1,
        ),
        (
            "no outcome",
            |found, _| found.outcomes.clear(),
            "unsettled",
            1,
        ),
        (
            "no row of the end",
            |found, _| found.ended.retain(|id, _| id != "h"),
            "unsettled",
            1,
        ),
        (
            "no end on the stream",
            |_, seen| drop(seen.finals.remove("h")),
            "unsettled",
            1,
        ),
        (
            "a row twice",
            |found, _| found.transactions.get_mut("a").unwrap().times = 3,
            "twice",
            2,
        ),
        (
            "an end twice",
            |found, _| found.ended.get_mut("h").unwrap().times = 2,
            "twice",
            1,
        ),
        (
            "a row of nobody",
            |found, _| {
                found
                    .transactions
                    .extend([("x".into(), once(Action::Hold))]);
            },
            "strangers",
            1,
        ),
        (
            "an end of an approval",
            |found, _| found.outcomes.extend(["a".into()]),
            "strangers",
            1,
        ),
        (
            "two decisions",
            |found, _| found.decided.get_mut("a").unwrap().extend([Action::Hold]),
            "contradictory",
            1,
        ),
        (
            "another decision on the stream",
            |_, seen| {
                drop(
                    seen.provisional
                        .insert("a".into(), decision("a", "provisional", "hold")),
                );
            },
            "contradictory",
            1,
        ),
        (
            "another end on the stream",
            |_, seen| {
                drop(
                    seen.finals
                        .insert("h".into(), decision("h", "final", "block")),
                );
            },
            "contradictory",
            1,
        ),
        (
            "another action in the warehouse",
            |found, _| {
                found
                    .transactions
                    .extend([("a".into(), once(Action::Hold))]);
            },
            "contradictory",
            1,
        ),
        (
            "two ends on the stream",
            |_, seen| seen.contradictions.push("h".into()),
            "contradictory",
            1,
        ),
    ];
    for (name, damage, field, count) in damages {
        let (asked, mut found, mut seen) = in_order();
        damage(&mut found, &mut seen);
        let audit = judge(&asked, &found, Some(&seen), true);
        assert!(!audit.is_clean(), "{name}: {audit:?}");
        assert_eq!(
            serde_json::to_value(&audit).unwrap()[field],
            count,
            "{name}: {audit:?}"
        );
    }
}

#[test]
fn what_was_left_behind_is_not_clean() {
    for field in ["pending", "given_up_batches", "given_up_loads"] {
        let (asked, mut found, seen) = in_order();
        match field {
            "pending" => found.pending = 1,
            "given_up_batches" => found.failed_batches = 1,
            _ => found.failed_loads = 1,
        }
        let audit = judge(&asked, &found, Some(&seen), true);
        assert!(!audit.is_clean(), "{field}");
        assert_eq!(serde_json::to_value(&audit).unwrap()[field], 1);
    }
}

#[test]
fn approvals_are_missed_only_where_they_are_published() {
    let (asked, found, mut seen) = in_order();
    seen.provisional.remove("a");
    assert!(judge(&asked, &found, Some(&seen), false).is_clean());
    seen.provisional.remove("h");
    assert_eq!(judge(&asked, &found, Some(&seen), false).lost, 1);
}

#[test]
fn others_transactions_are_nobodys_business() {
    let (mut asked, found, mut seen) = in_order();
    seen.finals
        .insert("theirs".into(), decision("theirs", "final", "block"));
    seen.contradictions.push("theirs".into());
    let among_all = judge(&asked, &found, Some(&seen), true);
    assert_eq!((among_all.unknown, among_all.contradictory), (1, 1));
    asked.among_others = Some((Timestamp::UNIX_EPOCH, Timestamp::UNIX_EPOCH));
    assert!(judge(&asked, &found, Some(&seen), true).is_clean());
}
