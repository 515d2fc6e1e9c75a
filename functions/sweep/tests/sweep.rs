//! Sweeps after lost events, with forgotten batches, and with holds at their deadline.

mod support;

use std::time::Duration;

use decision::{Action, Hold, SettledBy, keys};
use harness::holds::{World, at, batch, hold, row};
use harness::memory::Fault;
use support::{PASSES, SHORT, sweep, sweep_within};
use sweep::TimeLimit;
use turns::{BatchEntry, Lane, TurnId, TurnNumber, WaitingEntry};
use warehouse::{Row, Status};

/// Holds with a deadline after ten minutes.
fn holds(ids: &[&str]) -> Vec<Hold> {
    ids.iter().map(|id| hold(id, 600)).collect()
}

fn waiting_key(batch: &BatchEntry) -> String {
    WaitingEntry::Batch(batch.clone()).key()
}

/// A world with holds that were placed at `at(0)`.
fn world(rows: Vec<Row>) -> World {
    let world = World::new(rows);
    world.objects.set_time(at(0));
    world
}

fn turn(lane: Lane, number: u64) -> TurnId {
    TurnId {
        lane,
        number: TurnNumber(number),
    }
}

#[tokio::test]
async fn without_any_event_sweeps_alone_load_ask_and_settle() {
    let world = world(vec![row(0, "innocent"), row(1, "guilty")]);
    let held = holds(&["a", "b"]);
    world.place(&batch("000000000001", 10, &held), &held);
    sweep(&world, at(10)).await.unwrap();
    assert_eq!(
        world.warehouse.submitted().len(),
        1,
        "the load is submitted"
    );
    // Each lane's turn is left alone until it is a minute old.
    sweep(&world, at(20)).await.unwrap();
    assert_eq!(world.published().len(), 0);
    sweep(&world, at(80)).await.unwrap();
    sweep(&world, at(150)).await.unwrap();
    let published = world.published();
    assert_eq!(published["000000000000-495-a"].action, Action::Release);
    assert_eq!(published["000000000000-495-b"].action, Action::Block);
    assert_eq!(
        published["000000000000-495-b"].settled_by,
        Some(SettledBy::Sweep)
    );
    assert_eq!(world.objects.keys(keys::LEDGER), [""; 0]);
    // The outcomes are loaded by a turn that the sweep starts.
    sweep(&world, at(160)).await.unwrap();
    sweep(&world, at(230)).await.unwrap();
    assert_eq!(world.objects.keys("waiting/"), [""; 0]);
}

#[tokio::test]
async fn a_forgotten_batch_waits_again_when_a_quarter_of_its_time_has_passed() {
    let world = world(Vec::new());
    let held = holds(&["a"]);
    let batch = batch("000000000001", 10, &held);
    world.write_ledger(&batch, &held);
    let early = sweep(&world, at(100)).await.unwrap();
    assert_eq!(early.recovered, 0, "its time is ten minutes");
    let late = sweep(&world, at(151)).await.unwrap();
    assert_eq!(late.recovered, 1);
    let claim = turn(Lane::Transactions, 1).claim_key();
    let waits = world.objects.bytes(&waiting_key(&batch)).is_some();
    assert!(waits || world.objects.bytes(&claim).is_some());
}

#[tokio::test]
async fn a_batch_on_its_way_is_not_forgotten() {
    let world = world(Vec::new());
    let held = holds(&["a"]);
    world.place(&batch("000000000001", 10, &held), &held);
    world.warehouse.script([Status::Running, Status::Running]);
    sweep(&world, at(10)).await.unwrap();
    let report = sweep(&world, at(200)).await.unwrap();
    assert_eq!(report.recovered, 0, "its turn is not marked");
}

#[tokio::test]
async fn a_settled_batch_that_was_not_deleted_is_published_and_deleted() {
    let world = world(vec![row(0, "innocent")]);
    let held = holds(&["a"]);
    let batch = batch("000000000001", 10, &held);
    world.place(&batch, &held);
    for second in [1, 70, 140] {
        sweep(&world, at(second)).await.unwrap();
    }
    let before = world.published();
    assert_eq!(before.len(), 1);
    world.write_ledger(&batch, &held);
    let report = sweep(&world, at(400)).await.unwrap();
    assert_eq!(report.recovered, 0);
    assert_eq!(report.settled.deleted, 1);
    assert_eq!(world.published(), before);
}

#[tokio::test]
async fn each_hold_expires_at_its_own_deadline() {
    let world = world(Vec::new());
    let held = vec![hold("a", 60), hold("b", 300)];
    world.write_ledger(&batch("000000000001", 10, &held), &held);
    sweep(&world, at(59)).await.unwrap();
    assert_eq!(world.published().len(), 0);
    let report = sweep(&world, at(61)).await.unwrap();
    assert_eq!(report.settled.expired, 1);
    let published = world.published();
    assert_eq!(published["000000000000-495-a"].action, Action::Release);
    assert_eq!(world.objects.keys(keys::LEDGER).len(), 1, "b is still open");
    sweep(&world, at(301)).await.unwrap();
    assert_eq!(world.published().len(), 2);
    assert_eq!(world.objects.keys(keys::LEDGER), [""; 0]);
}

#[tokio::test]
async fn a_hold_whose_deadline_passes_during_a_sweep_expires_in_it() {
    let world = world(Vec::new());
    let held = vec![hold("a", 61), hold("b", 300)];
    world.write_ledger(&batch("000000000001", 10, &held), &held);
    sweep_within(&world, PASSES, at(60)).await.unwrap();
    let published = world.published();
    assert_eq!(published.len(), 1);
    assert!(published.contains_key("000000000000-495-a"));
}

#[tokio::test]
async fn a_warehouse_that_does_not_answer_delays_no_hold_at_its_deadline() {
    let world = world(Vec::new());
    let held = vec![hold("a", 60)];
    world.place(&batch("000000000001", 10, &held), &held);
    world.faults.add(Fault::on("submit").hang());
    let error = sweep_within(&world, SHORT, at(61)).await.unwrap_err();
    assert!(error.to_string().contains("failed"), "{error}");
    assert_eq!(world.published().len(), 1);
}

#[tokio::test]
async fn one_damaged_ledger_object_keeps_no_other_hold_open() {
    let world = world(Vec::new());
    for (number, id) in [(10, "a"), (20, "b"), (30, "c")] {
        let held = vec![hold(id, 60)];
        let key = world.write_ledger(&batch("000000000001", number, &held), &held);
        if id == "b" {
            world.objects.set(&key, "damaged");
        }
    }
    let error = sweep(&world, at(61)).await.unwrap_err();
    assert!(error.to_string().contains("1 part"), "{error}");
    assert_eq!(world.published().len(), 2);
    assert_eq!(world.objects.keys(keys::LEDGER).len(), 1, "it stays");
}

#[tokio::test]
async fn a_lane_that_stands_still_is_counted() {
    let world = world(Vec::new());
    let held = vec![hold("a", 6_000)];
    world.place(&batch("000000000001", 10, &held), &held);
    world.faults.add(Fault::on("put_new").name("turns/"));
    let _ = sweep(&world, at(60)).await.unwrap_err();
    world.faults.clear();
    world.warehouse.script([const { Status::Running }; 40]);
    let report = sweep(&world, at(1_200)).await.unwrap();
    assert_eq!(report.standing_still, 1);
}

#[tokio::test]
async fn old_turns_are_deleted_but_not_the_latest() {
    let world = world(Vec::new());
    for number in [10, 20, 30] {
        let held = vec![hold("a", 60)];
        world.place(&batch("000000000001", number, &held), &held);
        for second in [1, 70, 140] {
            let second = i64::from(number) * 1_000 + second;
            let _ = sweep(&world, at(second)).await;
        }
    }
    assert!(
        !world
            .objects
            .keys(&turn(Lane::Transactions, 1).prefix())
            .is_empty()
    );
    // The clean-up runs at minute 17 of an hour.
    let days_later = "2026-11-27T01:17:00Z".parse().unwrap();
    let report = sweep(&world, days_later).await.unwrap();
    assert!(report.deleted_turns > 0, "{report:?}");
    assert_eq!(
        world.objects.keys(&turn(Lane::Transactions, 1).prefix()),
        [""; 0]
    );
    let latest = world.objects.keys("turns/transactions/");
    assert!(
        !latest.is_empty(),
        "the next number follows the latest turn"
    );
}

/// Guarantee 2, at the size of an outage.
#[tokio::test]
async fn thousands_of_overdue_holds_are_each_settled_and_published_once() {
    const BATCHES: u32 = 2_000;
    const HOLDS: u32 = 100;
    let world = world(Vec::new());
    for number in 0..BATCHES {
        let held: Vec<Hold> = (0..HOLDS)
            .map(|place| hold(&format!("{number}-{place}"), i64::from(60 + number % 600)))
            .collect();
        world.write_ledger(&batch("000000000001", number * 10, &held), &held);
    }
    // The number of holds is tested here, not the speed of this machine: see expiry_rate.rs.
    let unlimited = TimeLimit {
        new_work: Duration::from_secs(3_600),
        end: Duration::from_secs(3_600),
        pass: None,
    };
    let report = sweep_within(&world, unlimited, at(3_600)).await.unwrap();
    assert_eq!(report.settled.expired, (BATCHES * HOLDS) as usize);
    assert_eq!(world.objects.keys(keys::LEDGER), [""; 0]);
    let outcomes = world.objects.keys(keys::OUTCOMES);
    assert_eq!(outcomes.len(), (BATCHES * HOLDS) as usize);
    let published = world.decisions.decisions();
    assert_eq!(published.len(), (BATCHES * HOLDS) as usize, "each once");
}
