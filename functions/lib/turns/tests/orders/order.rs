//! One order of side effects, chosen by a seed.

use std::fmt::Write as _;

use harness::processes::Processes;
use jiff::{SignedDuration, Timestamp};
use turns::{Lane, Plan, Starter, WaitingEntry};
use warehouse::Status;

use crate::world::{Batch, World};

/// What may go wrong in an order, and how often.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Budget {
    pub(crate) crashes: u32,
    pub(crate) stalls: u32,
    pub(crate) lost_wake_ups: u32,
    pub(crate) doubled_wake_ups: u32,
    /// Statements that fail for a transient reason.
    pub(crate) failures: u32,
    pub(crate) bad_object: Option<BadObject>,
    /// One hold makes every evidence statement about it fail.
    pub(crate) bad_hold: bool,
    /// The two batches of the first shard come again as one.
    pub(crate) redelivery: bool,
    /// Deadlines may pass while processes run.
    pub(crate) expiry: bool,
}

/// An object that COPY can't read at all.
#[derive(Clone, Copy, Debug)]
pub(crate) struct BadObject {
    /// Whether the error names the object.
    pub(crate) is_named: bool,
}

/// How many sweeps must be enough to finish everything once nothing goes wrong any more.
const LAST_SWEEPS: usize = 60;
/// How many steps an order takes while things go wrong.
const STEPS: usize = 400;

pub(crate) struct Order {
    world: World,
    batches: Vec<Batch>,
    random: fastrand::Rng,
    budget: Budget,
    story: String,
    now: Timestamp,
}

impl Order {
    pub(crate) fn new(seed: u64, budget: Budget) -> Self {
        let mut batches = vec![
            Batch::new("a", 1, 2, &["t0", "t1", "t2"]),
            Batch::new("a", 3, 4, &["t3"]),
            Batch::new("b", 1, 2, &["t4", "t0"]),
            Batch::new("b", 3, 4, &[]),
        ];
        if budget.redelivery {
            batches.push(Batch::new("a", 1, 4, &["t0", "t1", "t2", "t3"]));
        }
        let now = Timestamp::UNIX_EPOCH;
        Self {
            world: World::new(),
            batches,
            random: fastrand::Rng::with_seed(seed),
            budget,
            story: String::new(),
            now,
        }
    }

    /// Runs the order; the story of what happened where a guarantee broke.
    pub(crate) fn run(self) -> Result<(), String> {
        let Self {
            world,
            batches,
            mut random,
            mut budget,
            mut story,
            mut now,
        } = self;
        let (world, batches) = (&world, &batches[..]);
        let mut processes = Processes::default();
        for shard in ["a", "b"] {
            processes.spawn(async move {
                for batch in batches.iter().filter(|batch| batch.entry.shard == shard) {
                    world.score(batch).await;
                }
            });
        }
        for step in 0..STEPS {
            let alive = processes.running();
            match random.u32(0..100) {
                0..70 if alive > 0 => processes.step(random.usize(0..alive)),
                70..73 if alive > 0 && budget.crashes > 0 => {
                    budget.crashes -= 1;
                    processes.kill(random.usize(0..alive));
                    let _ = writeln!(story, "{step}: a process is killed");
                }
                73..75 if alive > 0 && budget.stalls > 0 => {
                    budget.stalls -= 1;
                    processes.stall(random.usize(0..alive));
                    let _ = writeln!(story, "{step}: a process stalls");
                }
                75..77 if processes.stalled() > 0 => {
                    let _ = writeln!(story, "{step}: a zombie wakes");
                    processes.wake(random.usize(0..processes.stalled()));
                }
                77..84 => end_statement(
                    world,
                    &mut random,
                    &mut budget,
                    &mut story,
                    &mut processes,
                    now,
                ),
                84..92 => wake(world, &mut random, &mut budget, &mut processes, now),
                92..95 => {
                    let expires = budget.expiry && random.u32(0..4) == 0;
                    let _ = writeln!(story, "{step}: a sweep starts, expires: {expires}");
                    processes.spawn(sweep(world, batches, now, expires));
                }
                95..97 => {
                    now += SignedDuration::from_secs(20);
                    world.objects.set_time(now);
                }
                _ => {}
            }
            check(world, batches);
            if let Some(violation) = world.violations.lock().unwrap().first() {
                return Err(format!("{story}{step}: {violation}"));
            }
        }
        let end = finish(world, batches, &mut processes, budget, &mut now);
        end.map_err(|why| format!("{story}{why}"))?;
        let violations = world.violations.lock().unwrap();
        violations
            .first()
            .map_or(Ok(()), |violation| Err(format!("{story}{violation}")))
    }
}

/// One running statement ends, and its completion event wakes its lane.
fn end_statement<'w>(
    world: &'w World,
    random: &mut fastrand::Rng,
    budget: &mut Budget,
    story: &mut String,
    processes: &mut Processes<'w>,
    now: Timestamp,
) {
    let running = world.warehouse.running();
    let Some(&index) = running.get(random.usize(0..running.len().max(1))) else {
        return;
    };
    let status = if budget.failures > 0 && random.bool() {
        budget.failures -= 1;
        Status::Failed {
            error: "connection reset".to_owned(),
        }
    } else {
        outcome(world, budget, index)
    };
    let name = world.warehouse.statement(index).name;
    let _ = writeln!(story, "{name} ends: {status:?}");
    world.warehouse.end(index, status);
    let lane = Lane::from_name(name.split('/').nth(1).unwrap()).unwrap();
    if budget.lost_wake_ups > 0 && random.bool() {
        budget.lost_wake_ups -= 1;
        return;
    }
    processes.spawn(advance(world, lane, now));
}

/// How a statement ends, and its effect.
fn outcome(world: &World, budget: &Budget, index: usize) -> Status {
    let statement = world.warehouse.statement(index);
    let plan: Plan = serde_json::from_str(&statement.sqls[0]).unwrap();
    let objects: Vec<&String> = statement.parameters.iter().map(|(_, key)| key).collect();
    if let Plan::Load { .. } = plan {
        let bad = Batch::new("a", 3, 4, &[]).object_key();
        if let Some(BadObject { is_named }) = budget.bad_object
            && objects.contains(&&bad)
        {
            let name = if is_named { bad.as_str() } else { "an object" };
            return Status::Failed {
                error: format!("stl_load_errors: {name} is not in gzip format"),
            };
        }
        world
            .loaded
            .lock()
            .unwrap()
            .extend(objects.into_iter().cloned());
        return Status::Finished;
    }
    let Some(WaitingEntry::Evidence(entry)) = WaitingEntry::parse(objects[0]) else {
        panic!("an evidence statement is about an evidence entry");
    };
    if budget.bad_hold && entry.turn.0 == 1 && (entry.from..entry.to).contains(&1) {
        return Status::Failed {
            error: "Numeric data overflow".to_owned(),
        };
    }
    Status::Finished
}

/// A wake-up is delivered, lost or delivered twice.
fn wake<'w>(
    world: &'w World,
    random: &mut fastrand::Rng,
    budget: &mut Budget,
    processes: &mut Processes<'w>,
    now: Timestamp,
) {
    let mut notifications = world.notifications.lock().unwrap();
    if notifications.is_empty() {
        return;
    }
    let index = random.usize(0..notifications.len());
    let lane = notifications.swap_remove(index);
    drop(notifications);
    if budget.lost_wake_ups > 0 && random.bool() {
        budget.lost_wake_ups -= 1;
        return;
    }
    processes.spawn(start(world, lane, now));
    if budget.doubled_wake_ups > 0 && random.bool() {
        budget.doubled_wake_ups -= 1;
        processes.spawn(start(world, lane, now));
    }
}

async fn start(world: &World, lane: Lane, now: Timestamp) {
    let _ = world
        .turns()
        .start(lane, Starter::Event, now)
        .await
        .unwrap();
}

async fn advance(world: &World, lane: Lane, now: Timestamp) {
    let _ = world.turns().advance(lane, now).await.unwrap();
}

async fn sweep(world: &World, batches: &[Batch], now: Timestamp, expires: bool) {
    for lane in World::lanes() {
        advance(world, lane, now).await;
        start(world, lane, now).await;
    }
    for batch in batches {
        world.forgotten(batch).await;
        if expires {
            world.expire(batch).await;
        }
    }
}

/// What must hold after every step.
fn check(world: &World, batches: &[Batch]) {
    for lane in World::lanes() {
        if world.warehouse.running_with(&format!("s/{lane}/")) > 1 {
            world.violation(format!("two statements of {lane} run at a time"));
        }
    }
    let loaded = world.loaded.lock().unwrap();
    for batch in batches {
        // A batch that was written and does not wait is loaded, or in quarantine.
        let object = batch.object_key();
        let quarantined = || {
            world
                .objects
                .bytes(&format!("quarantine/{object}"))
                .is_some()
        };
        let waits = world.objects.bytes(&batch.waiting_key()).is_some();
        let was_waiting = world.waited(batch, waits);
        if was_waiting && !waits && !loaded.contains(&object) && !quarantined() {
            world.violation(format!("{object} waits no longer, but is not loaded"));
        }
        // A ledger object is deleted only after all its holds were published.
        let ledger = batch.ledger_key();
        let published = world.is_published(&ledger, batch.holds.len());
        let gone = world.objects.bytes(&ledger).is_none() && was_waiting;
        if !batch.holds.is_empty() && gone && !published {
            world.violation(format!(
                "{ledger} is deleted, but not all its holds are published"
            ));
        }
    }
}

fn left_over(world: &World) -> Vec<String> {
    let prefixes = ["waiting/", "holds/"];
    prefixes.map(|prefix| world.objects.keys(prefix)).concat()
}

/// No new fault is injected, but bad objects stay bad. Records are delivered again, sweeps run,
/// statements end, and everything must be finished.
fn finish<'w>(
    world: &'w World,
    batches: &'w [Batch],
    processes: &mut Processes<'w>,
    budget: Budget,
    now: &mut Timestamp,
) -> Result<(), String> {
    while processes.stalled() > 0 {
        processes.wake(0);
    }
    for batch in batches {
        processes.spawn(world.score(batch));
    }
    for _ in 0..LAST_SWEEPS {
        while processes.running() > 0 {
            processes.step(0);
            check(world, batches);
        }
        for index in world.warehouse.running() {
            let status = outcome(world, &budget, index);
            world.warehouse.end(index, status);
        }
        if left_over(world).is_empty() {
            break;
        }
        *now += SignedDuration::from_mins(10);
        world.objects.set_time(*now);
        processes.spawn(sweep(world, batches, *now, false));
    }
    let left = left_over(world);
    if !left.is_empty() {
        return Err(format!("left over after {LAST_SWEEPS} sweeps: {left:?}"));
    }
    for batch in batches {
        if !world.is_published(&batch.ledger_key(), batch.holds.len()) && !batch.holds.is_empty() {
            return Err(format!("{}: not all published", batch.ledger_key()));
        }
    }
    Ok(())
}
