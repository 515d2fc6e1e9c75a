//! One bad record never stalls a shard: limits of items, and panics.

#![expect(
    clippy::indexing_slicing,
    clippy::unwrap_used,
    reason = "a test fails by panicking"
)]

mod support;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use bundle::Bundle;
use decision::keys;
use harness::memory::Faults;
use jiff::Timestamp;
use score::{BundleLookup, DecidedBatch, MAX_ITEMS, Publish, Records, decide};
use support::*;

#[tokio::test]
async fn records_of_unreadable_lines_are_rejected_in_a_few_objects() {
    let faults = Faults::none();
    let mut handler = handler(&faults);
    let mut batch = Records::of_shard(SHARD);
    for number in 0..300 {
        push(&mut batch, number, "x\n".repeat(100).as_bytes());
    }
    let failed = handle(&mut handler, &batch).await;
    assert_eq!(failed, [sequence_number(200)], "20,000 items were handled");
    assert_eq!(faults.calls().len(), 1, "one object");
    deliver(&mut handler, from(&batch, &failed[0])).await;
    assert_eq!(faults.calls().len(), 2);
    assert_eq!(rejected(&handler).len(), 30_000);
    assert!(waiting(&handler).is_empty());
}

#[tokio::test]
async fn a_cut_batch_is_named_after_the_records_that_were_handled() {
    let mut handler = handler(&Faults::none());
    let mut batch = Records::of_shard(SHARD);
    for number in 0..3 {
        let first = transaction(number, 990.0);
        let line = format!("{}\n", transaction(1_000 + number, 5.0));
        push(
            &mut batch,
            number,
            (first + "\n" + &line.repeat(7_000)).as_bytes(),
        );
    }
    let failed = handle(&mut handler, &batch).await;
    assert_eq!(failed, [sequence_number(2)]);
    let [entry] = &waiting(&handler)[..] else {
        panic!("not one waiting entry")
    };
    assert_eq!(
        (&*entry.first, &*entry.last),
        (&*sequence_number(0), &*sequence_number(1))
    );
    deliver(&mut handler, from(&batch, &failed[0])).await;
    assert_eq!(waiting(&handler).len(), 2);
    assert_eq!(
        ledger(&handler)
            .iter()
            .map(|l| l.holds.len())
            .sum::<usize>(),
        3
    );
    assert_consistent(&handler);
}

#[tokio::test]
async fn a_single_record_with_more_items_is_handled_alone() {
    let mut handler = handler(&Faults::none());
    let mut batch = records(&[(1, 5.0)]);
    let line = format!("{}\n", transaction(2, 5.0));
    push(&mut batch, 2, line.repeat(MAX_ITEMS + 1).as_bytes());
    push(&mut batch, 3, transaction(3, 5.0).as_bytes());
    for lowest in [2, 3] {
        let failed = handle(&mut handler, &batch).await;
        assert_eq!(failed, [sequence_number(lowest)]);
        batch = from(&batch, &failed[0]);
    }
    assert_eq!(handle(&mut handler, &batch).await, [""; 0]);
    assert_eq!(rows(&handler).len(), MAX_ITEMS + 3);
}

#[tokio::test]
async fn a_cut_never_begins_at_a_record_without_sequence_number() {
    let mut handler = handler(&Faults::none());
    let mut batch = Records::of_shard(SHARD);
    let many = "x\n".repeat(MAX_ITEMS);
    batch.push("", now(), b"");
    push(&mut batch, 1, many.as_bytes());
    batch.push("", now(), b"");
    push(&mut batch, 2, b"x");
    let failed = handle(&mut handler, &batch).await;
    assert_eq!(failed, [sequence_number(2)]);
    deliver(&mut handler, from(&batch, &failed[0])).await;
    assert_eq!(rejected(&handler).len(), 4);
}

#[test]
fn a_full_batch_of_lambda_is_not_cut() {
    let transactions: Vec<_> = (0..10_000).map(|number| (number, 5.0)).collect();
    let batch = records(&transactions);
    let decided = decide(
        &harness::fixture::bundle(),
        &batch,
        Publish::HoldsOnly,
        now(),
    );
    assert_eq!((decided.records, decided.transactions), (10_000, 10_000));
}

#[tokio::test]
async fn a_record_with_many_unreadable_lines_is_kept_whole_and_its_good_ones_are_decided() {
    for (bad, items) in [(100, 100), (101, 1), (19_000, 1)] {
        let mut handler = handler(&Faults::none());
        let mut records = records(&[(1, 5.0)]);
        let good = [transaction(2, 5.0), transaction(3, 5.0)];
        let record = format!("{}\n{}{}", good[0], "x\n".repeat(bad), good[1]);
        push(&mut records, 2, record.as_bytes());
        push(&mut records, 3, b"bad");
        assert_eq!(handle(&mut handler, &records).await, [""; 0]);
        let ids: Vec<_> = rows(&handler).into_keys().map(|(id, _)| id).collect();
        assert_eq!(ids, ["T1", "T2", "T3"]);
        assert_eq!(handler.objects.keys(keys::REJECTED).len(), 1);
        let rejected = rejected(&handler);
        assert_eq!(
            rejected.len(),
            items + 1,
            "the other record has its own line"
        );
        if items == 1 {
            let whole = &rejected[0].1;
            assert_eq!(whole.sequence_number.as_str(), sequence_number(2));
            assert_eq!(STANDARD.decode(&whole.raw).unwrap(), record.as_bytes());
            assert_eq!((whole.item, whole.stage.as_str()), (0, "record"));
            let error = format!("{bad} items are unreadable, the first is item 1: not a JSON");
            assert!(whole.error.starts_with(&error), "{}", whole.error);
        }
    }
}

/// Panics at records of some arrivals.
struct Panicking {
    bundle: Bundle,
    at: Vec<Timestamp>,
}

impl BundleLookup for Panicking {
    fn bundle_at(&self, arrived_at: Timestamp) -> &Bundle {
        assert!(!self.at.contains(&arrived_at), "injected by the test");
        &self.bundle
    }
}

#[test]
fn a_record_that_panics_is_rejected_and_no_other() {
    let bundle = harness::fixture::bundle();
    let mut batch = ten();
    push(&mut batch, 10, b"not a transaction");
    let without = |numbers: &[u32]| -> DecidedBatch {
        let mut rest = Records::of_shard(SHARD);
        for (number, record) in (0..).zip(batch.iter()) {
            if !numbers.contains(&number) {
                push(&mut rest, number, record.data);
            }
        }
        decide(&bundle, &rest, Publish::EachDecision, now())
    };
    let lookup = Panicking {
        bundle: bundle.clone(),
        at: vec![arrival(3), arrival(5)],
    };
    let decided = decide(&lookup, &batch, Publish::EachDecision, now());
    let expected = without(&[3, 5]);
    assert_eq!(decided.records, 11);
    assert_eq!(decided.outgoing, expected.outgoing);
    assert_eq!(decided.holds, expected.holds);
    let rejected: Vec<_> = decided.rejected.iter().collect();
    let stages: Vec<_> = rejected.iter().map(|item| item.stage.as_str()).collect();
    assert_eq!(
        stages,
        ["panic", "panic", "json"],
        "in the order of the shard"
    );
    let numbers: Vec<_> = rejected
        .iter()
        .map(|r| r.sequence_number.as_str())
        .collect();
    assert_eq!(numbers, [3, 5, 10].map(sequence_number));
    let raw = STANDARD.decode(&rejected[0].raw).unwrap();
    assert_eq!(raw, transaction(3, 990.0).as_bytes());
}

/// Two bundles, one before and one from an arrival on.
struct Change {
    before: Bundle,
    after: Bundle,
    at: Timestamp,
}

impl BundleLookup for Change {
    fn bundle_at(&self, arrived_at: Timestamp) -> &Bundle {
        if arrived_at < self.at {
            &self.before
        } else {
            &self.after
        }
    }
}

fn change(at: Timestamp) -> Change {
    let midnight = "2026-01-31T00:00:00Z".parse().unwrap();
    let files = harness::fixture::profiled(midnight, None);
    Change {
        before: harness::fixture::bundle(),
        after: Bundle::open(&files).unwrap(),
        at,
    }
}

#[test]
fn each_record_is_judged_by_the_bundle_of_its_arrival() {
    let bundles = change(arrival(5));
    let decided = decide(&bundles, &ten(), Publish::EachDecision, now());
    let ids: Vec<String> = (0..10).map(|number| format!("T{number}")).collect();
    let mut found = Vec::new();
    for (number, record) in (0..10).zip(&decided.outgoing) {
        let decision: decision::Decision = serde_json::from_slice(&record.data).unwrap();
        let bundle = bundles.bundle_at(arrival(number));
        assert_eq!(decision.bundle_version, bundle.version());
        found.push(decision.transaction_id.into_string());
        let alone = records(&[(
            number,
            if number % 3 == 0 && number > 0 {
                990.0
            } else {
                5.0
            },
        )]);
        let alone = decide(bundle, &alone, Publish::EachDecision, now());
        assert_eq!(alone.outgoing[0], *record, "as if it were judged alone");
    }
    assert_eq!(found, ids, "in the order of the shard");
    assert_eq!(decided.outgoing_records, (0..10).collect::<Vec<_>>());
}
