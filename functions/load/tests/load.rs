//! Every enqueued object is loaded, also after crashes and races. No table has two loads at the
//! same time: the tests' warehouse asserts this at every COPY.

#![expect(
    clippy::panic,
    clippy::unwrap_used,
    reason = "a test fails by panicking"
)]

mod support;

use harness::interleave::{finish, interleave, runs};
use harness::memory::Fault;
use load::ledger::{Generation, Manifest, statement_name};
use load::{AdvanceOutcome, Error, Loader, StartOutcome, WarehouseTable};
use support::{PREFIX, World, at, object};
use warehouse::{StatementId, Status};

const TABLE: WarehouseTable = WarehouseTable::Transactions;

type Twins<'a> = Loader<'a, harness::memory::Objects, harness::memory::Warehouse>;

/// What the handler does for one notification.
async fn announce(loader: &Twins<'_>, key: &str) -> Result<StartOutcome, Error> {
    loader.enqueue(TABLE, &[object(key)]).await?;
    loader.start(TABLE, at(0)).await
}

/// Sweeps until nothing is left to do.
fn sweep(world: &World) {
    for now in (1..200).map(|times| at(times * 100)) {
        let names = finish(world.loader().under_way()).unwrap();
        for name in &names {
            finish(world.loader().advance(name, now)).unwrap();
        }
        if names.is_empty()
            && finish(world.loader().start(TABLE, now)).unwrap() == StartOutcome::NothingWaits
        {
            return;
        }
    }
    panic!("the loads do not end");
}

#[test]
fn objects_wait_for_the_end_of_a_running_load() {
    let world = World::new(&[]);
    let loader = world.loader();
    assert_eq!(
        finish(announce(&loader, "transactions/1")).unwrap(),
        StartOutcome::Begun
    );
    assert_eq!(
        finish(announce(&loader, "transactions/2")).unwrap(),
        StartOutcome::UnderWay
    );
    assert_eq!(
        finish(announce(&loader, "transactions/3")).unwrap(),
        StartOutcome::UnderWay
    );
    assert_eq!(world.warehouse.submitted().len(), 1);
    let first = statement_name(PREFIX, TABLE, Generation(1));
    assert_eq!(
        finish(loader.advance(&first, at(5))).unwrap(),
        AdvanceOutcome::Loaded
    );
    let second = statement_name(PREFIX, TABLE, Generation(2));
    assert_eq!(world.warehouse.submitted()[1].1.name, second);
    assert_eq!(world.loaded().len(), 3);
    assert_eq!(
        finish(loader.advance(&first, at(6))).unwrap(),
        AdvanceOutcome::Absent,
        "a repeated event"
    );
    assert_eq!(
        finish(loader.advance(&second, at(7))).unwrap(),
        AdvanceOutcome::Loaded
    );
    world.assert_quiet(TABLE);
}

#[test]
fn a_running_load_is_not_changed() {
    let world = World::new(&[]);
    finish(announce(&world.loader(), "transactions/1")).unwrap();
    world.warehouse.script([Status::Running]);
    let name = statement_name(PREFIX, TABLE, Generation(1));
    assert_eq!(
        finish(world.loader().advance(&name, at(5))).unwrap(),
        AdvanceOutcome::Running
    );
    assert_eq!(
        finish(world.loader().find(&world.warehouse.submitted()[0].0.0)).unwrap(),
        Some(name)
    );
}

#[test]
fn an_overwritten_object_is_loaded_again_and_a_repeated_message_is_not() {
    let world = World::new(&[]);
    let loader = world.loader();
    finish(loader.enqueue(TABLE, &[object("transactions/1")])).unwrap();
    finish(loader.enqueue(TABLE, &[object("transactions/1"), object("transactions/1")])).unwrap();
    assert_eq!(world.objects.keys("manifests/transactions/").len(), 1);
    let again = load::NewObject {
        version: "2".to_owned(),
        ..object("transactions/1")
    };
    finish(loader.enqueue(TABLE, &[again])).unwrap();
    assert_eq!(world.objects.keys("manifests/transactions/").len(), 2);
}

/// A start races with the end of a load, in many orders. The load is not the table's first, because
/// no mark precedes the first.
#[test]
fn an_object_enqueued_while_a_load_ends_is_loaded() {
    let name = |generation| statement_name(PREFIX, TABLE, Generation(generation));
    for order in runs(24) {
        let world = World::new(&[]);
        let loader = world.loader();
        finish(announce(&loader, "transactions/1")).unwrap();
        finish(loader.advance(&name(1), at(1))).unwrap();
        finish(announce(&loader, "transactions/2")).unwrap();
        let (kicked, ended) = interleave(
            announce(&loader, "transactions/3"),
            loader.advance(&name(2), at(5)),
            order,
        );
        kicked.unwrap();
        ended.unwrap();
        // No sweep: the events alone load everything.
        for generation in 3..6 {
            finish(loader.advance(&name(generation), at(6))).unwrap();
        }
        world.assert_quiet(TABLE);
        assert_eq!(world.loaded().len(), 3);
    }
}

#[test]
fn a_repeated_completion_event_starts_one_next_load() {
    let first = statement_name(PREFIX, TABLE, Generation(1));
    for order in runs(24) {
        let world = World::new(&[]);
        let loader = world.loader();
        finish(announce(&loader, "transactions/1")).unwrap();
        finish(announce(&loader, "transactions/2")).unwrap();
        let (one, two) = interleave(
            loader.advance(&first, at(5)),
            loader.advance(&first, at(5)),
            order,
        );
        one.unwrap();
        two.unwrap();
        assert!(
            world.warehouse.submitted().len() == 2,
            "{:#?}",
            world.warehouse.submitted()
        );
        sweep(&world);
        world.assert_quiet(TABLE);
        assert_eq!(world.loaded().len(), 2);
    }
}

#[test]
fn two_processes_after_a_failed_load_submit_one_next_attempt() {
    let first = statement_name(PREFIX, TABLE, Generation(1));
    for order in runs(16) {
        let world = World::new(&[]);
        let loader = world.loader();
        finish(announce(&loader, "transactions/1")).unwrap();
        let id: StatementId = world.warehouse.submitted()[0].0.clone();
        world.warehouse.set_status(&id, Status::Aborted);
        let (one, two) = interleave(
            loader.advance(&first, at(5)),
            loader.advance(&first, at(5)),
            order,
        );
        one.unwrap();
        two.unwrap();
        assert_eq!(
            world.warehouse.submitted().len(),
            1,
            "the pause comes first"
        );
        let (one, two) = interleave(
            loader.advance(&first, at(70)),
            loader.advance(&first, at(70)),
            runs(4).swap_remove(7),
        );
        one.unwrap();
        two.unwrap();
        assert_eq!(world.warehouse.submitted().len(), 2);
        sweep(&world);
        world.assert_quiet(TABLE);
    }
}

#[test]
fn a_warehouse_that_fails_immediately_does_not_use_up_the_attempts() {
    let world = World::new(&[]);
    let loader = world.loader();
    let first = statement_name(PREFIX, TABLE, Generation(1));
    finish(announce(&loader, "transactions/1")).unwrap();
    for seconds in 1..60 {
        // The same event again and again, within the pause.
        world
            .warehouse
            .set_status(&world.warehouse.submitted()[0].0.clone(), Status::Aborted);
        assert_eq!(
            finish(loader.advance(&first, at(seconds))).unwrap(),
            AdvanceOutcome::Waiting
        );
    }
    assert_eq!(world.warehouse.submitted().len(), 1);
    assert_eq!(
        finish(loader.advance(&first, at(61))).unwrap(),
        AdvanceOutcome::Loaded
    );
    assert_eq!(world.warehouse.submitted().len(), 2);
    world.assert_quiet(TABLE);
}

#[test]
fn a_failed_list_is_loaded_after_it_was_moved_back() {
    let world = World::new(&[]);
    finish(world.loader().enqueue(TABLE, &[object("transactions/1")])).unwrap();
    world
        .warehouse
        .script([Status::Aborted, Status::Aborted, Status::Aborted]);
    sweep(&world);
    let failed = world.objects.keys("manifests/failed/transactions/");
    let [key] = &failed[..] else {
        panic!("{failed:?}")
    };
    let bytes = world.objects.bytes(key).unwrap();
    finish(store::Objects::delete(&*world.objects, key)).unwrap();
    world.objects.set(&key.replace("/failed/", "/"), bytes);
    sweep(&world);
    assert_eq!(world.loaded().len(), 1);
    world.assert_quiet(TABLE);
}

/// Crashes after each call, and fails each call before or after it took effect.
#[test]
fn the_sweep_completes_loads_after_any_crash_or_failure() {
    let first = statement_name(PREFIX, TABLE, Generation(1));
    let story = |world: &World| {
        let loader = world.loader();
        let written = finish(announce(&loader, "transactions/1")).is_ok();
        let _ = finish(loader.advance(&first, at(5)));
        let also = finish(announce(&loader, "transactions/2")).is_ok();
        (written, also)
    };
    let calls = {
        let world = World::new(&[]);
        story(&world);
        world.faults.calls().len()
    };
    assert!(calls > 25, "{calls}");
    let check = |world: &World, what: String| {
        world.faults.clear();
        // SQS delivers a failed message again.
        finish(announce(&world.loader(), "transactions/1")).unwrap();
        finish(announce(&world.loader(), "transactions/2")).unwrap();
        sweep(world);
        world.assert_quiet(TABLE);
        assert_eq!(world.loaded().len(), 2, "{what}");
    };
    for dies_after in 0..=calls {
        let world = World::new(&[]);
        world.faults.die_after(dies_after);
        story(&world);
        check(&world, format!("dies after {dies_after} calls"));
    }
    for operation in [
        "get", "put", "put_new", "delete", "list", "submit", "status",
    ] {
        for nth in 0..12 {
            for late in [false, true] {
                let world = World::new(&[]);
                let fault = Fault::on(operation).after(nth).times(1);
                world.faults.add(if late { fault.late() } else { fault });
                story(&world);
                check(&world, format!("{operation} {nth} fails, late: {late}"));
            }
        }
    }
}

#[test]
fn the_sweep_loads_a_list_after_a_crash_before_the_start() {
    let world = World::new(&[]);
    finish(world.loader().enqueue(TABLE, &[object("transactions/1")])).unwrap();
    sweep(&world);
    assert_eq!(world.loaded().len(), 1);
}

#[test]
fn one_bad_object_does_not_block_the_others_in_any_distribution_over_lists() {
    let key = |n| {
        if n == 6 {
            "transactions/broken".to_owned()
        } else {
            format!("transactions/{n}")
        }
    };
    let objects: Vec<_> = (0..9).map(|n| object(&key(n))).collect();
    for objects_per_list in [1, 2, 4, 9] {
        let world = World::new(&["broken"]);
        for list in objects.chunks(objects_per_list) {
            finish(world.loader().enqueue(TABLE, list)).unwrap();
        }
        sweep(&world);
        assert_eq!(world.loaded().len(), 8, "{objects_per_list} a list");
        let failed = world.objects.keys("manifests/failed/transactions/");
        assert_eq!(failed.len(), 1);
        let failed: Manifest =
            serde_json::from_slice(&world.objects.bytes(&failed[0]).unwrap()).unwrap();
        assert_eq!(
            failed,
            Manifest::of(["s3://second-look-bucket/transactions/broken".to_owned()])
        );
        assert_eq!(world.objects.keys("manifests/transactions/"), [""; 0]);
        assert_eq!(world.objects.keys("pending/"), [""; 0]);
    }
}
