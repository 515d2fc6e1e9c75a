//! The Redshift stand-in (`infra/redshift-data`) as a process.

use std::net::TcpStream;
use std::path::PathBuf;
use std::time::{Duration, Instant};

use crate::options::{Options, REGION};
use crate::processes::{self, command, last_lines, log_path};
use crate::service::Service;

/// Why the stand-in did not start.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    #[error("{0} does not exist; build it with `cargo build --release -p redshift-data`")]
    Missing(PathBuf),
    #[error(transparent)]
    Start(#[from] processes::Error),
    #[error(
        "its process ended or does not accept connections; the end of {log}:
{lines}"
    )]
    Silent { log: PathBuf, lines: String },
}

const NAME: &str = "redshift-data";

/// Starts the stand-in. It runs statements on the PostgreSQL at `postgres` (a connection string),
/// and sends completion events to the `LocalStack` at `aws` (a URL).
pub(crate) fn start(options: &Options, postgres: &str, aws: &str) -> Result<Service, Error> {
    let program = options.binaries.join(NAME);
    if !program.is_file() {
        return Err(Error::Missing(program));
    }
    let port = processes::free_port()?;
    let process = processes::start(
        command(&program, &options.state)
            .args([
                "--port",
                &port.to_string(),
                "--postgres",
                postgres,
                "--endpoint-url",
                aws,
            ])
            .env("AWS_REGION", REGION)
            .env("AWS_ACCESS_KEY_ID", "test")
            .env("AWS_SECRET_ACCESS_KEY", "test")
            .env("RUST_LOG", &options.log),
        &options.state,
        NAME,
    )?;
    let pid = process.id().cast_signed();
    let deadline = Instant::now() + options.patience;
    while TcpStream::connect(("127.0.0.1", port)).is_err() {
        if !processes::is_alive(pid) || Instant::now() > deadline {
            let log = log_path(&options.state, NAME);
            return Err(Error::Silent {
                lines: last_lines(&log),
                log,
            });
        }
        std::thread::sleep(Duration::from_millis(20));
    }
    Ok(Service {
        endpoint: format!("http://127.0.0.1:{port}"),
        pid: Some(pid),
    })
}
