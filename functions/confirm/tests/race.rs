//! Confirm and sweep settle the same entry at once, in every order of their calls.

#![expect(
    clippy::expect_used,
    clippy::panic,
    clippy::unwrap_used,
    reason = "a test fails by panicking"
)]

#[path = "support/steps.rs"]
mod steps;
mod support;

use decision::SettledBy;
use steps::{finish, interleave, orders};
use support::{NAME, World, at, hold, row};
use warehouse::{StatementId, Status};

/// Two entries' settling at once, then a sweep: each hold has one final decision, told alike
/// everywhere, and the ledger is empty.
fn race(prepare: impl Fn(&World, &StatementId), confirm_at: i64, sweep_at: i64) {
    let mut raced = 0;
    for order in orders(8) {
        let world = World::new(vec![row("a", "innocent"), row("b", "guilty")]);
        let holds = [hold("a", 600), hold("b", 600)];
        let id = finish(world.hold(NAME, &holds));
        prepare(&world, &id);
        let settler = world.settler();
        let (confirmed, swept) = interleave(
            settler.settle(NAME, SettledBy::Confirm, at(confirm_at)),
            settler.settle(NAME, SettledBy::Sweep, at(sweep_at)),
            order,
        );
        confirmed.unwrap();
        swept.unwrap();
        finish(settler.settle(NAME, SettledBy::Sweep, at(660))).unwrap();
        let outcomes = world.outcomes();
        assert_eq!(outcomes.len(), 2);
        assert_eq!(world.published(), outcomes);
        assert_eq!(world.batched(), outcomes);
        assert_eq!(world.entry(NAME), None);
        raced += 1;
    }
    assert_eq!(raced, 12_870);
}

#[test]
fn of_two_that_find_the_evidence_one_decides() {
    race(|_, _| {}, 5, 90);
}

#[test]
fn of_one_that_finds_the_evidence_and_one_that_meets_the_deadline_one_decides() {
    race(
        |world, _| world.warehouse.script([Status::Running]),
        599,
        601,
    );
    race(
        |world, _| world.warehouse.script([Status::Running]),
        600,
        601,
    );
}

#[test]
fn two_that_find_a_failure_submit_one_next_attempt() {
    for order in orders(7) {
        let world = World::new(vec![row("a", "guilty")]);
        let id = finish(world.hold(NAME, &[hold("a", 600)]));
        world.warehouse.set_status(&id, Status::Aborted);
        let settler = world.settler();
        let confirm = settler.settle(NAME, SettledBy::Confirm, at(5));
        let (confirmed, swept) = interleave(
            confirm,
            settler.settle(NAME, SettledBy::Sweep, at(90)),
            order,
        );
        confirmed.unwrap();
        swept.unwrap();
        assert_eq!(
            world.warehouse.submitted().len(),
            2,
            "the first attempt and the second"
        );
        finish(settler.settle(NAME, SettledBy::Confirm, at(95))).unwrap();
        assert_eq!(world.entry(NAME), None);
        assert_eq!(world.published(), world.outcomes());
        assert_eq!(world.outcomes().len(), 1);
    }
}
