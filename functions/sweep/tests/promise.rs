//! Every hold gets exactly one final decision, by its deadline plus one sweep interval, whoever dies
//! at whatever call, and whatever answer gets lost.

#![expect(
    clippy::expect_used,
    clippy::panic,
    clippy::unwrap_used,
    reason = "a test fails by panicking"
)]

#[path = "../../confirm/tests/support/steps.rs"]
mod steps;
#[path = "../../confirm/tests/support/mod.rs"]
mod support;

use std::time::Duration;

use decision::SettledBy;
use harness::memory::Fault;
use load::{Loader, Settings};
use steps::finish;
use support::{NAME, PREFIX, World, at, hold, row};
use sweep::{Sweep, SweepReport};
use warehouse::{StatementId, Status};

const DEADLINE: i64 = 600;
const INTERVAL: i64 = 60;

/// How things stand before anybody confirms.
type Story = (&'static str, fn(&World));

const STORIES: [Story; 7] = [
    ("the evidence is there", |world| {
        finish(world.hold(NAME, &holds()));
    }),
    ("the statement runs for ever", |world| {
        let id = finish(world.hold(NAME, &holds()));
        world.warehouse.set_status(&id, Status::Running);
    }),
    ("the statement was aborted", |world| {
        let id = finish(world.hold(NAME, &holds()));
        world.warehouse.set_status(&id, Status::Aborted);
    }),
    ("the last attempt has failed", |world| {
        let id = finish(world.submit(NAME, &holds(), 3));
        world.write(NAME, &holds(), 3, Some(&id));
        world
            .warehouse
            .set_status(&id, Status::Failed { error: "x".into() });
    }),
    ("score died before it submitted", |world| {
        world.write(NAME, &holds(), 1, None);
    }),
    ("score died before it heard", |world| {
        finish(world.submit(NAME, &holds(), 1));
        world.write(NAME, &holds(), 1, None);
    }),
    ("the warehouse has forgotten it", |world| {
        let id = finish(world.hold(NAME, &holds()));
        world.warehouse.forget(&id);
    }),
];

fn holds() -> [decision::Hold; 2] {
    [hold("a", DEADLINE - 3), hold("b", DEADLINE)]
}

fn world(story: &Story) -> World {
    let world = World::new(vec![row("a", "innocent"), row("b", "guilty")]);
    (story.1)(&world);
    world
}

fn sweep(world: &World, now: i64) -> Result<SweepReport, sweep::Error> {
    let settings = Settings {
        bucket: "b".into(),
        statement_prefix: PREFIX.into(),
        max_attempts: 3,
    };
    let loader = Loader {
        objects: &world.objects,
        warehouse: &world.warehouse,
        sql: &|_, manifest| vec![format!("COPY FROM '{manifest}'")],
        settings: &settings,
    };
    let (settler, grace, patience) = (
        &world.settler(),
        Duration::from_secs(90),
        Duration::from_secs(40),
    );
    let sweep = Sweep {
        settler,
        loader: &loader,
        grace,
        patience,
    };
    finish(sweep.run(at(now)))
}

fn confirm(world: &World, now: i64) {
    // Whether it fails is not our concern: nobody waits for it.
    let _ = finish(world.settler().settle(NAME, SettledBy::Confirm, at(now)));
}

/// That each hold has its one final decision, the same everywhere.
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
                    story.0
                );
                assert_settled(&world, &what);
            }
        }
    }
}

#[test]
fn a_call_that_fails_or_whose_answer_is_lost_leaves_one_final_decision() {
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
                            &format!("{}: {operation} {nth} fails, late: {late}", story.0),
                        );
                    }
                }
            }
        }
    }
}

#[test]
fn the_promise_needs_no_event_and_no_warehouse() {
    for story in &STORIES {
        let world = world(story);
        for operation in ["submit", "status", "rows"] {
            world.faults.add(Fault::on(operation));
        }
        for now in (0..=DEADLINE + INTERVAL).step_by(60) {
            // It says that the warehouse could not be asked.
            let _ = sweep(&world, now);
        }
        assert_settled(&world, story.0);
    }
}

#[test]
fn all_the_calls_of_a_story_are_within_the_range_of_the_crashes() {
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
            story.0
        );
    }
}

#[test]
fn an_id_that_comes_again_has_one_final_decision() {
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
