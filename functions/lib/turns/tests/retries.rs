//! Attempts after failures, and turns that their events left alone.

#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

mod support;

use std::sync::atomic::{AtomicU32, Ordering};
use std::time::Duration;

use harness::memory;
use support::{at, batch, put, settings};
use turns::{Lane, Progress, Started, Starter};

/// A warehouse whose first statements fail because it is busy.
fn busy_for(statements: u32) -> memory::Warehouse {
    let left = AtomicU32::new(statements);
    let answer = move |_: &str, _: &[(String, String)]| {
        let busy = left.fetch_update(Ordering::Relaxed, Ordering::Relaxed, |left| {
            left.checked_sub(1)
        });
        match busy {
            Ok(_) => Err("connection lost".to_owned()),
            Err(_) => Ok(Vec::new()),
        }
    };
    memory::Warehouse::new().answering(answer)
}

#[tokio::test]
async fn attempts_are_spread_over_the_time_to_the_earliest_deadline() {
    let objects = memory::Objects::new();
    let (warehouse, settings) = (busy_for(u32::MAX), settings(1));
    let turns = support::turns(&objects, &warehouse, &settings);
    let due = at(1_260);
    let mut now = at(1_200);
    objects.set_time(now);
    put(&objects, batch("a", 1, 1)).await;
    let started = turns.start(Lane::Transactions, Starter::Event, now).await;
    assert!(matches!(started, Ok(Started::Claimed(_))), "{started:?}");
    let mut pauses = Vec::new();
    while now < due {
        objects.set_time(now);
        let progress = turns.advance(Lane::Transactions, now).await.unwrap();
        let Progress::RetryAt(next) = progress else {
            panic!("the warehouse is busy: {progress:?}");
        };
        pauses.push(next.duration_since(now).as_secs_f64());
        now = next;
    }
    let (first, longest) = (pauses[0], pauses.iter().copied().fold(0.0, f64::max));
    assert!((0.5..=1.0).contains(&first), "{pauses:?}");
    assert!(longest <= 60.0 / 8.0, "{pauses:?}");
    assert!((10..=40).contains(&pauses.len()), "{pauses:?}");
}

#[tokio::test(start_paused = true)]
async fn a_pause_that_fits_the_time_left_is_waited_for() {
    let objects = memory::Objects::new();
    objects.set_time(at(1_200));
    let (warehouse, settings) = (busy_for(1), settings(1));
    let turns = support::turns(&objects, &warehouse, &settings);
    put(&objects, batch("a", 1, 1)).await;
    let lane = Lane::Transactions;
    turns.start(lane, Starter::Event, at(1_200)).await.unwrap();
    let hurried = turns.advance_within(lane, at(1_200), Duration::from_secs(15));
    let hurried = hurried.await.unwrap();
    assert!(matches!(hurried, Progress::RetryAt(_)), "{hurried:?}");
    let patient = turns.advance_within(lane, at(1_200), Duration::from_secs(60));
    assert_eq!(patient.await.unwrap(), Progress::Ended);
}

#[tokio::test]
async fn a_turn_is_overdue_when_its_newest_object_has_the_grace_age() {
    let objects = memory::Objects::new();
    objects.set_time(at(1_200));
    let (warehouse, settings) = (memory::Warehouse::new(), settings(1));
    let turns = support::turns(&objects, &warehouse, &settings);
    let lane = Lane::Transactions;
    put(&objects, batch("a", 1, 1)).await;
    turns.start(lane, Starter::Event, at(1_200)).await.unwrap();
    assert_eq!(turns.advance_overdue(lane, at(1_259)).await.unwrap(), None);
    let overdue = turns.advance_overdue(lane, at(1_260)).await.unwrap();
    assert_eq!(overdue, Some(Progress::Ended));
    assert_eq!(turns.advance_overdue(lane, at(1_400)).await.unwrap(), None);
}
