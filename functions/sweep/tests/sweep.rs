//! What a sweep finds, and what it leaves alone.

#![expect(
    clippy::panic,
    clippy::unwrap_used,
    reason = "a test fails by panicking"
)]

#[path = "../../confirm/tests/support/mod.rs"]
mod support;

use std::path::Path;
use std::time::{Duration, Instant};

use confirm::Settler;
use decision::keys;
use decision::{Action, SettledBy};
use harness::memory::{Fault, Warehouse};
use load::{Loader, NewObject, Settings, WarehouseTable};
use support::{PREFIX, World, at, hold, row};
use sweep::{DueWork, Sweep, SweepReport, find};

const GRACE: Duration = Duration::from_secs(90);

fn settings() -> Settings {
    Settings {
        bucket: "second-look-bucket".into(),
        statement_prefix: PREFIX.into(),
        max_attempts: 3,
    }
}

async fn swept(world: &World, now: i64) -> SweepReport {
    swept_with(world, &world.settler(), now).await
}

/// What a sweep did; if anything was left, that it said so.
async fn swept_with(world: &World, settler: &Twins<'_>, now: i64) -> SweepReport {
    let settings = settings();
    let loader = loader(world, &settings);
    let sweep = Sweep {
        settler,
        loader: &loader,
        grace: GRACE,
        patience: support::PATIENCE,
    };
    let due = find(&world.objects, GRACE, at(now)).await.unwrap();
    sweep.act(due, at(now)).await
}

type Twins<'a> = Settler<
    'a,
    harness::memory::Objects,
    harness::memory::Stream,
    harness::memory::Warehouse,
    support::PlainModel,
>;

fn loader<'a>(
    world: &'a World,
    settings: &'a Settings,
) -> Loader<'a, harness::memory::Objects, harness::memory::Warehouse> {
    let World {
        objects, warehouse, ..
    } = world;
    Loader {
        objects,
        warehouse,
        sql: &|_, manifest| vec![format!("COPY FROM '{manifest}'")],
        settings,
    }
}

fn name(n: u32) -> String {
    format!("{PREFIX}-confirm-000000000000-{n}-{n}")
}

#[test]
fn the_schedules_event_is_readable() {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../events/sweep/schedule.json");
    let event: serde_json::Value = serde_json::from_slice(&std::fs::read(path).unwrap()).unwrap();
    assert_eq!(event["detail-type"], "Scheduled Event");
    serde_json::from_value::<serde::de::IgnoredAny>(event).unwrap();
}

#[tokio::test]
async fn what_is_young_is_left_alone_unless_a_deadline_has_passed() {
    let world = World::new(vec![row("a", "innocent")]);
    world.hold(&name(1), &[hold("a", 600)]).await;
    world.hold(&name(2), &[hold("b", 30)]).await;
    world.hold(&name(3), &[hold("c", 600), hold("d", 20)]).await;
    let due = |now| find(&world.objects, GRACE, at(now));
    assert_eq!(
        due(10).await.unwrap(),
        DueWork {
            young: 3,
            ..DueWork::default()
        }
    );
    let overdue = DueWork {
        young: 1,
        overdue: vec![name(3), name(2)],
        ..DueWork::default()
    };
    assert_eq!(due(30).await.unwrap(), overdue, "earliest deadline first");
    let later = due(90).await.unwrap();
    assert_eq!(
        (later.overdue, later.holds),
        (vec![name(3), name(2)], vec![name(1)])
    );
}

#[tokio::test]
async fn what_no_event_has_settled_is_settled_and_counted() {
    let world = World::new(vec![
        row("a", "innocent"),
        row("b", "guilty"),
        row("c", "unclear"),
    ]);
    for (n, transaction) in [(1, "a"), (2, "b"), (3, "c")] {
        world.hold(&name(n), &[hold(transaction, 600)]).await;
    }
    let swept = swept(&world, 95).await;
    assert_eq!(
        (swept.holds, swept.failed, swept.settled.settled()),
        (3, 0, 3)
    );
    assert_eq!(
        (
            swept.settled.released,
            swept.settled.blocked,
            swept.settled.review
        ),
        (1, 1, 1)
    );
    assert_eq!(
        swept.settled.ignored_rows, 6,
        "every statement of the twin answers all rows"
    );
    let json = serde_json::to_value(swept).unwrap();
    assert_eq!(
        (json["holds"].as_u64(), json["released"].as_u64()),
        (Some(3), Some(1))
    );
}

#[tokio::test]
async fn an_entry_that_cannot_be_read_is_counted_and_stops_nothing() {
    let world = World::new(vec![row("a", "innocent")]);
    let broken = keys::pending(&name(0));
    let misnamed = keys::pending(&name(9));
    world.objects.set(&broken, "{\"name\":");
    world.hold(&name(1), &[hold("a", 600)]).await;
    world.hold(&name(2), &[hold("b", 600)]).await;
    world.objects.set(
        &misnamed,
        world.objects.bytes(&keys::pending(&name(2))).unwrap(),
    );
    let due = find(&world.objects, GRACE, at(95)).await.unwrap();
    assert_eq!(due.unreadable, [broken.clone(), misnamed.clone()]);
    let swept = swept(&world, 95).await;
    assert_eq!(
        (swept.holds, swept.unreadable, swept.settled.settled()),
        (2, 2, 2)
    );
    assert_eq!(
        world.objects.keys(keys::PENDING),
        [broken, misnamed],
        "they stay where they are"
    );
}

#[tokio::test]
async fn one_that_fails_stops_no_other() {
    let world = World::new(vec![row("a", "innocent"), row("b", "innocent")]);
    let id = world.hold(&name(1), &[hold("a", 600)]).await;
    world.hold(&name(2), &[hold("b", 600)]).await;
    world.hold(&name(3), &[hold("c", 600)]).await;
    world.faults.add(Fault::on("status").name(&id.0));
    world
        .faults
        .add(Fault::on("get").name(&keys::pending(&name(3))));
    let swept = swept(&world, 95).await;
    assert_eq!(
        (swept.holds, swept.failed, swept.settled.settled()),
        (2, 2, 1)
    );
    assert_eq!(world.objects.keys(keys::PENDING).len(), 2);
}

#[tokio::test]
async fn loads_are_brought_to_their_end_and_lists_that_nobody_kicked_for_are_loaded() {
    let world = World::new(Vec::new());
    let settings = settings();
    let loader = loader(&world, &settings);
    let object = |key: &str| NewObject {
        bucket: "second-look-bucket".into(),
        key: key.into(),
        version: "1".into(),
    };
    loader
        .write_down(WarehouseTable::Transactions, &[object("transactions/1")])
        .await
        .unwrap();
    loader
        .kick(WarehouseTable::Transactions, at(0))
        .await
        .unwrap();
    loader
        .write_down(WarehouseTable::FraudReports, &[object("labels/1")])
        .await
        .unwrap();
    let first = swept(&world, 60).await;
    assert_eq!(
        (first.loads, first.young, first.loaded, first.begun),
        (0, 1, 0, 1),
        "one is young, one begins"
    );
    let second = swept(&world, 95).await;
    assert_eq!((second.loads, second.young, second.loaded), (1, 1, 1));
    let third = swept(&world, 160).await;
    assert_eq!((third.loads, third.loaded), (1, 1));
    assert_eq!(world.objects.keys(keys::PENDING), [""; 0]);
}

#[tokio::test]
async fn without_a_bundle_holds_wait_until_their_deadline_and_loads_do_not() {
    let world = World::new(vec![row("a", "guilty"), row("b", "guilty")]);
    let settings = settings();
    let loader = loader(&world, &settings);
    world.hold(&name(1), &[hold("a", 600)]).await;
    world.hold(&name(2), &[hold("b", 90), hold("c", 600)]).await;
    let object = NewObject {
        bucket: "second-look-bucket".into(),
        key: "labels/1".into(),
        version: "1".into(),
    };
    loader
        .write_down(WarehouseTable::FraudReports, &[object])
        .await
        .unwrap();
    let settler = Settler {
        judge: None,
        ..world.settler()
    };
    let first = swept_with(&world, &settler, 95).await;
    assert_eq!(
        (first.holds, first.failed, first.begun),
        (2, 2, 1),
        "two entries have holds that wait"
    );
    let ended = |world: &World| -> Vec<_> {
        let outcomes = world.outcomes().into_values();
        outcomes
            .map(|o| {
                (
                    o.transaction_id.into_string(),
                    o.action,
                    o.settled_by.unwrap(),
                )
            })
            .collect()
    };
    let expiry = |id: &str| (id.to_owned(), Action::Release, SettledBy::Expiry);
    assert_eq!(ended(&world), [expiry("b")]);
    let second = swept_with(&world, &settler, 600).await;
    assert_eq!(
        (second.holds, second.failed, second.settled.expired),
        (2, 0, 3)
    );
    assert_eq!(ended(&world), [expiry("a"), expiry("b"), expiry("c")]);
    assert_eq!(world.decisions.published()[0].partition_key, "t1");
    assert_eq!(world.objects.keys(keys::PENDING), [""; 0]);
}

#[tokio::test]
async fn a_warehouse_that_hangs_holds_up_no_deadline_and_no_sweep() {
    for operation in ["status", "rows"] {
        let world = World::new(vec![row("0", "innocent")]);
        for n in 0..100 {
            world.hold(&name(n), &[hold(&n.to_string(), 60)]).await;
        }
        world.hold(&name(100), &[hold("early", 600)]).await;
        world.faults.add(Fault::on(operation).hang());
        let began = Instant::now();
        let swept = swept(&world, 95).await;
        assert_eq!(
            (swept.holds, swept.settled.expired),
            (101, 100),
            "{operation}"
        );
        assert_eq!(
            swept.failed, 1,
            "{operation}: what was not overdue is left to the next sweep"
        );
        // Two turns of those who wait and one for the rest, where each alone would have taken thirteen.
        assert!(
            began.elapsed() < support::PATIENCE * 8,
            "{operation}: {:?}",
            began.elapsed()
        );
    }
}

#[tokio::test]
async fn a_sweep_that_leaves_something_fails_after_all_its_work_and_says_how_much() {
    let world = World::new(vec![row("a", "innocent")]);
    world.hold(&name(1), &[hold("a", 600)]).await;
    world.objects.set(&keys::pending(&name(0)), "{");
    let settings = settings();
    let loader = loader(&world, &settings);
    let settler = world.settler();
    let sweep = Sweep {
        settler: &settler,
        loader: &loader,
        grace: GRACE,
        patience: support::PATIENCE,
    };
    let error = sweep.run(at(95)).await.unwrap_err();
    assert_eq!(
        error.to_string(),
        "0 entries not dealt with, 1 not readable, 0 loads given up"
    );
    assert_eq!(world.outcomes().len(), 1);
}

#[tokio::test]
async fn a_load_that_fails_again_and_again_is_given_up_by_and_by_and_the_sweep_says_so() {
    let mut world = World::new(Vec::new());
    world.warehouse = Warehouse::new().answering(|_, _| Err("x".to_owned()));
    let settings = settings();
    let loader = loader(&world, &settings);
    let object = NewObject {
        bucket: "second-look-bucket".into(),
        key: "labels/1".into(),
        version: "1".into(),
    };
    loader
        .write_down(WarehouseTable::FraudReports, &[object])
        .await
        .unwrap();
    loader
        .kick(WarehouseTable::FraudReports, at(0))
        .await
        .unwrap();
    let settler = world.settler();
    let sweep = Sweep {
        settler: &settler,
        loader: &loader,
        grace: GRACE,
        patience: support::PATIENCE,
    };
    sweep.run(at(95)).await.unwrap();
    sweep.run(at(190)).await.unwrap();
    assert_eq!(sweep.run(at(200)).await.unwrap().young, 1);
    let error = sweep.run(at(290)).await.unwrap_err();
    assert_eq!(
        error.to_string(),
        "0 entries not dealt with, 0 not readable, 1 loads given up"
    );
    assert_eq!(world.warehouse.submitted().len(), 3);
}
