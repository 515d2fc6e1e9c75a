//! The only retry layer: the adapters of S3, Kinesis and the Data API turn the SDK's retries off and
//! use this one, so that no layer multiplies the calls of another.
//!
//! The SDK's own retries don't fit: they take a 409 of a conditional write and throttling that is
//! wrapped in a `ValidationException` for permanent errors, give `ActiveStatementsExceededException`
//! one try, and know nothing of a PutRecords answer of 200 that contains failed records.

mod chain;
mod permanent;

use std::error::Error;
use std::fmt::Display;
use std::time::{Duration, Instant};

use fastrand::Rng;
use tokio::time::sleep;

pub use chain::chain;
pub use permanent::{lacks_credentials, refuses_caller};

/// Tries of one call, the first included.
pub const MAX_TRIES: u32 = 7;

/// No try begins later than this after the first one, its pause included. It matters for an endpoint
/// that hangs: each try takes up to the client's timeout of 40 s, and a function runs for a minute
/// or a few.
const MAX_ELAPSED: Duration = Duration::from_secs(15);
const FIRST_PAUSE: Duration = Duration::from_millis(100);
const LONGEST_PAUSE: Duration = Duration::from_secs(3);

/// The only question that a retry asks of an error.
pub trait Transient {
    /// Whether the same call may succeed later.
    fn is_transient(&self) -> bool;
}

/// A random pause of up to 100 ms before the first repetition (`repetition` 0), with a limit that
/// doubles up to 3 s ("full jitter", AWS Architecture Blog, 2015): functions that failed together
/// don't come back together.
pub fn pause(repetition: u32, rng: &mut Rng) -> Duration {
    let limit = FIRST_PAUSE * 2_u32.pow(repetition.min(10));
    limit.min(LONGEST_PAUSE).mul_f64(rng.f64())
}

/// `until_next` is the time from the start of the first try to the start of the next one.
fn may_try_again(made: u32, until_next: Duration) -> bool {
    made < MAX_TRIES && until_next <= MAX_ELAPSED
}

/// The tries of one call, for callers whose repetition differs from their first try.
#[derive(Debug)]
pub struct Tries {
    made: u32,
    started: Instant,
    rng: Rng,
}

impl Default for Tries {
    fn default() -> Self {
        Self::new()
    }
}

impl Tries {
    pub fn new() -> Self {
        Self {
            made: 1,
            started: Instant::now(),
            rng: Rng::new(),
        }
    }

    /// Waits before the next try; `false` if there must be none.
    pub async fn next(&mut self) -> bool {
        let pause = pause(self.made - 1, &mut self.rng);
        if !may_try_again(self.made, self.started.elapsed() + pause) {
            return false;
        }
        sleep(pause).await;
        self.made += 1;
        true
    }
}

/// Calls `call` until it succeeds, fails with a permanent error or has failed [`MAX_TRIES`] times.
/// Returns the last error. `operation` and `name` are for the log.
pub async fn retry<T, E, F>(
    operation: &str,
    name: impl Display,
    mut call: impl FnMut() -> F,
) -> Result<T, E>
where
    E: Transient + Error + 'static,
    F: Future<Output = Result<T, E>>,
{
    let mut tries = Tries::new();
    loop {
        let error = match call().await {
            Err(error) if error.is_transient() => error,
            done => return done,
        };
        tracing::warn!(
            operation,
            name = %name,
            tried = tries.made,
            error = chain(&error),
            "call failed"
        );
        if !tries.next().await {
            return Err(error);
        }
    }
}

#[cfg(test)]
mod tests;
