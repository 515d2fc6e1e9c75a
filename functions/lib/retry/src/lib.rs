//! The only retry layer: the adapters of S3, Kinesis and the Data API turn the SDK's retries off and
//! use this one, so that no layer multiplies the calls of another.
//!
//! The SDK's own retries don't fit: they take a 409 of a conditional write and throttling that is
//! wrapped in a `ValidationException` for permanent errors, give `ActiveStatementsExceededException`
//! one try, and know nothing of a PutRecords answer of 200 that contains failed records.

use std::fmt::Display;
use std::time::{Duration, Instant};

use fastrand::Rng;
use tokio::time::sleep;

/// Tries of one call, the first included.
pub const MAX_TRIES: u32 = 7;

/// No try begins later than this after the first. It matters for an endpoint that hangs, where each
/// try takes as long as the client's timeout.
const MAX_ELAPSED: Duration = Duration::from_secs(60);
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

fn may_try_again(made: u32, elapsed: Duration) -> bool {
    made < MAX_TRIES && elapsed <= MAX_ELAPSED
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
        if !may_try_again(self.made, self.started.elapsed()) {
            return false;
        }
        sleep(pause(self.made - 1, &mut self.rng)).await;
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
    E: Transient + Display,
    F: Future<Output = Result<T, E>>,
{
    let mut tries = Tries::new();
    loop {
        let error = match call().await {
            Err(error) if error.is_transient() => error,
            done => return done,
        };
        tracing::warn!(operation, name = %name, tried = tries.made, error = %error, "call failed");
        if !tries.next().await {
            return Err(error);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[derive(Debug)]
    struct Failure {
        transient: bool,
    }

    impl Display for Failure {
        fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
            f.write_str("failure")
        }
    }

    impl Transient for Failure {
        fn is_transient(&self) -> bool {
            self.transient
        }
    }

    /// How often a call that always fails like this is made.
    async fn calls(transient: bool) -> u32 {
        let mut calls = 0;
        let result: Result<(), Failure> = retry("Call", "name", || {
            calls += 1;
            async move { Err(Failure { transient }) }
        })
        .await;
        result.unwrap_err();
        calls
    }

    #[tokio::test]
    async fn a_call_that_always_fails_is_made_seven_times() {
        assert_eq!(calls(true).await, MAX_TRIES);
    }

    #[tokio::test]
    async fn a_permanent_error_is_not_retried() {
        assert_eq!(calls(false).await, 1);
    }

    #[test]
    fn a_call_that_hangs_is_not_repeated_after_a_minute() {
        assert!(may_try_again(1, Duration::from_secs(40)));
        assert!(!may_try_again(2, Duration::from_secs(80)));
        assert!(!may_try_again(MAX_TRIES, Duration::ZERO));
    }

    #[tokio::test]
    async fn a_call_that_recovers_returns_its_value() {
        let mut calls = 0;
        let value = retry("Call", "name", || {
            calls += 1;
            let result = match calls {
                3 => Ok("value"),
                _ => Err(Failure { transient: true }),
            };
            async move { result }
        });
        assert_eq!(value.await.unwrap(), "value");
    }

    fn pauses(rng: &mut Rng) -> Vec<Duration> {
        (0..MAX_TRIES - 1)
            .map(|repetition| pause(repetition, rng))
            .collect()
    }

    #[test]
    fn two_rivals_pause_for_different_times() {
        let mut first = Tries::new();
        let mut second = Tries::new();
        assert_ne!(pauses(&mut first.rng), pauses(&mut second.rng));
    }

    #[test]
    fn the_limit_of_a_pause_doubles_up_to_3_seconds() {
        let limits_ms = [100, 200, 400, 800, 1_600, 3_000, 3_000];
        for (repetition, limit) in (0..).zip(limits_ms) {
            let mut rng = Rng::with_seed(7);
            let drawn = (0..1_000).map(|_| pause(repetition, &mut rng).as_millis());
            let longest = drawn.max().unwrap();
            assert!(
                (limit * 9 / 10..=limit).contains(&longest),
                "repetition {repetition}: {longest} ms"
            );
        }
        pause(u32::MAX, &mut Rng::new());
    }
}
