//! What became of each hold.

use std::sync::{Arc, Mutex, MutexGuard};
use std::time::Duration;

use jiff::Timestamp;

use crate::clock::Clock;

/// A hold that has no final decision yet.
const OPEN: u32 = u32::MAX;
/// The time between two sweeps.
pub(crate) const SWEEP_INTERVAL: Duration = Duration::from_secs(60);

/// Times in milliseconds since the start.
#[derive(Clone, Copy, Debug)]
pub(crate) struct HoldTimes {
    pub(crate) placed: u32,
    deadline: u32,
    ended: u32,
    expired: bool,
}

/// All holds in the order of their placing.
#[derive(Clone, Debug)]
pub(crate) struct Holds {
    clock: Clock,
    times: Arc<Mutex<Vec<HoldTimes>>>,
    /// How many have a final decision.
    ended: Arc<Mutex<usize>>,
}

/// How the holds of a scenario ended.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Endings {
    pub(crate) held: usize,
    /// Without a final decision.
    pub(crate) open: usize,
    pub(crate) p50_ms: u32,
    pub(crate) p99_ms: u32,
    /// Final more than one sweep interval after the deadline.
    pub(crate) late: usize,
    /// Settled at the deadline, without evidence.
    pub(crate) expired: usize,
    /// From the deadline to the final decision, for the worst hold.
    pub(crate) longest_after_deadline_ms: u32,
}

impl Holds {
    pub(crate) fn new(clock: Clock) -> Self {
        Self {
            clock,
            times: Arc::default(),
            ended: Arc::default(),
        }
    }

    pub(crate) fn times(&self) -> MutexGuard<'_, Vec<HoldTimes>> {
        self.times.lock().unwrap()
    }

    pub(crate) fn held(&self) -> usize {
        self.times().len()
    }

    pub(crate) fn ended(&self) -> usize {
        *self.ended.lock().unwrap()
    }

    /// Adds a hold that is placed now. Returns its index.
    pub(crate) fn place(&self, deadline: Timestamp) -> usize {
        let mut times = self.times();
        times.push(HoldTimes {
            placed: self.clock.elapsed().as_millis() as u32,
            deadline: self.clock.since_start(deadline).as_millis() as u32,
            ended: OPEN,
            expired: false,
        });
        times.len() - 1
    }

    /// The final decision of a hold was published. The first publication counts.
    pub(crate) fn end(&self, index: usize, expired: bool) {
        let mut times = self.times();
        let hold = &mut times[index];
        if hold.ended == OPEN {
            hold.ended = self.clock.elapsed().as_millis() as u32;
            hold.expired = expired;
            *self.ended.lock().unwrap() += 1;
        }
    }

    pub(crate) fn endings(&self) -> Endings {
        Endings::of(&self.times())
    }
}

impl Endings {
    pub(crate) fn of(times: &[HoldTimes]) -> Self {
        let interval = SWEEP_INTERVAL.as_millis() as u32;
        let mut endings = Self {
            held: times.len(),
            ..Self::default()
        };
        let mut took = Vec::with_capacity(times.len());
        for hold in times {
            if hold.ended == OPEN {
                endings.open += 1;
                continue;
            }
            let after = hold.ended.saturating_sub(hold.deadline);
            endings.late += usize::from(after > interval);
            endings.expired += usize::from(hold.expired);
            endings.longest_after_deadline_ms = endings.longest_after_deadline_ms.max(after);
            took.push(hold.ended - hold.placed);
        }
        took.sort_unstable();
        endings.p50_ms = percentile(&took, 50);
        endings.p99_ms = percentile(&took, 99);
        endings
    }
}

fn percentile(sorted: &[u32], percent: usize) -> u32 {
    let place = sorted.len() * percent / 100;
    let last = sorted.len().saturating_sub(1);
    sorted.get(place.min(last)).copied().unwrap_or_default()
}
