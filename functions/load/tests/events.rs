//! Handles each event under events/load, as AWS sends it.

#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

mod support;

use std::path::Path;

use harness::memory::Fault;
use load::{Handler, LoadEvent, Response, WarehouseTable};
use support::{World, at};

fn event(name: &str) -> LoadEvent {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../events/load");
    serde_json::from_slice(&std::fs::read(folder.join(name)).unwrap()).unwrap()
}

async fn handle(world: &World, event: LoadEvent) -> Response {
    let handler = Handler {
        loader: world.loader(),
    };
    handler.handle(event, at(0)).await.unwrap()
}

async fn handled(world: &World, event: LoadEvent) -> String {
    serde_json::to_string(&handle(world, event).await).unwrap()
}

const FIRST: &str = "49590338271490256608559692538361571095921575989136588898";
const LAST: &str = "49590338271490256608559692540925702759324208523137515618";

#[tokio::test]
async fn each_object_is_loaded_into_its_table() {
    let world = World::new(&[]);
    assert_eq!(
        handled(&world, event("objects.json")).await,
        r#"{"batchItemFailures":[]}"#
    );
    let loaded: Vec<String> = world.loaded().into_keys().collect();
    assert_eq!(
        loaded,
        [
            "labels/chargebacks of monday 100%.ndjson.gz".to_owned(),
            format!(
                "outcomes/dt=2026-11-24/second-look-confirm-000000000000-{FIRST}-{LAST}-4b227777d4dd1fc6.ndjson.gz"
            ),
            format!("transactions/dt=2026-11-24/hh=01/000000000000-{FIRST}-{LAST}.ndjson.gz"),
        ]
    );
    let names: Vec<_> = world
        .warehouse
        .submitted()
        .into_iter()
        .map(|(_, statement)| statement.name)
        .collect();
    assert_eq!(
        names,
        [
            "second-look-load-transactions-0000000001",
            "second-look-load-fraud_reports-0000000001",
            "second-look-load-outcomes-0000000001"
        ]
    );
}

#[tokio::test]
async fn a_repeated_notification_waits_for_the_running_load() {
    let world = World::new(&[]);
    handled(&world, event("objects.json")).await;
    handled(&world, event("objects.json")).await;
    assert_eq!(world.warehouse.submitted().len(), 3);
    assert_eq!(world.objects.keys("manifests/transactions/").len(), 1);
}

#[tokio::test]
async fn the_end_of_a_load_deletes_its_lists() {
    let world = World::new(&[]);
    handled(&world, event("objects.json")).await;
    assert_eq!(
        handled(&world, event("finished.json")).await,
        r#"{"load":"loaded"}"#
    );
    assert_eq!(world.objects.keys("manifests/transactions/"), [""; 0]);
    assert_eq!(
        world.objects.keys("pending/").len(),
        2,
        "the loads of the other tables are running"
    );
    assert_eq!(
        handled(&world, event("finished.json")).await,
        r#"{"load":"absent"}"#
    );
}

#[tokio::test]
async fn an_event_without_statement_name_is_matched_by_its_id() {
    let world = World::new(&[]);
    handled(&world, event("objects.json")).await;
    let LoadEvent::StatementEnded { mut detail } = event("finished.json") else {
        panic!("another event")
    };
    detail.statement_name = None;
    detail.statement_id = world.warehouse.submitted()[0].0.0.clone();
    assert_eq!(
        handled(&world, LoadEvent::StatementEnded { detail }).await,
        r#"{"load":"loaded"}"#
    );
    assert_eq!(
        handled(&world, event("finished.json")).await,
        r#"{"load":"absent"}"#
    );
}

#[tokio::test]
async fn the_test_event_of_s3_is_ignored() {
    let world = World::new(&[]);
    assert_eq!(
        handled(&world, event("test_event.json")).await,
        r#"{"batchItemFailures":[]}"#
    );
    assert_eq!(world.faults.calls(), [""; 0]);
}

#[tokio::test]
async fn only_failed_messages_are_reported_for_redelivery() {
    let world = World::new(&[]);
    let LoadEvent::Objects(mut messages) = event("objects.json") else {
        panic!("another event")
    };
    messages.records[2].body = Some(r#"{"Records":[{"s3":"#.to_owned());
    world
        .faults
        .add(Fault::on("put").name("manifests/outcomes/"));
    let answer = handle(&world, LoadEvent::Objects(messages)).await;
    let Response::Objects(answer) = answer else {
        panic!("another answer")
    };
    let failed: Vec<_> = answer
        .batch_item_failures
        .into_iter()
        .map(|failure| failure.item_identifier)
        .collect();
    assert_eq!(
        failed,
        [
            "059f36b4-87a3-44ab-83d2-661975030002",
            "059f36b4-87a3-44ab-83d2-661975030003"
        ]
    );
    assert_eq!(world.loaded().len(), 2, "the others are loaded");
}

#[tokio::test]
async fn a_failed_start_of_a_load_fails_no_message() {
    let world = World::new(&[]);
    world.faults.add(Fault::on("submit"));
    assert_eq!(
        handled(&world, event("objects.json")).await,
        r#"{"batchItemFailures":[]}"#
    );
    world.faults.clear();
    for name in world.loader().under_way().await.unwrap() {
        world.loader().advance(&name, at(100)).await.unwrap();
    }
    assert_eq!(world.loaded().len(), 3);
    WarehouseTable::ALL
        .iter()
        .for_each(|table| world.assert_quiet(*table));
}
