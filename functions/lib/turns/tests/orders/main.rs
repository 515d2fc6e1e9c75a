//! Processes that die, stall and race between any two side effects: whatever the order, no work is
//! lost, no lane runs two statements, and in the end every hold has its final decision.
//!
//! Orders are sampled with fixed seeds. `ORDERS=1000000` runs more of them.

#![expect(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    clippy::panic,
    reason = "a test fails by panicking"
)]

mod order;
mod warehouse;
mod world;

use harness::processes::orders_to_run;
use order::{Budget, Order};

/// How many orders each scenario runs by default.
const ORDERS: u64 = 300;

fn every_order_holds(budget: Budget) {
    for seed in 0..orders_to_run(ORDERS) {
        if let Err(story) = Order::new(seed, budget).run() {
            panic!("seed {seed} of {budget:?}:\n{story}");
        }
    }
}

#[test]
fn two_crashes_and_a_zombie_lose_nothing() {
    every_order_holds(Budget {
        crashes: 2,
        stalls: 1,
        ..Budget::default()
    });
}

#[test]
fn lost_and_doubled_wake_ups_lose_nothing() {
    every_order_holds(Budget {
        lost_wake_ups: 2,
        doubled_wake_ups: 2,
        crashes: 1,
        ..Budget::default()
    });
}

#[test]
fn failed_statements_are_tried_again() {
    every_order_holds(Budget {
        failures: 3,
        crashes: 1,
        ..Budget::default()
    });
}

#[test]
fn a_bad_object_goes_to_quarantine_and_holds_up_no_other() {
    for is_named in [true, false] {
        every_order_holds(Budget {
            bad_object: Some(order::BadObject { is_named }),
            crashes: 1,
            stalls: 1,
            ..Budget::default()
        });
    }
}

#[test]
fn evidence_that_fails_is_split_down_to_the_hold_that_makes_it_fail() {
    every_order_holds(Budget {
        bad_hold: true,
        crashes: 1,
        ..Budget::default()
    });
}

#[test]
fn a_redelivered_batch_with_another_cut_is_settled_too() {
    every_order_holds(Budget {
        redelivery: true,
        crashes: 2,
        stalls: 1,
        ..Budget::default()
    });
}

#[test]
fn expiry_races_with_evidence() {
    every_order_holds(Budget {
        expiry: true,
        crashes: 2,
        stalls: 1,
        ..Budget::default()
    });
}
