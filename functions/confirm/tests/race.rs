//! Confirm and sweep settle the same entry at the same time, in every order of their calls.

#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

mod support;

use decision::SettledBy;
use harness::holds::{NAME, World, at, hold, row};
use harness::interleave::{finish, interleave, orders};
use support::PlainModel;
use warehouse::{StatementId, Status};

/// Settles an entry twice at the same time, then sweeps. Each hold must have one final decision,
/// the same in the bucket and on the stream, and the ledger must be empty.
fn race(prepare: impl Fn(&World, &StatementId), confirm_at: i64, sweep_at: i64) {
    let mut raced = 0;
    for order in orders(8) {
        let world = World::new(vec![row("a", "innocent"), row("b", "guilty")]);
        let holds = [hold("a", 600), hold("b", 600)];
        let id = finish(world.hold(NAME, &holds));
        prepare(&world, &id);
        let model = PlainModel::new();
        let settler = model.settler(&world);
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
fn two_processes_with_evidence_make_one_decision() {
    race(|_, _| {}, 5, 90);
}

#[test]
fn evidence_and_expiry_at_the_same_time_make_one_decision() {
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
fn two_processes_after_a_failure_submit_one_next_attempt() {
    for order in orders(7) {
        let world = World::new(vec![row("a", "guilty")]);
        let id = finish(world.hold(NAME, &[hold("a", 600)]));
        world.warehouse.set_status(&id, Status::Aborted);
        let model = PlainModel::new();
        let settler = model.settler(&world);
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
