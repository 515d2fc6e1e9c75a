//! How many holds a sweep settles at their deadline, in simulated time: each request to S3 and
//! Kinesis takes 25 ms.

#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

mod support;

use std::time::Duration;

use decision::Hold;
use harness::holds::{World, at, batch, hold};
use support::sweep;
use tokio::time::Instant;

const LATENCY: Duration = Duration::from_millis(25);

/// The holds of an outage, in batches of this many holds.
fn overdue(holds: usize, per_batch: usize) -> World {
    let world = World::new(Vec::new());
    for number in 0..holds / per_batch {
        let held: Vec<Hold> = (0..per_batch)
            .map(|place| hold(&format!("{number}-{place}"), 60 + (number % 600) as i64))
            .collect();
        world.write_ledger(&batch("000000000001", number as u32 * 10, &held), &held);
    }
    world
}

/// Holds a second, of one sweep.
async fn rate(holds: usize, per_batch: usize) -> f64 {
    let world = overdue(holds, per_batch);
    world.faults.set_latency(LATENCY);
    let start = Instant::now();
    let report = sweep(&world, at(3_600)).await.unwrap();
    assert_eq!(report.settled.expired, holds);
    let rate = holds as f64 / start.elapsed().as_secs_f64();
    eprintln!("{holds} holds in batches of {per_batch}: {rate:.0} a second");
    rate
}

/// Guarantee 2 as docs/operating.md states it. A sweep takes new work for 45 seconds.
#[tokio::test(start_paused = true)]
async fn one_sweep_settles_the_holds_that_become_due_in_a_minute() {
    assert!(rate(30_000, 100).await >= 2_200.0);
    assert!(rate(30_000, 10).await >= 2_000.0);
    assert!(rate(15_000, 1).await >= 1_200.0);
}
