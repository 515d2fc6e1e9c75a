//! The warehouse is down for an hour, at a tenth of the rate.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant as RealTime};

use serde::Serialize;
use tokio::time::sleep;

use crate::holds::Endings;
use crate::scenario::{HoldToFinal, rounded, simulate, start_shards};
use crate::stack::Stack;
use crate::traffic::Traffic;

const SHARDS: u32 = 100;
const PER_SECOND: f64 = 100.0;
const EVIDENCE_LANES: u16 = 4;
const GRACE_SECONDS: u32 = 15;
/// Normal traffic before the outage. The first minute is not measured.
const BEFORE: Duration = Duration::from_secs(360);
const FIRST_MINUTE: Duration = Duration::from_secs(60);
const OUTAGE: Duration = Duration::from_secs(3_600);
/// Back to normal: the 99th percentile of a minute's holds is at most this many times what it was.
const NORMAL: f64 = 1.5;
const STEP: Duration = Duration::from_secs(10);
const MINUTE: Duration = Duration::from_secs(60);
/// By then, a hold has its final decision.
const SETTLED_AFTER: Duration = Duration::from_secs(130);
const GIVE_UP: Duration = Duration::from_secs(4 * 3_600);

#[derive(Clone, Debug, Serialize)]
pub(crate) struct Outage {
    pub(crate) held: usize,
    pub(crate) late_finals: usize,
    /// `None` if not within four hours.
    pub(crate) recovered_after_s: Option<u64>,
    pub(crate) expired: usize,
    pub(crate) unsettled: usize,
    pub(crate) longest_after_deadline_ms: u32,
    pub(crate) normal_hold_to_final_ms: HoldToFinal,
    pub(crate) throttled: u64,
    pub(crate) sweep_timeouts: u64,
    pub(crate) longest_sweep_s: f64,
    pub(crate) seconds_to_simulate: u64,
}

pub(crate) fn run() -> Outage {
    simulate(outage)
}

async fn outage() -> Outage {
    let began = RealTime::now();
    let stack = Stack::deploy(1, EVIDENCE_LANES, GRACE_SECONDS);
    let stop = Arc::new(AtomicBool::new(false));
    let traffic = Traffic {
        per_second: PER_SECOND,
        window: Duration::ZERO,
        stop: Arc::clone(&stop),
    };
    let shards = start_shards(&stack, SHARDS, &traffic);
    sleep(BEFORE).await;
    let normal = placed_between(&stack, FIRST_MINUTE, BEFORE.saturating_sub(SETTLED_AFTER));
    show_progress(&stack, began, "warehouse goes down");
    stack.system.warehouse.go_down();
    for _ in 0..12 {
        sleep(OUTAGE / 12).await;
        show_progress(&stack, began, "warehouse is down");
    }
    stack.system.warehouse.come_back();
    let recovered = recovery(&stack, normal, began).await;
    stop.store(true, Ordering::Relaxed);
    for shard in shards {
        shard.await.unwrap();
    }
    let end = stack.clock.elapsed() + SETTLED_AFTER * 2;
    while stack.holds.ended() < stack.holds.held() && stack.clock.elapsed() < end {
        sleep(STEP).await;
    }
    let endings = stack.holds.endings();
    let sweep = stack.sweep.used();
    Outage {
        held: endings.held,
        late_finals: endings.late,
        recovered_after_s: recovered.map(|after| after.as_secs()),
        expired: endings.expired,
        unsettled: endings.open,
        longest_after_deadline_ms: endings.longest_after_deadline_ms,
        normal_hold_to_final_ms: HoldToFinal {
            p50: normal.p50_ms,
            p99: normal.p99_ms,
        },
        throttled: stack.system.warehouse.quotas().throttled,
        sweep_timeouts: sweep.timeouts,
        longest_sweep_s: rounded(sweep.longest.as_secs_f64()),
        seconds_to_simulate: began.elapsed().as_secs(),
    }
}

/// How long after the outage holds are placed that end as quickly as before.
async fn recovery(stack: &Stack, normal: Endings, began: RealTime) -> Option<Duration> {
    let back = stack.clock.elapsed();
    let limit = f64::from(normal.p99_ms) * NORMAL;
    let mut steps = 0;
    loop {
        sleep(STEP).await;
        steps += 1;
        if steps % 30 == 0 {
            show_progress(stack, began, "warehouse is back");
        }
        let now = stack.clock.elapsed();
        let from = now.saturating_sub(SETTLED_AFTER).max(back);
        if from + SETTLED_AFTER > now {
            continue;
        }
        let minute = placed_between(stack, from, from + MINUTE);
        if minute.open == 0 && f64::from(minute.p99_ms) <= limit {
            return Some(from.saturating_sub(back));
        }
        if now.saturating_sub(back) > GIVE_UP {
            return None;
        }
    }
}

fn placed_between(stack: &Stack, from: Duration, to: Duration) -> Endings {
    let times = stack.holds.times();
    let until = |time: Duration| {
        let millisecond = time.as_millis() as u32;
        times.partition_point(|hold| hold.placed < millisecond)
    };
    Endings::of(&times[until(from)..until(to)])
}

fn show_progress(stack: &Stack, began: RealTime, state: &str) {
    eprintln!(
        "outage  {:>5} s simulated in {:>4} s  held {:>8}  final {:>8}  waiting {:>7}  {state}",
        stack.clock.elapsed().as_secs(),
        began.elapsed().as_secs(),
        stack.holds.held(),
        stack.holds.ended(),
        stack.system.bucket.count("waiting/transactions/"),
    );
}
