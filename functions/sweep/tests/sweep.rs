//! Which work a sweep finds and does.

#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

mod support;

use std::path::Path;
use std::time::{Duration, Instant};

use confirm::Settler;
use decision::{Action, SettledBy, keys};
use harness::holds::{PREFIX, World, at, hold, row};
use harness::memory::{Fault, Objects, Stream, Warehouse};
use load::{NewObject, WarehouseTable};
use support::{BUCKET, PATIENCE, PlainModel, loader, settings};
use sweep::{DueWork, Sweep, SweepReport, find};

const GRACE: Duration = Duration::from_secs(90);

async fn act(world: &World, now: i64) -> SweepReport {
    let model = PlainModel::new();
    act_with(world, &model.settler(world), now).await
}

async fn act_with(world: &World, settler: &MemorySettler<'_>, now: i64) -> SweepReport {
    let settings = settings();
    let sweep = Sweep {
        settler,
        loader: &loader(world, &settings),
        grace: GRACE,
        patience: PATIENCE,
    };
    let due = find(&world.objects, GRACE, at(now)).await.unwrap();
    sweep.act(due, at(now)).await
}

type MemorySettler<'a> = Settler<'a, Objects, Stream, Warehouse, PlainModel>;

fn object(key: &str) -> NewObject {
    NewObject {
        bucket: BUCKET.to_owned(),
        key: key.to_owned(),
        version: "1".to_owned(),
    }
}

fn name(n: u32) -> String {
    format!("{PREFIX}-confirm-000000000000-{n}-{n}")
}

#[test]
fn the_event_of_the_schedule_is_accepted() {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../events/sweep/schedule.json");
    let event: serde_json::Value = serde_json::from_slice(&std::fs::read(path).unwrap()).unwrap();
    assert_eq!(event["detail-type"], "Scheduled Event");
    serde_json::from_value::<serde::de::IgnoredAny>(event).unwrap();
}

#[tokio::test]
async fn young_entries_are_not_due_unless_a_hold_is_overdue() {
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
async fn due_holds_are_settled_and_counted() {
    let world = World::new(vec![
        row("a", "innocent"),
        row("b", "guilty"),
        row("c", "unclear"),
    ]);
    for (n, transaction) in [(1, "a"), (2, "b"), (3, "c")] {
        world.hold(&name(n), &[hold(transaction, 600)]).await;
    }
    let report = act(&world, 95).await;
    assert_eq!(
        (report.holds, report.failed, report.settled.settled()),
        (3, 0, 3)
    );
    assert_eq!(
        (
            report.settled.released,
            report.settled.blocked,
            report.settled.review
        ),
        (1, 1, 1)
    );
    assert_eq!(
        report.settled.ignored_rows, 6,
        "the in-memory warehouse returns all rows for every statement"
    );
    let json = serde_json::to_value(report).unwrap();
    assert_eq!(
        (json["holds"].as_u64(), json["released"].as_u64()),
        (Some(3), Some(1))
    );
}

#[tokio::test]
async fn an_unreadable_entry_is_counted_and_does_not_stop_the_sweep() {
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
    let report = act(&world, 95).await;
    assert_eq!(
        (report.holds, report.unreadable, report.settled.settled()),
        (2, 2, 2)
    );
    assert_eq!(
        world.objects.keys(keys::PENDING),
        [broken, misnamed],
        "unreadable entries stay in the ledger"
    );
}

#[tokio::test]
async fn a_failing_entry_does_not_stop_the_others() {
    let world = World::new(vec![row("a", "innocent"), row("b", "innocent")]);
    let id = world.hold(&name(1), &[hold("a", 600)]).await;
    world.hold(&name(2), &[hold("b", 600)]).await;
    world.hold(&name(3), &[hold("c", 600)]).await;
    world.faults.add(Fault::on("status").name(&id.0));
    world
        .faults
        .add(Fault::on("get").name(&keys::pending(&name(3))));
    let report = act(&world, 95).await;
    assert_eq!(
        (report.holds, report.failed, report.settled.settled()),
        (2, 2, 1)
    );
    assert_eq!(world.objects.keys(keys::PENDING).len(), 2);
}

#[tokio::test]
async fn loads_are_advanced_and_waiting_lists_are_loaded() {
    let world = World::new(Vec::new());
    let settings = settings();
    let loader = loader(&world, &settings);
    loader
        .enqueue(WarehouseTable::Transactions, &[object("transactions/1")])
        .await
        .unwrap();
    loader
        .start(WarehouseTable::Transactions, at(0))
        .await
        .unwrap();
    loader
        .enqueue(WarehouseTable::FraudReports, &[object("labels/1")])
        .await
        .unwrap();
    let first = act(&world, 60).await;
    assert_eq!(
        (first.loads, first.young, first.loaded, first.begun),
        (0, 1, 0, 1),
        "one is young, one is started"
    );
    let second = act(&world, 95).await;
    assert_eq!((second.loads, second.young, second.loaded), (1, 1, 1));
    let third = act(&world, 160).await;
    assert_eq!((third.loads, third.loaded), (1, 1));
    assert_eq!(world.objects.keys(keys::PENDING), [""; 0]);
}

#[tokio::test]
async fn without_a_bundle_holds_expire_and_loads_continue() {
    let world = World::new(vec![row("a", "guilty"), row("b", "guilty")]);
    let settings = settings();
    let loader = loader(&world, &settings);
    world.hold(&name(1), &[hold("a", 600)]).await;
    world.hold(&name(2), &[hold("b", 90), hold("c", 600)]).await;
    let object = object("labels/1");
    loader
        .enqueue(WarehouseTable::FraudReports, &[object])
        .await
        .unwrap();
    let model = PlainModel::new();
    let settler = Settler {
        model: None,
        ..model.settler(&world)
    };
    let first = act_with(&world, &settler, 95).await;
    assert_eq!(
        (first.holds, first.failed, first.begun),
        (2, 2, 1),
        "two entries have holds that are not overdue"
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
    let second = act_with(&world, &settler, 600).await;
    assert_eq!(
        (second.holds, second.failed, second.settled.expired),
        (2, 0, 3)
    );
    assert_eq!(ended(&world), [expiry("a"), expiry("b"), expiry("c")]);
    assert_eq!(world.decisions.published()[0].partition_key, "t1");
    assert_eq!(world.objects.keys(keys::PENDING), [""; 0]);
}

#[tokio::test]
async fn a_hanging_warehouse_delays_neither_overdue_holds_nor_the_sweep() {
    for operation in ["status", "rows"] {
        let world = World::new(vec![row("0", "innocent")]);
        for n in 0..100 {
            world.hold(&name(n), &[hold(&n.to_string(), 60)]).await;
        }
        world.hold(&name(100), &[hold("early", 600)]).await;
        world.faults.add(Fault::on(operation).hang());
        let began = Instant::now();
        let report = act(&world, 95).await;
        assert_eq!(
            (report.holds, report.settled.expired),
            (101, 100),
            "{operation}"
        );
        assert_eq!(
            report.failed, 1,
            "{operation}: the next sweep settles the hold that is not overdue"
        );
        // Waits for each statement would take thirteen times PATIENCE.
        assert!(
            began.elapsed() < PATIENCE * 8,
            "{operation}: {:?}",
            began.elapsed()
        );
    }
}

#[tokio::test]
async fn an_incomplete_sweep_fails_after_its_other_work() {
    let world = World::new(vec![row("a", "innocent")]);
    world.hold(&name(1), &[hold("a", 600)]).await;
    world.objects.set(&keys::pending(&name(0)), "{");
    let settings = settings();
    let loader = loader(&world, &settings);
    let model = PlainModel::new();
    let settler = model.settler(&world);
    let sweep = Sweep {
        settler: &settler,
        loader: &loader,
        grace: GRACE,
        patience: PATIENCE,
    };
    let error = sweep.run(at(95)).await.unwrap_err();
    assert_eq!(
        error.to_string(),
        "the sweep is incomplete: 0 entries failed, 1 are unreadable, \
         0 loads failed for good: see the errors logged before"
    );
    assert_eq!(world.outcomes().len(), 1);
}

#[tokio::test]
async fn a_load_that_always_fails_ends_and_the_sweep_reports_it() {
    let mut world = World::new(Vec::new());
    world.warehouse = Warehouse::new().answering(|_, _| Err("x".to_owned()));
    let settings = settings();
    let loader = loader(&world, &settings);
    let object = object("labels/1");
    loader
        .enqueue(WarehouseTable::FraudReports, &[object])
        .await
        .unwrap();
    loader
        .start(WarehouseTable::FraudReports, at(0))
        .await
        .unwrap();
    let model = PlainModel::new();
    let settler = model.settler(&world);
    let sweep = Sweep {
        settler: &settler,
        loader: &loader,
        grace: GRACE,
        patience: PATIENCE,
    };
    sweep.run(at(95)).await.unwrap();
    sweep.run(at(190)).await.unwrap();
    assert_eq!(sweep.run(at(200)).await.unwrap().young, 1);
    let error = sweep.run(at(290)).await.unwrap_err();
    assert_eq!(
        error.to_string(),
        "the sweep is incomplete: 0 entries failed, 0 are unreadable, \
         1 loads failed for good: see the errors logged before"
    );
    assert_eq!(world.warehouse.submitted().len(), 3);
}
