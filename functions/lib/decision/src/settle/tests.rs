use std::collections::BTreeMap;

use super::*;

fn at(second: i64) -> Timestamp {
    Timestamp::from_second(second).unwrap()
}

fn hold() -> Hold {
    Hold {
        decision_id: "000000000000-495-2".to_owned(),
        transaction_id: "a".into(),
        identity: Identity::new("a", at(0), 3.0, ["7"]),
        arrived_at: at(1),
        occurred_at: at(0),
        amount: 3.0,
        entities: Entities::from([("customer_id".to_owned(), "7".to_owned())]),
        numbers: BTreeMap::new(),
        categories: BTreeMap::new(),
        profile: BTreeMap::new(),
        score: 0.6,
        reasons: Vec::new(),
        bundle_version: "first".to_owned(),
        decided_at: at(2),
        deadline: at(601),
    }
}

/// The three actions without evidence differ, so that a test can tell them apart.
fn policy() -> Policy {
    Policy {
        hold_at: 0.5,
        release_below: 0.2,
        block_at: 0.8,
        hold_deadline_seconds: 600,
        on_expiry: Action::Release,
        on_missing_evidence: Action::Block,
    }
}

fn second_look(score: f64) -> Ground {
    Ground::SecondLook(SecondLook {
        score,
        reasons: vec![Reason {
            feature: "mean".to_owned(),
            value: 1.0,
            contribution: 0.3,
        }],
        evidence: Evidence::from([("mean".to_owned(), Some(1.0))]),
        id_conflict: IdConflict::None,
    })
}

fn settled(ground: Ground) -> Outcome {
    settle(&hold(), ground, &policy(), SettledBy::Confirm, at(5))
}

#[test]
fn the_second_look_decides_by_its_own_score() {
    for (score, action) in [
        (0.1, Action::Release),
        (0.2, Action::Review),
        (0.8, Action::Block),
        (f64::NAN, Action::Review),
    ] {
        let outcome = settled(second_look(score));
        assert_eq!(outcome.action, action, "{score}");
        assert!(outcome.evidence.is_some());
        assert_eq!(outcome.settled_by, SettledBy::Confirm);
        assert_eq!(outcome.degraded, [""; 0]);
    }
    let outcome = settled(second_look(0.1));
    assert_eq!(outcome.score, 0.1);
    assert_eq!(outcome.reasons.len(), 1, "the reasons of its own score");
}

#[test]
fn without_a_second_look_the_policy_decides_and_the_first_score_stays() {
    for (ground, action, settled_by, degraded) in [
        (
            Ground::EvidenceMissing,
            Action::Block,
            SettledBy::Confirm,
            "evidence_missing",
        ),
        (
            Ground::BundleMissing,
            Action::Block,
            SettledBy::Confirm,
            "bundle_missing",
        ),
        (
            Ground::Deadline,
            Action::Release,
            SettledBy::Expiry,
            "evidence_missing",
        ),
    ] {
        let outcome = settled(ground.clone());
        assert_eq!(outcome.action, action, "{ground:?}");
        assert_eq!(outcome.settled_by, settled_by, "{ground:?}");
        assert_eq!(outcome.degraded, [degraded], "{ground:?}");
        assert_eq!(outcome.score, 0.6, "{ground:?}");
        assert_eq!(outcome.evidence, None, "{ground:?}");
    }
}

#[test]
fn a_reused_id_is_named_in_the_decision() {
    let Ground::SecondLook(look) = second_look(0.1) else {
        unreachable!("it was built from a second look");
    };
    let outcome = settled(Ground::SecondLook(SecondLook {
        id_conflict: IdConflict::Found,
        ..look
    }));
    assert_eq!(outcome.degraded, ["id_conflict"]);
    assert_eq!(outcome.action, Action::Release);
}

#[test]
fn each_hold_of_an_identity_gets_the_same_decision_under_its_own_id() {
    let outcome = settled(second_look(0.1));
    let again = Hold {
        decision_id: "000000000000-777-0".to_owned(),
        decided_at: at(9),
        deadline: at(700),
        ..hold()
    };
    let first = outcome.decision(&hold());
    let second = outcome.decision(&again);
    assert_eq!(first.decision_id, "000000000000-495-2");
    assert_eq!(first.held_ms, Some(3_000));
    assert_eq!(first.deadline, Some(at(601)));
    assert_eq!(second.decision_id, "000000000000-777-0");
    assert_eq!(second.held_ms, Some(0), "placed again after its outcome");
    assert_eq!(second.action, first.action);
    assert_eq!(second.decided_at, first.decided_at);
    assert_eq!(first.stage, Stage::Final);
}

#[test]
fn an_outcome_reads_back_as_it_was_written() {
    let outcome = settled(second_look(0.1));
    let json = serde_json::to_string(&outcome).unwrap();
    assert_eq!(serde_json::from_str::<Outcome>(&json).unwrap(), outcome);
}
