//! Guarantee 4: a failing dependency never loses, duplicates or rejects a record.

#![expect(
    clippy::indexing_slicing,
    clippy::unwrap_used,
    reason = "a test fails by panicking"
)]

mod support;

use std::collections::{BTreeMap, BTreeSet};
use std::time::{Duration, Instant};

use decision::{Action, Decision, keys};
use harness::memory::{Fault, Faults};
use jiff::SignedDuration;
use score::{Error, RESERVE, Records};
use support::*;

/// Long enough for the in-memory adapters.
const BRIEF: Duration = Duration::from_millis(300);

/// Ten transactions and one unreadable item.
fn ten_and_a_bad_one() -> Records {
    let mut records = ten();
    push(&mut records, 10, b"not a transaction");
    records
}

/// Checks what must exist after the ten transactions, independent of any failures before.
fn assert_complete(handler: &TestHandler) {
    assert_eq!(rows(handler).len(), 10, "each transaction has one row");
    let mut published: BTreeMap<String, Vec<Decision>> = BTreeMap::new();
    for decision in handler.decisions.decisions() {
        let id = decision.decision_id.clone();
        published.entry(id).or_default().push(decision);
    }
    assert_eq!(published.len(), 10, "each has a decision");
    for (id, same) in &published {
        let is_same = same.iter().all(|decision| decision == &same[0]);
        assert!(is_same, "{id} was repeated as it was: {same:#?}");
    }
    let held = published.values().filter(|d| d[0].action == Action::Hold);
    let held: Vec<_> = held.map(|d| d[0].transaction_id.as_str()).collect();
    assert_eq!(held, ["T3", "T6", "T9"]);
    assert_eq!(
        ledger_ids(handler),
        BTreeSet::from(["T3", "T6", "T9"].map(str::to_owned))
    );
    assert_consistent(handler);
    let batches: BTreeSet<_> = waiting(handler)
        .iter()
        .map(turns::BatchEntry::batch_name)
        .collect();
    assert_eq!(
        batches.len(),
        handler.objects.keys(keys::TRANSACTIONS).len(),
        "each batch waits to be loaded"
    );
}

fn ledger_ids(handler: &TestHandler) -> BTreeSet<String> {
    let holds = ledger(handler).into_iter().flat_map(|ledger| ledger.holds);
    holds
        .map(|hold| hold.transaction_id.into_string())
        .collect()
}

/// Where each call went: `put rejected`, `publish`.
fn steps(faults: &Faults) -> Vec<String> {
    let mut steps = Vec::new();
    for call in faults.calls() {
        let folder = call.split('/').next().unwrap_or_default();
        steps.push(folder.trim_end().to_owned());
    }
    steps
}

#[tokio::test]
async fn a_crash_after_any_call_loses_and_duplicates_nothing() {
    let faults = Faults::none();
    let mut unharmed = handler(&faults);
    assert_eq!(handle(&mut unharmed, &ten_and_a_bad_one()).await, [""; 0]);
    assert_complete(&unharmed);
    let expected = [
        "put transactions",
        "put rejected",
        "put holds",
        "put waiting",
        "publish",
    ];
    assert_eq!(steps(&faults), expected);
    for step in 0..expected.len() {
        let faults = Faults::none();
        let mut handler = handler(&faults);
        faults.die_after(step);
        // A process that died sends no response: Lambda redelivers the whole batch.
        let _ = handler
            .handle(ten_and_a_bad_one(), now(), RESERVE + BRIEF)
            .await;
        let prefixes = [keys::TRANSACTIONS, keys::REJECTED, keys::LEDGER, "waiting/"];
        for (place, prefix) in prefixes.into_iter().enumerate() {
            let is_written = !handler.objects.keys(prefix).is_empty();
            assert_eq!(is_written, place < step, "{prefix} after step {step}");
        }
        assert!(handler.decisions.published().is_empty());
        faults.clear();
        deliver(&mut handler, ten_and_a_bad_one()).await;
        assert_complete(&handler);
        assert_eq!(ledger(&handler).len(), 1, "after step {step}");
        assert_eq!(waiting(&handler).len(), 1, "after step {step}");
        assert_eq!(rejected(&handler).len(), 1, "after step {step}");
    }
}

#[tokio::test]
async fn a_lost_answer_changes_nothing() {
    for prefix in ["transactions/", "rejected/", "holds/", "waiting/"] {
        let faults = Faults::none();
        let mut handler = handler(&faults);
        faults.add(Fault::on("put").name(prefix).times(1).late());
        deliver(&mut handler, ten_and_a_bad_one()).await;
        assert_complete(&handler);
    }
    let faults = Faults::none();
    let mut handler = handler(&faults);
    faults.add(Fault::on("publish").times(1).late());
    deliver(&mut handler, ten_and_a_bad_one()).await;
    assert_complete(&handler);
}

#[tokio::test]
async fn a_failing_bucket_reports_the_first_record_and_rejects_and_publishes_nothing() {
    for prefix in ["transactions/", "rejected/", "holds/", "waiting/"] {
        let faults = Faults::none();
        let mut handler = handler(&faults);
        faults.add(Fault::on("put").name(prefix));
        let failed = handle(&mut handler, &ten_and_a_bad_one()).await;
        assert_eq!(failed, [sequence_number(0)], "{prefix}");
        assert!(handler.decisions.published().is_empty(), "{prefix}");
        assert!(waiting(&handler).is_empty(), "{prefix}");
        assert!(rejected(&handler).len() <= 1, "{prefix}");
    }
}

#[tokio::test]
async fn a_hanging_bucket_is_reported_before_the_time_limit() {
    for prefix in ["transactions/", "rejected/", "holds/", "waiting/"] {
        let faults = Faults::none();
        let mut handler = handler(&faults);
        faults.add(Fault::on("put").name(prefix).hang());
        let began = Instant::now();
        let failed = handle_within(&mut handler, &ten_and_a_bad_one(), BRIEF).await;
        assert_eq!(failed, [sequence_number(0)], "{prefix}");
        assert!(began.elapsed() < BRIEF + RESERVE, "{prefix}");
        faults.clear();
        deliver(&mut handler, ten_and_a_bad_one()).await;
        assert_complete(&handler);
    }
}

#[tokio::test]
async fn a_batch_without_any_time_goes_back() {
    let faults = Faults::none();
    let mut handler = handler(&faults);
    faults.add(Fault::on("put").hang());
    let response = handler.handle(ten(), now(), Duration::ZERO).await.unwrap();
    assert_eq!(response.batch_item_failures.len(), 1);
}

#[tokio::test]
async fn a_redelivery_repeats_every_object() {
    let mut handler = handler(&Faults::none());
    assert_eq!(handle(&mut handler, &ten_and_a_bad_one()).await, [""; 0]);
    let before = all_objects(&handler);
    assert_eq!(handle(&mut handler, &ten_and_a_bad_one()).await, [""; 0]);
    assert_eq!(all_objects(&handler), before);
    assert_complete(&handler);
}

fn all_objects(handler: &TestHandler) -> BTreeMap<String, Vec<u8>> {
    let keys = handler.objects.keys("").into_iter();
    let with_bytes = |key: String| {
        let bytes = handler.objects.bytes(&key).unwrap();
        (key, bytes)
    };
    keys.map(with_bytes).collect()
}

#[tokio::test]
async fn a_late_redelivery_has_a_ledger_object_and_a_waiting_entry_of_its_own() {
    let mut handler = handler(&Faults::none());
    assert_eq!(handle(&mut handler, &ten()).await, [""; 0]);
    let late = now() + SignedDuration::from_mins(30);
    let response = handler.handle(ten(), late, RESERVE + BRIEF).await.unwrap();
    assert!(response.batch_item_failures.is_empty());
    let [first, second] = &waiting(&handler)[..] else {
        panic!("not two waiting entries")
    };
    assert_eq!(first.batch_name(), second.batch_name());
    let mut due = [first.due.unwrap(), second.due.unwrap()].map(|due| due.to_string());
    due.sort();
    assert_eq!(due, ["2026-01-31T09:10:00Z", "2026-01-31T09:35:00Z"]);
    let deadlines = ledger(&handler).into_iter().map(|l| l.holds[0].deadline);
    let deadlines: Vec<_> = deadlines.map(|deadline| deadline.to_string()).collect();
    assert_eq!(
        deadlines,
        ["2026-01-31T09:10:00.003Z", "2026-01-31T09:35:05Z"]
    );
    assert_consistent(&handler);
}

#[tokio::test]
async fn a_redelivery_cut_elsewhere_repeats_identities_and_decisions() {
    let mut handler = handler(&Faults::none());
    assert_eq!(handle(&mut handler, &ten()).await, [""; 0]);
    let rest = from(&ten(), &sequence_number(4));
    assert_eq!(handle(&mut handler, &rest).await, [""; 0]);
    assert_complete(&handler);
    assert_eq!(waiting(&handler).len(), 2);
    let holds = ledger(&handler).into_iter().flat_map(|ledger| ledger.holds);
    let identities: BTreeSet<_> = holds.map(|hold| hold.identity).collect();
    assert_eq!(identities.len(), 3);
}

#[tokio::test]
async fn a_failure_at_a_record_without_sequence_number_fails_the_whole_batch() {
    let faults = Faults::none();
    let mut handler = handler(&faults);
    faults.add(Fault::on("put"));
    let mut records = Records::of_shard(SHARD);
    records.push("", now(), transaction(1, 5.0).as_bytes());
    push(&mut records, 2, transaction(2, 5.0).as_bytes());
    let error = handler.handle(records, now(), RESERVE + BRIEF).await;
    let error = error.unwrap_err();
    assert!(matches!(error, Error::NoSequenceNumber(_)), "{error}");
}

#[tokio::test]
async fn a_batch_without_any_sequence_number_fails() {
    let mut handler = handler(&Faults::none());
    let mut records = Records::of_shard(SHARD);
    records.push("", now(), transaction(1, 5.0).as_bytes());
    let error = handler.handle(records, now(), RESERVE + BRIEF).await;
    assert!(matches!(error.unwrap_err(), Error::NoName));
    assert!(handler.objects.keys("").is_empty());
}
