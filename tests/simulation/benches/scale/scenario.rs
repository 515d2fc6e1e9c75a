//! Ten minutes at full rate.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant as RealTime};

use serde::Serialize;
use tokio::runtime::Builder;
use tokio::task::JoinHandle;
use tokio::time::sleep;

use crate::cost::Usage;
use crate::stack::Stack;
use crate::traffic::{Traffic, run_shard};

const SEED: u64 = 1;
const MINUTES: u64 = 10;
/// How long the last holds may take.
const DRAIN: Duration = Duration::from_secs(600);
const PER_SECOND: f64 = 1_000.0;
const PROGRESS: Duration = Duration::from_secs(30);

#[derive(Clone, Copy, Debug)]
pub(crate) struct Scenario {
    pub(crate) shards: u32,
    pub(crate) slowness: u32,
    pub(crate) evidence_lanes: u16,
    /// `StreamBatchingWindowSeconds`.
    pub(crate) window_seconds: u64,
    /// `SweepGraceSeconds`.
    pub(crate) grace_seconds: u32,
    pub(crate) minutes: u64,
}

#[derive(Clone, Copy, Debug, Serialize)]
pub(crate) struct HoldToFinal {
    pub(crate) p50: u32,
    pub(crate) p99: u32,
}

/// The figures of one scenario.
#[derive(Clone, Debug, Serialize)]
pub(crate) struct Simulation {
    pub(crate) shards: u32,
    pub(crate) slowness: u32,
    pub(crate) evidence_lanes: u16,
    pub(crate) window_seconds: u64,
    pub(crate) grace_seconds: u32,
    pub(crate) minutes: u64,
    pub(crate) submissions_per_second: f64,
    pub(crate) results_per_second: f64,
    pub(crate) s3_requests_per_batch: f64,
    pub(crate) hold_to_final_ms: HoldToFinal,
    pub(crate) late_finals: usize,
    pub(crate) largest_turn_objects: usize,
    pub(crate) largest_turn_holds: u64,
    pub(crate) usd_per_million: f64,
    pub(crate) held: usize,
    /// Settled at the deadline, without evidence.
    pub(crate) expired: usize,
    /// Without a final decision at the end.
    pub(crate) unsettled: usize,
    /// Calls of the Data API that a quota refused.
    pub(crate) throttled: u64,
    pub(crate) peak_submissions_per_second: usize,
    pub(crate) peak_results_per_second: usize,
    pub(crate) peak_waiting_writes_per_second: u64,
    pub(crate) longest_after_deadline_ms: u32,
    pub(crate) turns: [u64; 3],
    pub(crate) functions: Vec<FunctionFigures>,
    pub(crate) seconds_to_simulate: u64,
}

#[derive(Clone, Debug, Serialize)]
pub(crate) struct FunctionFigures {
    pub(crate) name: &'static str,
    pub(crate) invocations: u64,
    pub(crate) failures: u64,
    pub(crate) timeouts: u64,
    pub(crate) longest_ms: u64,
}

/// Runs a future in simulated time, with the same random numbers each time.
pub(crate) fn simulate<F: Future>(future: impl FnOnce() -> F) -> F::Output {
    fastrand::seed(SEED);
    let mut runtime = Builder::new_current_thread();
    let runtime = runtime.enable_time().start_paused(true).build().unwrap();
    runtime.block_on(async { future().await })
}

impl Scenario {
    pub(crate) const fn new(
        shards: u32,
        slowness: u32,
        evidence_lanes: u16,
        window_seconds: u64,
        grace_seconds: u32,
    ) -> Self {
        Self {
            shards,
            slowness,
            evidence_lanes,
            window_seconds,
            grace_seconds,
            minutes: MINUTES,
        }
    }

    /// `<shards>x<slowness>x<evidence lanes>x<window>x<grace>x<minutes>`, window and grace in
    /// seconds.
    pub(crate) fn parse(text: &str) -> Option<Self> {
        let numbers: Result<Vec<u16>, _> = text.split('x').map(str::parse).collect();
        let [shards, slowness, evidence_lanes, window, grace, minutes] = numbers.ok()?[..] else {
            return None;
        };
        Some(Self {
            shards: shards.into(),
            slowness: slowness.into(),
            evidence_lanes,
            window_seconds: window.into(),
            grace_seconds: grace.into(),
            minutes: minutes.into(),
        })
    }

    pub(crate) fn run(self) -> Simulation {
        simulate(|| self.traffic())
    }

    async fn traffic(self) -> Simulation {
        let began = RealTime::now();
        let traffic_time = Duration::from_secs(self.minutes * 60);
        let stack = Stack::deploy(self.slowness, self.evidence_lanes, self.grace_seconds);
        let stop = Arc::new(AtomicBool::new(false));
        let traffic = Traffic {
            per_second: PER_SECOND,
            window: Duration::from_secs(self.window_seconds),
            stop: Arc::clone(&stop),
        };
        let shards = start_shards(&stack, self.shards, &traffic);
        while stack.clock.elapsed() < traffic_time {
            sleep(PROGRESS).await;
            self.show_progress(&stack, began);
        }
        stop.store(true, Ordering::Relaxed);
        let quotas = stack.system.warehouse.quotas();
        let mut batches = 0;
        for shard in shards {
            batches += shard.await.unwrap();
        }
        while stack.holds.ended() < stack.holds.held()
            && stack.clock.elapsed() < traffic_time + DRAIN
        {
            sleep(PROGRESS / 10).await;
        }
        let endings = stack.holds.endings();
        let requests = stack.system.bucket.requests();
        let transactions = f64::from(self.shards) * PER_SECOND * traffic_time.as_secs_f64();
        let usage = Usage {
            transactions,
            functions: stack.functions(),
            requests,
            wake_ups: stack.wake_ups(),
            shard_hours: 2.0 * f64::from(self.shards) * traffic_time.as_secs_f64() / 3_600.0,
            put_units: transactions as u64 + stack.system.decisions.units(),
        };
        let turns = stack.system.warehouse.turns();
        Simulation {
            shards: self.shards,
            slowness: self.slowness,
            evidence_lanes: self.evidence_lanes,
            window_seconds: self.window_seconds,
            grace_seconds: self.grace_seconds,
            minutes: self.minutes,
            submissions_per_second: rounded(
                quotas.submissions() as f64 / traffic_time.as_secs_f64(),
            ),
            results_per_second: rounded(
                quotas.results.accepted as f64 / traffic_time.as_secs_f64(),
            ),
            s3_requests_per_batch: rounded(requests.all() as f64 / batches as f64),
            hold_to_final_ms: HoldToFinal {
                p50: endings.p50_ms,
                p99: endings.p99_ms,
            },
            late_finals: endings.late,
            largest_turn_objects: turns.largest_objects,
            largest_turn_holds: turns.largest_holds,
            usd_per_million: rounded(usage.usd_per_million()),
            held: endings.held,
            expired: endings.expired,
            unsettled: endings.open,
            throttled: stack.system.warehouse.quotas().throttled,
            peak_submissions_per_second: quotas.execute.peak.max(quotas.batch_execute.peak),
            peak_results_per_second: quotas.results.peak,
            peak_waiting_writes_per_second: stack.system.bucket.waiting_peak(),
            longest_after_deadline_ms: endings.longest_after_deadline_ms,
            turns: [turns.loads, turns.evidence, turns.outcomes],
            functions: stack.functions().map(FunctionFigures::of).into(),
            seconds_to_simulate: began.elapsed().as_secs(),
        }
    }

    fn show_progress(self, stack: &Stack, began: RealTime) {
        let requests = stack.system.bucket.requests();
        eprintln!(
            "{:>5} shards ×{}  {:>4} s simulated in {:>4} s  held {:>9}  final {:>9}  \
             waiting {:>6}  requests {:>9}",
            self.shards,
            self.slowness,
            stack.clock.elapsed().as_secs(),
            began.elapsed().as_secs(),
            stack.holds.held(),
            stack.holds.ended(),
            stack.system.bucket.count("waiting/transactions/"),
            requests.all(),
        );
    }
}

impl FunctionFigures {
    fn of(function: &crate::function::Function) -> Self {
        let used = function.used();
        Self {
            name: function.name,
            invocations: used.invocations,
            failures: used.failures,
            timeouts: used.timeouts,
            longest_ms: used.longest.as_millis() as u64,
        }
    }
}

pub(crate) fn start_shards(
    stack: &Arc<Stack>,
    shards: u32,
    traffic: &Traffic,
) -> Vec<JoinHandle<u64>> {
    let start = |number| tokio::spawn(run_shard(Arc::clone(stack), number, traffic.clone()));
    (0..shards).map(start).collect()
}

/// Rounded to three decimal places.
pub(crate) fn rounded(number: f64) -> f64 {
    (number * 1e3).round() / 1e3
}
