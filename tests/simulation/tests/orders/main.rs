//! Processes that die, stall and race between any two side effects of the real handlers: whatever
//! the order, no transaction is lost, no lane runs two statements, and in the end every hold has
//! its one final decision.
//!
//! Orders are sampled with fixed seeds. `ORDERS=100000` runs that many of each scenario, and
//! `FIRST=200000` begins with another seed.

#![expect(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    clippy::panic,
    reason = "a test fails by panicking"
)]

mod budget;
mod event;
mod order;
mod processes;
mod twins;
mod watch;

use std::collections::BTreeMap;

use budget::{Budget, Sweeps, Zombies};
use order::Order;
use simulation::{Flaws, Named, Unreadable};
use turns::Lane;
use watch::Sight;

/// How many orders each scenario runs by default.
const ORDERS: u64 = 500;

#[expect(
    clippy::disallowed_methods,
    reason = "a test has no configuration of its own"
)]
fn number(name: &str, default: u64) -> u64 {
    let chosen = std::env::var(name).ok();
    chosen.map_or(default, |text| text.parse().unwrap())
}

/// Runs the orders of a scenario. Each of these sights must have been in at least one of 100 orders,
/// so that no scenario passes by missing its subject. Fewer orders than usual may miss one.
fn every_order_holds(budget: Budget, sights: &[Sight]) {
    let runtime = tokio::runtime::Builder::new_current_thread();
    // Time limits need a runtime to exist. None is ever reached.
    let runtime = { runtime }.enable_time().build().unwrap();
    let _entered = runtime.enter();
    let first = number("FIRST", 0);
    let orders = number("ORDERS", ORDERS);
    let mut seen: BTreeMap<Sight, u64> = BTreeMap::new();
    for seed in first..first + orders {
        match Order::new(seed, &budget).run() {
            Ok(sights) => sights
                .into_iter()
                .for_each(|sight| *seen.entry(sight).or_default() += 1),
            Err(story) => panic!("seed {seed} of {budget:?}:\n{story}"),
        }
    }
    if orders < ORDERS {
        return;
    }
    let lanes = [Sight::EvidenceLane(0), Sight::EvidenceLane(1)];
    for sight in lanes.iter().chain(sights) {
        let count = seen.get(sight).copied().unwrap_or_default();
        assert!(
            count * 100 >= orders,
            "{sight:?} in {count} of {orders}: {seen:?}"
        );
    }
}

#[test]
fn events_alone_settle_every_hold() {
    every_order_holds(
        Budget {
            doubled_events: 2,
            redelivery: true,
            sweeps: Sweeps::None,
            ..Budget::default()
        },
        &[Sight::SettledByEventsAlone, Sight::TwoVersions],
    );
}

#[test]
fn two_crashes_and_a_zombie_lose_nothing() {
    every_order_holds(
        Budget {
            crashes: 2,
            stalls: 1,
            ..Budget::default()
        },
        &[Sight::ByConfirm, Sight::BySweep],
    );
}

#[test]
fn a_zombie_whose_work_was_taken_over_undoes_nothing() {
    every_order_holds(
        Budget {
            crashes: 1,
            stalls: 2,
            zombies: Zombies::Late,
            redelivery: true,
            ..Budget::default()
        },
        &[Sight::LateZombie],
    );
}

#[test]
fn lost_and_doubled_events_lose_nothing() {
    every_order_holds(
        Budget {
            lost_events: 2,
            doubled_events: 2,
            crashes: 1,
            ..Budget::default()
        },
        &[Sight::ByConfirm, Sight::BySweep],
    );
}

#[test]
fn failed_calls_and_statements_are_tried_again() {
    every_order_holds(
        Budget {
            failures: 3,
            failing_calls: 2,
            crashes: 1,
            ..Budget::default()
        },
        &[Sight::ByConfirm, Sight::BySweep],
    );
}

#[test]
fn hanging_statements_are_cancelled_and_tried_again() {
    every_order_holds(
        Budget {
            hangs: 3,
            crashes: 1,
            stalls: 1,
            ..Budget::default()
        },
        &[
            Sight::Cancelled(Lane::Transactions),
            Sight::Cancelled(Lane::Evidence(0)),
        ],
    );
}

#[test]
fn refused_rows_go_to_quarantine_and_the_others_are_loaded() {
    every_order_holds(
        Budget {
            flaws: Flaws {
                refused_rows: vec!["a", "e"],
                ..Flaws::default()
            },
            crashes: 2,
            stalls: 1,
            ..Budget::default()
        },
        &[Sight::RefusedRow],
    );
}

#[test]
fn an_unreadable_object_goes_to_quarantine_and_stops_no_other() {
    for named in [Named::Yes, Named::No] {
        for (prefix, lane) in [
            ("transactions/", Lane::Transactions),
            ("labels/", Lane::Labels),
            ("outcomes/", Lane::Outcomes),
        ] {
            let unreadable = Unreadable {
                prefix,
                named,
                key: None,
            };
            every_order_holds(
                Budget {
                    flaws: Flaws {
                        unreadable: Some(unreadable),
                        refused_rows: vec!["c"],
                        ..Flaws::default()
                    },
                    crashes: 1,
                    stalls: 1,
                    ..Budget::default()
                },
                &[Sight::ObjectInQuarantine(lane)],
            );
        }
    }
}

#[test]
fn evidence_that_fails_is_split_down_to_the_hold_that_makes_it_fail() {
    every_order_holds(
        Budget {
            flaws: Flaws {
                failing_holds: vec!["d"],
                ..Flaws::default()
            },
            crashes: 2,
            stalls: 1,
            ..Budget::default()
        },
        &[Sight::Split, Sight::WithoutEvidence],
    );
}

#[test]
fn a_redelivery_with_another_cut_is_settled_too() {
    every_order_holds(
        Budget {
            redelivery: true,
            crashes: 2,
            stalls: 1,
            ..Budget::default()
        },
        &[Sight::TwoVersions],
    );
}

#[test]
fn expiry_races_with_evidence() {
    every_order_holds(
        Budget {
            expiry: true,
            crashes: 2,
            stalls: 1,
            lost_events: 1,
            ..Budget::default()
        },
        &[Sight::Expired, Sight::ByConfirm, Sight::BySweep],
    );
}

#[test]
fn two_sweeps_at_once_are_harmless() {
    every_order_holds(
        Budget {
            sweeps: Sweeps::InPairs,
            lost_events: 4,
            crashes: 1,
            stalls: 1,
            ..Budget::default()
        },
        &[Sight::BySweep],
    );
}

#[test]
fn everything_goes_wrong_at_once() {
    every_order_holds(
        Budget {
            crashes: 2,
            stalls: 1,
            failing_calls: 1,
            lost_events: 1,
            doubled_events: 1,
            failures: 1,
            hangs: 1,
            flaws: Flaws {
                unreadable: Some(Unreadable {
                    prefix: "transactions/",
                    named: Named::No,
                    key: None,
                }),
                refused_rows: vec!["c"],
                failing_holds: vec!["d"],
            },
            redelivery: true,
            sweeps: Sweeps::InPairs,
            expiry: true,
            ..Budget::default()
        },
        &[
            Sight::Expired,
            Sight::ByConfirm,
            Sight::Split,
            Sight::RefusedRow,
            Sight::ObjectInQuarantine(Lane::Transactions),
        ],
    );
}
