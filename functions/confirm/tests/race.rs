//! Two processes settle the same holds at the same time, in many orders of their calls.

#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

mod support;

use confirm::PartToSettle;
use decision::{Hold, SettledBy};
use harness::holds::{World, at, hold, row};
use harness::interleave::{finish, interleave, orders, runs};
use support::{Stack, assert_settled, evidence, place, sent_again};

fn holds() -> Vec<Hold> {
    vec![hold("a", 600), hold("b", 600)]
}

/// The holds of a ledger object at these places, with evidence of this probability.
fn part(ledger: &str, places: impl IntoIterator<Item = usize>, p: f64) -> PartToSettle {
    support::part(ledger, places, &evidence(p))
}

#[test]
fn two_processes_with_different_evidence_make_one_decision() {
    let stack = Stack::new();
    for order in orders(8) {
        let world = World::new(Vec::new());
        let keys = place(&world, &[holds()]);
        let settler = stack.settler(&world);
        let (one, two) = interleave(
            settler.settle(vec![part(&keys[0], 0..2, 0.1)], SettledBy::Confirm, at(5)),
            settler.settle(vec![part(&keys[0], 0..2, 0.9)], SettledBy::Sweep, at(6)),
            order,
        );
        one.unwrap();
        two.unwrap();
        assert_settled(&world, &holds());
        assert_eq!(world.outcomes().len(), 2);
    }
}

#[test]
fn processes_with_a_part_each_leave_no_hold_behind() {
    let stack = Stack::new();
    for order in orders(8) {
        let world = World::new(Vec::new());
        let keys = place(&world, &[holds()]);
        let settler = stack.settler(&world);
        let (one, two) = interleave(
            settler.settle(vec![part(&keys[0], [0], 0.1)], SettledBy::Confirm, at(5)),
            settler.settle(vec![part(&keys[0], [1], 0.9)], SettledBy::Confirm, at(5)),
            order,
        );
        one.unwrap();
        two.unwrap();
        // Each reads the other's outcome after it wrote its own, so one of them finds both.
        assert_settled(&world, &holds());
    }
}

#[test]
fn evidence_and_expiry_at_the_same_time_make_one_decision() {
    let stack = Stack::new();
    for order in runs(12) {
        let world = World::new(vec![row(0, "guilty"), row(1, "guilty"), row(2, "guilty")]);
        let again = sent_again(&hold("a", 600), "7");
        let batches = [holds(), vec![again]];
        let keys = place(&world, &batches);
        finish(stack.load(&world));
        let settler = stack.settler(&world);
        let (confirmed, expired) = interleave(
            stack.confirm(&world, at(599)),
            settler.expire(&keys, at(601)),
            order,
        );
        confirmed.unwrap();
        expired.unwrap();
        assert_settled(&world, &batches.concat());
        assert_eq!(world.outcomes().len(), 2);
    }
}

#[test]
fn two_processes_with_the_same_event_make_one_decision() {
    let stack = Stack::new();
    for order in runs(12) {
        let world = World::new(vec![row(0, "guilty"), row(1, "innocent")]);
        place(&world, &[holds()]);
        finish(stack.load(&world));
        let (one, two) = interleave(
            stack.confirm(&world, at(5)),
            stack.confirm(&world, at(6)),
            order,
        );
        one.unwrap();
        two.unwrap();
        assert_settled(&world, &holds());
    }
}
