//! Processes that die at any call, and calls without an answer.

#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

mod support;

use decision::Hold;
use harness::holds::{World, at, hold, row};
use harness::interleave::finish;
use harness::memory::Fault;
use support::{Stack, assert_deleted_last, assert_settled, place, sent_again};

/// Two batches of two versions. One transaction was sent twice.
fn batches() -> Vec<Vec<Hold>> {
    let mut of_other_version = hold("c", 600);
    "second".clone_into(&mut of_other_version.bundle_version);
    let again = sent_again(&hold("a", 600), "7");
    vec![
        vec![hold("a", 600), hold("b", 600), of_other_version],
        vec![again, hold("d", 600)],
    ]
}

fn rows() -> Vec<warehouse::Row> {
    let looks = ["innocent", "guilty", "guilty", "unclear", "innocent"];
    (0..)
        .zip(looks)
        .map(|(ordinal, looks)| row(ordinal, looks))
        .collect()
}

/// A loaded world, and the keys of its ledger objects.
fn loaded(stack: &Stack) -> (World, Vec<String>) {
    let world = World::new(rows());
    let keys = place(&world, &batches());
    finish(stack.load(&world));
    (world, keys)
}

/// How many calls it takes to settle everything.
fn all_calls(stack: &Stack) -> usize {
    let (world, _) = loaded(stack);
    let before = world.faults.calls().len();
    settle_all(stack, &world);
    world.faults.calls().len() - before
}

fn settle_all(stack: &Stack, world: &World) {
    for second in 6..12 {
        finish(stack.start(world, at(second)));
        finish(stack.confirm(world, at(second))).unwrap();
    }
    assert_settled(world, &batches().concat());
}

#[test]
fn a_process_that_dies_at_any_call_loses_and_changes_nothing() {
    let stack = Stack::new();
    let calls = all_calls(&stack);
    assert!(calls > 40, "{calls}");
    for call in 0..calls {
        let (world, keys) = loaded(&stack);
        world.faults.die_after(call);
        // The first turn, then the second: one of them dies.
        let _ = finish(stack.confirm(&world, at(5)));
        let _ = finish(stack.confirm(&world, at(5)));
        assert_deleted_last(&world, &batches(), &keys);
        world.faults.clear();
        settle_all(&stack, &world);
    }
}

#[test]
fn a_lost_answer_loses_and_changes_nothing() {
    let stack = Stack::new();
    for operation in ["put", "put_new", "publish", "delete", "submit"] {
        let mut lost = 0;
        loop {
            let (world, keys) = loaded(&stack);
            let before = world.faults.calls().len();
            world
                .faults
                .add(Fault::on(operation).after(lost).times(1).late());
            let _ = finish(stack.confirm(&world, at(5)));
            let _ = finish(stack.confirm(&world, at(5)));
            let calls = world.faults.calls().split_off(before);
            let same = calls
                .iter()
                .filter(|call| call.starts_with(&format!("{operation} ")));
            if same.count() <= lost {
                break;
            }
            assert_deleted_last(&world, &batches(), &keys);
            world.faults.clear();
            settle_all(&stack, &world);
            lost += 1;
        }
        assert!(lost > 0, "{operation}");
    }
}

#[test]
fn a_transient_failure_to_open_a_bundle_repeats_the_turn() {
    let mut stack = Stack::new();
    stack.bundles.unreachable.insert("first".to_owned());
    let (world, keys) = loaded(&stack);
    finish(stack.confirm(&world, at(5))).unwrap_err();
    let expired = finish(stack.settler(&world).expire(&keys, at(700)));
    assert!(expired.unwrap_err().is_transient());
    assert_eq!(world.published().len(), 0);
    stack.bundles.unreachable.clear();
    settle_all(&stack, &world);
}
