//! Guarantee 2: every hold gets exactly one final decision, by its deadline plus one sweep
//! interval, also if a process dies at any call or if any answer is lost.

#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

mod support;

use std::time::Duration;

use decision::SettledBy;
use harness::holds::{NAME, World, at, hold, row};
use harness::interleave::finish;
use harness::memory::Fault;
use support::{PlainModel, loader, settings};
use sweep::{Sweep, SweepReport};
use warehouse::{StatementId, Status};

const DEADLINE: i64 = 600;
const INTERVAL: i64 = 60;

/// A state of the ledger and the warehouse before confirm runs.
struct Story {
    name: &'static str,
    prepare: fn(&World),
}

const STORIES: [Story; 7] = [
    Story {
        name: "the statement has finished",
        prepare: |world| {
            finish(world.hold(NAME, &holds()));
        },
    },
    Story {
        name: "the statement never ends",
        prepare: |world| set_status(world, Status::Running),
    },
    Story {
        name: "the statement was aborted",
        prepare: |world| set_status(world, Status::Aborted),
    },
    Story {
        name: "the last attempt has failed",
        prepare: |world| {
            let id = finish(world.submit(NAME, &holds(), 3));
            world.write(NAME, &holds(), 3, Some(&id));
            let error = "division by zero".to_owned();
            world.warehouse.set_status(&id, Status::Failed { error });
        },
    },
    Story {
        name: "score died before the submission",
        prepare: |world| world.write(NAME, &holds(), 1, None),
    },
    Story {
        name: "score died after the submission",
        prepare: |world| {
            finish(world.submit(NAME, &holds(), 1));
            world.write(NAME, &holds(), 1, None);
        },
    },
    Story {
        name: "the warehouse has forgotten the statement",
        prepare: |world| {
            let id = finish(world.hold(NAME, &holds()));
            world.warehouse.forget(&id);
        },
    },
];

fn set_status(world: &World, status: Status) {
    let id = finish(world.hold(NAME, &holds()));
    world.warehouse.set_status(&id, status);
}

fn holds() -> [decision::Hold; 2] {
    [hold("a", DEADLINE - 3), hold("b", DEADLINE)]
}

fn world(story: &Story) -> World {
    let world = World::new(vec![row("a", "innocent"), row("b", "guilty")]);
    (story.prepare)(&world);
    world
}

fn sweep(world: &World, now: i64) -> Result<SweepReport, sweep::Error> {
    let settings = settings();
    let model = PlainModel::new();
    let sweep = Sweep {
        settler: &model.settler(world),
        loader: &loader(world, &settings),
        grace: Duration::from_secs(90),
        patience: Duration::from_secs(40),
    };
    finish(sweep.run(at(now)))
}

fn confirm(world: &World, now: i64) {
    let model = PlainModel::new();
    let settler = model.settler(world);
    // It may fail: the sweep does the rest.
    let _ = finish(settler.settle(NAME, SettledBy::Confirm, at(now)));
}

/// Asserts that each hold has one final decision, the same in all places.
fn assert_settled(world: &World, what: &str) {
    let outcomes = world.outcomes();
    assert_eq!(outcomes.len(), 2, "{what}");
    assert_eq!(world.published(), outcomes, "{what}");
    assert_eq!(world.batched(), outcomes, "{what}");
    assert_eq!(world.entry(NAME), None, "{what}");
    for decision in outcomes.values() {
        assert!(decision.decided_at <= at(DEADLINE + INTERVAL), "{what}");
    }
}

#[test]
fn a_crash_at_any_call_of_confirm_and_of_a_sweep_leaves_one_final_decision() {
    for story in &STORIES {
        for confirm_dies in 0..=14 {
            for sweep_dies in 0..=22 {
                let world = world(story);
                world.faults.die_after(confirm_dies);
                confirm(&world, 5);
                world.faults.clear();
                world.faults.die_after(sweep_dies);
                let _ = sweep(&world, DEADLINE);
                world.faults.clear();
                sweep(&world, DEADLINE + INTERVAL).unwrap();
                let what = format!(
                    "{}: dies after {confirm_dies} calls, the sweep after {sweep_dies}",
                    story.name
                );
                assert_settled(&world, &what);
            }
        }
    }
}

#[test]
fn a_failed_call_or_a_lost_answer_leaves_one_final_decision() {
    for story in &STORIES {
        for operation in [
            "get", "put", "put_new", "delete", "list", "publish", "record", "submit", "status",
            "rows",
        ] {
            for nth in 0..6 {
                for times in [1, 2] {
                    for late in [false, true] {
                        let world = world(story);
                        let fault = Fault::on(operation).after(nth).times(times);
                        world.faults.add(if late { fault.late() } else { fault });
                        confirm(&world, 5);
                        let _ = sweep(&world, 100);
                        world.faults.clear();
                        sweep(&world, DEADLINE + INTERVAL).unwrap();
                        assert_settled(
                            &world,
                            &format!("{}: {operation} {nth} fails, late: {late}", story.name),
                        );
                    }
                }
            }
        }
    }
}

#[test]
fn holds_are_settled_without_events_and_without_a_warehouse() {
    for story in &STORIES {
        let world = world(story);
        for operation in ["submit", "status", "rows"] {
            world.faults.add(Fault::on(operation));
        }
        for now in (0..=DEADLINE + INTERVAL).step_by(60) {
            // It fails, because the warehouse is unreachable.
            let _ = sweep(&world, now);
        }
        assert_settled(&world, story.name);
    }
}

#[test]
fn the_crash_test_covers_all_calls_of_each_story() {
    for story in &STORIES {
        let world = world(story);
        let before = world.faults.calls().len();
        confirm(&world, 5);
        let confirmed = world.faults.calls().len() - before;
        sweep(&world, DEADLINE).unwrap();
        let swept = world.faults.calls().len() - before - confirmed;
        assert!(
            confirmed <= 14 && swept <= 22,
            "{}: {confirmed} and {swept} calls",
            story.name
        );
    }
}

#[test]
fn a_repeated_transaction_id_has_one_final_decision() {
    let world = World::new(vec![row("a", "innocent")]);
    let second: &str = "second-look-confirm-000000000001-1-1";
    let _: StatementId = finish(world.hold(NAME, &[hold("a", DEADLINE)]));
    finish(world.hold(second, &[hold("a", DEADLINE)]));
    confirm(&world, 5);
    sweep(&world, 100).unwrap();
    assert_eq!(world.outcomes().len(), 1);
    assert_eq!(world.published(), world.outcomes());
    assert_eq!(world.entry(second), None);
}
