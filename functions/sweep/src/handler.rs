use std::time::Duration;

use confirm::Settler;
use jiff::tz::TimeZone;
use jiff::{SignedDuration, Timestamp};
use serde::de::IgnoredAny;
use startup::chain;
use store::{Objects, Stream};
use tokio::time::{Instant, sleep_until, timeout_at};
use turns::{Turns, Work};
use warehouse::Warehouse;

use crate::holds::Holds;
use crate::lanes::Lanes;
use crate::{Error, SweepReport};

/// The minute of an hour at which old turns are deleted.
const CLEAN_UP_MINUTE: i8 = 17;

/// Until the end of the next sweep: a hold with an earlier deadline needs this one.
const SOON: SignedDuration = SignedDuration::from_mins(2);

/// How long a sweep works. Sweeps start every minute, so that they rarely overlap; overlap is
/// harmless.
#[derive(Clone, Copy, Debug)]
pub struct TimeLimit {
    /// The sweep takes no new work after this time.
    pub new_work: Duration,
    /// The sweep ends after this time.
    pub end: Duration,
    /// While the deadlines of holds are less than two minutes away, the sweep makes a pass this
    /// often. `None` for one pass.
    pub pass: Option<Duration>,
}

impl TimeLimit {
    pub const DEFAULT: Self = Self {
        new_work: Duration::from_secs(45),
        end: Duration::from_secs(55),
        pass: Some(Duration::from_secs(10)),
    };
}

pub struct Handler<'a, O, D, W, K, B> {
    pub turns: Turns<'a, O, W, K>,
    pub settler: Settler<'a, O, D, B>,
    pub evidence_lanes: u16,
    pub time_limit: TimeLimit,
}

impl<O, D, W, K, B> Handler<'_, O, D, W, K, B>
where
    O: Objects,
    D: Stream,
    W: Warehouse,
    K: Work,
    B: confirm::Bundles,
{
    /// Makes one sweep. The event's content has no meaning: the work that is due is in the bucket.
    /// Fails at the end if a person should look at the result.
    pub async fn handle(&self, _event: IgnoredAny, now: Timestamp) -> Result<SweepReport, Error> {
        let clock = Clock {
            started: Instant::now(),
            now,
        };
        let end = clock.started + self.time_limit.end;
        let mut of_deadlines = SweepReport::default();
        let mut of_forgotten = SweepReport::default();
        let mut of_lanes = SweepReport::default();
        // Side by side: neither a warehouse that does not answer nor a long backlog delays a hold at
        // its deadline.
        let (deadlines, forgotten, lanes) = tokio::join!(
            timeout_at(end, self.sweep_deadlines(clock, &mut of_deadlines)),
            timeout_at(end, self.sweep_forgotten(clock, &mut of_forgotten)),
            timeout_at(end, self.sweep_lanes(clock, &mut of_lanes)),
        );
        let parts = [
            ("deadlines", deadlines),
            ("forgotten", forgotten),
            ("lanes", lanes),
        ];
        for (part, result) in parts {
            if result.is_err() {
                tracing::error!(
                    part,
                    "sweep ended at its time limit: the next sweep goes on"
                );
                of_lanes.failed += 1;
            }
        }
        let mut report = of_deadlines;
        report += of_forgotten;
        report += of_lanes;
        tracing::info!(
            counts = serde_json::to_string(&report).unwrap_or_default(),
            "sweep done"
        );
        report.checked()
    }

    /// Settles the holds whose deadlines pass while the sweep runs.
    async fn sweep_deadlines(&self, clock: Clock, report: &mut SweepReport) {
        let holds = self.holds(clock);
        holds.expire(clock.now, report).await;
        while let Some(now) = self.next_pass(&holds, clock).await {
            holds.expire(now, report).await;
        }
    }

    async fn sweep_forgotten(&self, clock: Clock, report: &mut SweepReport) {
        let holds = self.holds(clock);
        // INVARIANT: pending batches are read before the ledger. So a batch that ends in between
        // is missing in the ledger, not in `pending`.
        match self.turns.pending_batches(self.evidence_lanes).await {
            Ok(pending) => holds.recover(&pending, clock.now, report).await,
            Err(error) => {
                tracing::error!(
                    error = chain(&error),
                    "pending batches not listed: the next sweep looks for forgotten batches"
                );
                report.failed += 1;
            }
        }
    }

    async fn sweep_lanes(&self, clock: Clock, report: &mut SweepReport) {
        let lanes = Lanes {
            turns: &self.turns,
            evidence_lanes: self.evidence_lanes,
        };
        lanes.sweep(clock.now, report).await;
        if TimeZone::UTC.to_datetime(clock.now).minute() == CLEAN_UP_MINUTE {
            lanes.clean_up(clock.now, report).await;
        }
        // A lost event must not cost the holds of a lane their evidence.
        let holds = self.holds(clock);
        while let Some(now) = self.next_pass(&holds, clock).await {
            lanes.sweep(now, report).await;
        }
    }

    fn holds(&self, clock: Clock) -> Holds<'_, O, D, B> {
        Holds {
            objects: self.turns.objects,
            settler: &self.settler,
            began: clock.started,
            until: clock.started + self.time_limit.new_work,
        }
    }

    /// Waits for the next pass of this sweep and returns its time. `None` if the sweep takes no new
    /// work, or if the next sweep is early enough for every hold.
    async fn next_pass(&self, holds: &Holds<'_, O, D, B>, clock: Clock) -> Option<Timestamp> {
        let pause = self.time_limit.pass?;
        let next = Instant::now() + pause;
        let soon = clock.now.saturating_add(SOON).unwrap_or(Timestamp::MAX);
        if next >= holds.until || !holds.is_due_before(soon).await {
            return None;
        }
        sleep_until(next).await;
        Some(clock.at(Instant::now()))
    }
}

/// The time during a sweep.
#[derive(Clone, Copy)]
struct Clock {
    started: Instant,
    /// The time at the start.
    now: Timestamp,
}

impl Clock {
    fn at(self, instant: Instant) -> Timestamp {
        let time = instant.saturating_duration_since(self.started);
        self.now.saturating_add(time).unwrap_or(Timestamp::MAX)
    }
}
