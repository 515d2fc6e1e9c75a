use std::error::Error;
use std::process::ExitCode;

use retry::chain;
use tracing_subscriber::EnvFilter;

use crate::environment;

/// The body of a function's `main`: starts the log, then runs `run`. An error of `run` becomes one
/// line of the log.
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

/// Logs to standard output, one JSON object per line. `filter` has the syntax of `RUST_LOG`; the
/// default is `info`.
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
