use jiff::Timestamp;

use super::*;
use crate::{BatchEntry, EvidenceEntry, HourRanges, TurnNumber};

const DATA: &str = "stl_load_errors: an object is not in gzip format";
const TIMEOUT: &str = "statement timeout";
const TRANSIENT: &str = "connection reset";

/// A claim of three batches.
fn batches() -> Claim {
    let batch = |number: u32| {
        WaitingEntry::Batch(BatchEntry {
            arrived_at: Timestamp::UNIX_EPOCH,
            shard: "1".to_owned(),
            first: number.to_string(),
            last: number.to_string(),
            bytes: 100,
            held: Vec::new(),
            due: None,
            hours: HourRanges::default(),
        })
    };
    claim([1, 2, 3].map(batch))
}

/// A claim of evidence for this many holds.
fn evidence(holds: u32) -> Claim {
    claim([WaitingEntry::Evidence(EvidenceEntry {
        lane: 0,
        turn: TurnNumber(1),
        from: 5,
        to: 5 + holds,
    })])
}

fn claim(entries: impl IntoIterator<Item = WaitingEntry>) -> Claim {
    let claimed = |entry: WaitingEntry| ClaimedEntry {
        key: entry.key(),
        file: None,
    };
    Claim {
        claimant: String::new(),
        entries: entries.into_iter().map(claimed).collect(),
    }
}

fn load(entries: &[usize], on_bad_rows: OnBadRows, quarantined: &[usize]) -> Plan {
    Plan::Load {
        entries: entries.to_vec(),
        on_bad_rows,
        quarantined: quarantined.to_vec(),
    }
}

fn attempt(plan: Plan) -> Attempt {
    Attempt {
        plan,
        after_timeout: false,
        statement: None,
    }
}

/// The same attempt of a turn that has timed out before.
fn again(plan: Plan) -> Attempt {
    Attempt {
        after_timeout: true,
        ..attempt(plan)
    }
}

/// A plan that needs no object in quarantine.
fn next(plan: Plan) -> Next {
    Next::Plan {
        plan,
        quarantine: Vec::new(),
    }
}

#[test]
fn the_first_plan_takes_the_whole_claim() {
    let all = load(&[0, 1, 2], OnBadRows::Fail, &[]);
    assert_eq!(first(Lane::Transactions, &batches()), all);
    assert_eq!(first(Lane::Evidence(0), &evidence(2)), Plan::Evidence);
}

#[test]
fn a_transient_failure_and_the_first_timeout_change_no_plan() {
    for plan in [load(&[0, 1, 2], OnBadRows::Fail, &[]), Plan::Evidence] {
        for text in [TRANSIENT, TIMEOUT] {
            let claim = evidence(2);
            assert_eq!(after(&attempt(plan.clone()), &claim, text), Next::Again);
        }
        assert_eq!(after(&again(plan), &evidence(2), TRANSIENT), Next::Again);
    }
}

#[test]
fn after_the_second_timeout_less_is_loaded_or_asked() {
    let all = again(load(&[0, 1, 2], OnBadRows::LeaveOut, &[]));
    let half = load(&[0, 1], OnBadRows::LeaveOut, &[]);
    assert_eq!(after(&all, &batches(), TIMEOUT), next(half));
    let two = again(load(&[1, 2], OnBadRows::Fail, &[0]));
    let one = load(&[1], OnBadRows::Fail, &[0]);
    assert_eq!(after(&two, &batches(), TIMEOUT), next(one.clone()));
    assert_eq!(after(&again(one), &batches(), TIMEOUT), Next::Again);
    let asked = again(Plan::Evidence);
    assert_eq!(after(&asked, &evidence(2), TIMEOUT), next(Plan::Split));
    assert_eq!(after(&asked, &evidence(1), TIMEOUT), Next::Again);
}

#[test]
fn bad_data_is_narrowed_down() {
    let claim = batches();
    let strict = attempt(load(&[0, 1, 2], OnBadRows::Fail, &[]));
    let lenient = load(&[0, 1, 2], OnBadRows::LeaveOut, &[]);
    assert_eq!(after(&strict, &claim, DATA), next(lenient.clone()));
    let half = load(&[0, 1], OnBadRows::LeaveOut, &[]);
    assert_eq!(after(&attempt(lenient.clone()), &claim, DATA), next(half));
    let key = claim.entries[1].object_key().unwrap();
    let named = after(&attempt(lenient), &claim, &format!("{DATA}: {key}"));
    let rest = load(&[0, 2], OnBadRows::LeaveOut, &[1]);
    let quarantine = vec![1];
    assert_eq!(
        named,
        Next::Plan {
            plan: rest,
            quarantine
        }
    );
    let last = attempt(load(&[2], OnBadRows::LeaveOut, &[1]));
    let plan = Plan::NothingToLoad {
        quarantined: vec![1, 2],
    };
    let quarantine = vec![2];
    assert_eq!(after(&last, &claim, DATA), Next::Plan { plan, quarantine });
}

#[test]
fn failing_evidence_is_split_down_to_a_single_hold() {
    let asked = attempt(Plan::Evidence);
    let text = "Numeric data overflow";
    assert_eq!(after(&asked, &evidence(2), text), next(Plan::Split));
    let without = next(Plan::WithoutEvidence);
    assert_eq!(after(&asked, &evidence(1), text), without);
}

#[test]
fn a_turn_covers_what_it_loaded_and_what_went_to_quarantine() {
    let claim = batches();
    let some = load(&[0, 2], OnBadRows::LeaveOut, &[1]);
    assert_eq!(covered(&some, &claim), [0, 1, 2]);
    let half = load(&[1], OnBadRows::LeaveOut, &[]);
    assert_eq!(covered(&half, &claim), [1]);
    let none = Plan::NothingToLoad {
        quarantined: vec![2],
    };
    assert_eq!(covered(&none, &claim), [2]);
    assert_eq!(covered(&Plan::Split, &evidence(2)), [0]);
}
