//! How long calls and statements take.

use std::time::Duration;

/// The 99th percentile of the standard normal distribution.
const NORMAL_P99: f64 = 2.326;

/// A log-normal distribution of durations.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Spread {
    median: Duration,
    sigma: f64,
}

impl Spread {
    fn new(median: Duration, p99: Duration) -> Self {
        let sigma = p99.div_duration_f64(median).ln() / NORMAL_P99;
        Self { median, sigma }
    }

    pub(crate) fn draw(self) -> Duration {
        self.median.mul_f64((self.sigma * normal()).exp())
    }

    fn slowed(self, slowness: u32) -> Self {
        Self {
            median: self.median * slowness,
            ..self
        }
    }
}

/// A standard normal number (Box and Muller).
fn normal() -> f64 {
    let radius = (-2.0 * (1.0 - fastrand::f64()).ln()).sqrt();
    radius * (std::f64::consts::TAU * fastrand::f64()).cos()
}

/// The latencies of one scenario.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Latencies {
    slowness: u32,
    /// One request of S3 or PutRecords.
    pub(crate) request: Spread,
    /// From the end of a statement, or the creation of an object, to the invocation.
    pub(crate) event: Spread,
    /// One call of the Data API.
    pub(crate) data_api: Duration,
    /// How often Lambda polls a shard.
    pub(crate) polling: Duration,
    /// Deciding on one transaction.
    pub(crate) judging: Duration,
}

/// The share of events that never arrive.
pub(crate) const LOST_EVENTS: f64 = 0.01;
/// How many slices of the warehouse share the files and rows of a COPY.
pub(crate) const SLICES: f64 = 16.0;
const COPY: f64 = 1.5;
pub(crate) const COPY_FILE: f64 = 0.020;
pub(crate) const COPY_ROW: f64 = 2e-6;
const EVIDENCE: f64 = 1.0;
const EVIDENCE_HOLD: f64 = 1e-3;

impl Latencies {
    pub(crate) fn slowed(slowness: u32) -> Self {
        let ms = Duration::from_millis;
        Self {
            slowness,
            request: Spread::new(ms(25), ms(200)).slowed(slowness),
            event: Spread::new(ms(1_000), ms(5_000)).slowed(slowness),
            data_api: ms(200) * slowness,
            polling: ms(1_000) * slowness,
            judging: Duration::from_micros(6) * slowness,
        }
    }

    pub(crate) fn copy(self, files: usize, rows: u64) -> Duration {
        let parallel = COPY_FILE * files as f64 + COPY_ROW * rows as f64;
        self.statement(COPY + parallel / SLICES)
    }

    pub(crate) fn evidence(self, holds: u64) -> Duration {
        self.statement(EVIDENCE + EVIDENCE_HOLD * holds as f64)
    }

    fn statement(self, seconds: f64) -> Duration {
        Duration::from_secs_f64(seconds) * self.slowness
    }
}
