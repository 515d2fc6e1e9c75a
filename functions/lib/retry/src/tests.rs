use std::io;
use std::sync::{Arc, Mutex};

use aws_credential_types::provider::error::CredentialsError;
use tracing::subscriber::set_default;

use super::*;

#[derive(Debug, thiserror::Error)]
#[error("failure")]
struct Failure {
    transient: bool,
    source: io::Error,
}

impl Failure {
    fn new(transient: bool) -> Self {
        Self {
            transient,
            source: io::Error::other("connection reset"),
        }
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
        async move { Err(Failure::new(transient)) }
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
fn no_try_begins_later_than_15_seconds_after_the_first() {
    assert!(may_try_again(1, Duration::from_secs(15)));
    assert!(!may_try_again(1, Duration::from_millis(15_001)));
    assert!(!may_try_again(MAX_TRIES, Duration::ZERO));
}

#[tokio::test]
async fn a_call_that_recovers_returns_its_value() {
    let mut calls = 0;
    let value = retry("Call", "name", || {
        calls += 1;
        let result = match calls {
            3 => Ok("value"),
            _ => Err(Failure::new(true)),
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

#[tokio::test]
async fn the_pause_counts_into_the_15_seconds() {
    let mut tries = Tries::new();
    // The pause before the second try is at most 100 ms, and some pauses are longer than 1 ms.
    let elapsed = MAX_ELAPSED.saturating_sub(Duration::from_micros(1));
    tries.started = Instant::now().checked_sub(elapsed).unwrap();
    tries.rng = Rng::with_seed(7);
    assert!(pause(0, &mut Rng::with_seed(7)) > Duration::from_millis(1));
    assert!(!tries.next().await);
}

#[test]
fn a_chain_names_each_source_once() {
    assert_eq!(chain(&Failure::new(true)), "failure: connection reset");
}

#[test]
fn missing_and_wrong_credentials_are_found_among_the_sources() {
    #[derive(Debug, thiserror::Error)]
    #[error("no connection")]
    struct Wrapper(#[source] CredentialsError);
    let wrapped = |error| lacks_credentials(&Wrapper(error));
    assert!(wrapped(CredentialsError::not_loaded("no provider has any")));
    assert!(wrapped(CredentialsError::invalid_configuration(
        "no profile"
    )));
    assert!(!wrapped(CredentialsError::provider_timed_out(
        Duration::ZERO
    )));
    assert!(!lacks_credentials(&Failure::new(true)));
}

/// The text of a log.
#[derive(Clone, Default)]
struct Log(Arc<Mutex<Vec<u8>>>);

impl io::Write for Log {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0.lock().unwrap().write(bytes)
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

#[tokio::test]
async fn the_warning_about_a_failed_call_names_all_sources_of_its_error() {
    let log = Log::default();
    let writer = log.clone();
    let subscriber = tracing_subscriber::fmt().with_writer(move || writer.clone());
    let guard = set_default(subscriber.finish());
    assert_eq!(calls(true).await, MAX_TRIES);
    drop(guard);
    let text = String::from_utf8(log.0.lock().unwrap().clone()).unwrap();
    assert!(text.contains("failure: connection reset"), "{text}");
}
