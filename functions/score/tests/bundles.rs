//! Guarantee 3 over time: which bundle judges a record depends on the record's arrival and on the
//! pointer alone.

#![expect(
    clippy::indexing_slicing,
    clippy::unwrap_used,
    reason = "a test fails by panicking"
)]

mod support;

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use bundle::{Bundle, Pointer};
use harness::fixture;
use harness::memory::{Fault, Faults, Objects};
use jiff::{SignedDuration, Timestamp};
use score::{Publish, RESERVE, Records};
use serde_json::Value;
use startup::Bundles;
use store::Objects as _;
use support::{
    TestHandler, assert_consistent, handler, now, records, rows, sequence_number, waiting,
};

const LEAD: Duration = Duration::from_secs(60);
const TIME: Duration = RESERVE.saturating_add(Duration::from_secs(60));

/// The arrival of the first record of [`records`].
fn start() -> Timestamp {
    Timestamp::from_millisecond(1_769_850_000_000).unwrap()
}

fn after(start: Timestamp, milliseconds: i64) -> Timestamp {
    start + SignedDuration::from_millis(milliseconds)
}

/// Stores a version, and returns its name.
fn upload(objects: &Objects, files: BTreeMap<String, Vec<u8>>) -> String {
    let version = Bundle::open(&files).unwrap().version().to_owned();
    for (name, bytes) in files {
        objects.set(&bundle::keys::file("small", &version, &name), bytes);
    }
    version
}

/// Holds large amounts.
fn first_version(objects: &Objects) -> String {
    upload(objects, fixture::files())
}

/// Holds the transactions of customers with a low mean.
fn second_version(objects: &Objects) -> String {
    let profiles = [("C1", 20.0), ("C2", 20.0)];
    upload(objects, fixture::profiled(start(), Some(&profiles)))
}

fn point(objects: &Objects, pointer: &Pointer) {
    let bytes = pointer.to_bytes().unwrap();
    objects.set(&bundle::keys::pointer("small"), bytes);
}

/// A function that has just started.
async fn cold(objects: Objects, now: Timestamp) -> TestHandler {
    let mut handler = handler(&Faults::none());
    handler.bundles = Bundles::open("small", LEAD, now, &objects).await.unwrap();
    handler.objects = objects;
    // In the order of the shard.
    handler.publish = Publish::EachDecision;
    handler
}

/// Both versions, the second of them active from record 5 on.
fn switched() -> Objects {
    let objects = Objects::new();
    let pointer = Pointer::first(&first_version(&objects), Timestamp::UNIX_EPOCH);
    let second = second_version(&objects);
    let activation = after(start(), 5);
    let announced = activation - LEAD;
    let pointer = pointer.activate(&second, activation, announced, LEAD);
    point(&objects, &pointer.unwrap());
    objects
}

fn ten() -> Records {
    let amounts = [5.0, 990.0];
    let transactions: Vec<(u32, f64)> = (0..10).map(|n| (n, amounts[n as usize % 2])).collect();
    records(&transactions)
}

/// The records from one index to another, as another batch.
fn cut(records: &Records, from: usize, to: usize) -> Records {
    let mut batch = Records::of_shard(records.shard());
    for record in records.iter().skip(from).take(to - from) {
        let number = record.sequence_number.as_str();
        batch.push(number, record.arrived_at, record.data);
    }
    batch
}

/// The decisions on the stream in order, without `decided_at`. Each decision id only once: all its
/// decisions must be equal.
fn decisions(handler: &TestHandler) -> Vec<String> {
    let mut seen = BTreeMap::new();
    let mut distinct = Vec::new();
    for record in handler.decisions.published() {
        let mut decision: Value = serde_json::from_slice(&record.data).unwrap();
        decision.as_object_mut().unwrap().remove("decided_at");
        let id = decision["decision_id"].as_str().unwrap().to_owned();
        let text = decision.to_string();
        match seen.insert(id, text.clone()) {
            None => distinct.push(text),
            Some(before) => assert_eq!(before, text),
        }
    }
    distinct
}

fn versions(handler: &TestHandler) -> Vec<String> {
    let decisions = handler.decisions.decisions();
    decisions
        .into_iter()
        .map(|one| one.bundle_version)
        .collect()
}

async fn deliver(handler: &mut TestHandler, batch: Records, now: Timestamp) {
    let response = handler.handle(batch, now, TIME).await.unwrap();
    assert!(response.batch_item_failures.is_empty());
}

#[tokio::test]
async fn a_batch_that_spans_an_activation_is_decided_by_both_versions_in_the_order_of_the_shard() {
    let objects = switched();
    let first = first_version(&objects);
    let second = second_version(&objects);
    let mut handler = cold(objects, now()).await;
    deliver(&mut handler, ten(), now()).await;
    let expected = [vec![first.clone(); 5], vec![second.clone(); 5]].concat();
    assert_eq!(versions(&handler), expected);
    let decisions = handler.decisions.decisions();
    let ids: Vec<&str> = decisions
        .iter()
        .map(|decision| decision.transaction_id.as_str())
        .collect();
    let in_order: Vec<String> = (0..10).map(|number| format!("T{number}")).collect();
    assert_eq!(ids, in_order);
    assert_eq!(rows(&handler).len(), 10, "one object has all transactions");

    // The waiting entry says how many holds each bundle placed.
    assert_consistent(&handler);
    let held = waiting(&handler).into_iter().flat_map(|entry| entry.held);
    let versions: BTreeSet<String> = held.map(|held| held.version).collect();
    assert_eq!(versions, BTreeSet::from([first, second]));
}

#[tokio::test]
async fn a_redelivery_after_a_change_of_bundle_repeats_every_decision() {
    let objects = Objects::new();
    let first = first_version(&objects);
    let second = second_version(&objects);
    let pointer = Pointer::first(&first, Timestamp::UNIX_EPOCH);
    point(&objects, &pointer);
    let mut handler = cold(objects, now()).await;
    deliver(&mut handler, ten(), now()).await;
    let before = decisions(&handler);
    assert_eq!(versions(&handler), vec![first; 10]);

    let activation = now() + LEAD;
    let pointer = pointer.activate(&second, activation, now(), LEAD);
    point(&handler.objects, &pointer.unwrap());
    let later = activation + LEAD;
    deliver(&mut handler, ten(), later).await;
    assert_eq!(decisions(&handler), before, "by the running function");
    let mut handler = cold(handler.objects, later).await;
    deliver(&mut handler, cut(&ten(), 0, 3), later).await;
    deliver(&mut handler, cut(&ten(), 3, 10), later).await;
    assert_eq!(
        decisions(&handler),
        before,
        "by a function that has started"
    );
}

#[tokio::test]
async fn decisions_around_an_activation_do_not_depend_on_how_batches_are_cut() {
    let mut handler = cold(switched(), now()).await;
    deliver(&mut handler, ten(), now()).await;
    let whole = decisions(&handler);
    assert_eq!(whole.len(), 10);
    for at in 1..10 {
        // By then, a third version is active.
        let objects = handler.objects;
        let third = upload(&objects, fixture::profiled(start(), None));
        let pointer = startup::read_pointer("small", &objects).await.unwrap();
        let activation = now() + LEAD;
        let pointer = pointer.activate(&third, activation, now(), LEAD);
        point(&objects, &pointer.unwrap());
        let later = activation + LEAD;
        handler = cold(objects, later).await;
        deliver(&mut handler, cut(&ten(), 0, at), later).await;
        deliver(&mut handler, cut(&ten(), at, 10), later).await;
        assert_eq!(decisions(&handler), whole, "cut at {at}");
    }
}

#[tokio::test]
async fn a_batch_is_not_decided_by_an_old_copy_of_the_pointer() {
    let faults = Faults::none();
    let objects = Objects::with(&faults);
    let pointer = Pointer::first(&first_version(&objects), Timestamp::UNIX_EPOCH);
    point(&objects, &pointer);
    let mut handler = cold(objects, now()).await;
    faults.add(Fault::on("get").name("bundles/small/current.json"));
    deliver(&mut handler, ten(), now() + LEAD / 2).await;
    handler.decisions = harness::memory::Stream::new();
    let later = now() + LEAD;
    let response = handler.handle(ten(), later, TIME).await.unwrap();
    let failure = response.batch_item_failures.first().unwrap();
    let reported = failure.item_identifier.as_deref();
    assert_eq!(reported, Some(sequence_number(0).as_str()));
    assert!(handler.decisions.published().is_empty());
    faults.clear();
    deliver(&mut handler, ten(), later).await;
    assert_eq!(decisions(&handler).len(), 10);
}

#[tokio::test]
async fn records_of_an_active_version_that_is_refused_wait_and_earlier_ones_do_not() {
    let objects = switched();
    let second = second_version(&objects);
    let model = bundle::keys::file("small", &second, "first.model");
    let good = objects.get(&model).await.unwrap().unwrap();
    objects.set(&model, "broken");
    let before = after(start(), 4);
    let mut handler = cold(objects, before).await;
    deliver(&mut handler, cut(&ten(), 0, 5), before).await;
    assert_eq!(decisions(&handler).len(), 5);
    let response = handler.handle(ten(), now(), TIME).await.unwrap();
    assert_eq!(response.batch_item_failures.len(), 1);
    assert_eq!(decisions(&handler).len(), 5, "no other version decides");
    handler.objects.set(&model, good);
    deliver(&mut handler, ten(), now()).await;
    assert_eq!(decisions(&handler).len(), 10);
}
