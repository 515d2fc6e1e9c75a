use std::time::Duration;

use jiff::Timestamp;
use tokio::time::Instant;

/// Simulated time: the runtime's own clock, which stands still while anything can run.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Clock {
    started: Instant,
    base: Timestamp,
}

impl Clock {
    pub(crate) fn start() -> Self {
        Self {
            started: Instant::now(),
            base: "2026-11-24T00:00:00Z".parse().unwrap(),
        }
    }

    pub(crate) fn elapsed(self) -> Duration {
        self.started.elapsed()
    }

    pub(crate) fn at(self, elapsed: Duration) -> Timestamp {
        self.base + elapsed
    }

    pub(crate) fn now(self) -> Timestamp {
        self.at(self.elapsed())
    }

    pub(crate) fn since_start(self, timestamp: Timestamp) -> Duration {
        Duration::try_from(timestamp.duration_since(self.base)).unwrap_or_default()
    }
}
