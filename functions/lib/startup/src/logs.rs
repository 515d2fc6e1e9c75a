use std::error::Error;
use std::fmt::Write;
use std::process::ExitCode;

use tracing_subscriber::EnvFilter;

use crate::environment;

/// A function's `main`: starts the log, then runs `run`; what keeps it from starting, or ends it, is
/// one line of the log.
pub async fn start(
    function: &str,
    run: impl Future<Output = Result<(), Box<dyn Error + Send + Sync>>>,
) -> ExitCode {
    start_logs(environment("RUST_LOG").as_deref());
    match run.await {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            tracing::error!(error = chain(error.as_ref()), "{function} can't start");
            ExitCode::FAILURE
        }
    }
}

/// One JSON object a line on standard output, filtered as `filter` says (as in `RUST_LOG`), by default
/// from `info` on.
fn start_logs(filter: Option<&str>) {
    let filter = filter
        .and_then(|filter| EnvFilter::try_new(filter).ok())
        .unwrap_or_else(|| EnvFilter::new("info"));
    let log = tracing_subscriber::fmt()
        .json()
        .flatten_event(true)
        .with_current_span(false)
        .with_span_list(false);
    let _ = log.with_env_filter(filter).try_init();
}

/// An error with its causes, in one line.
pub fn chain(error: &dyn Error) -> String {
    let mut line = error.to_string();
    let mut cause = error.source();
    while let Some(error) = cause {
        // INVARIANT: writing into a String cannot fail.
        let _ = write!(line, ": {error}");
        cause = error.source();
    }
    line
}

#[cfg(test)]
mod tests {
    use super::*;

    #[derive(Debug, thiserror::Error)]
    #[error("outer")]
    struct Outer(#[source] std::io::Error);

    #[test]
    fn a_chain_names_every_cause_once() {
        assert_eq!(
            chain(&Outer(std::io::Error::other("inner"))),
            "outer: inner"
        );
    }
}
