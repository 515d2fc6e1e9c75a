//! The Redshift stand-in (tests/redshift-data) as a process.

use std::net::TcpStream;
use std::path::PathBuf;
use std::time::{Duration, Instant};

use crate::processes::{self, command, last_lines, log_path};
use crate::{Options, REGION, Service};

/// Why the stand-in is not there.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// Its program was not built.
    #[error("{0} is missing; build it with `cargo build --release -p redshift-data`")]
    Missing(PathBuf),
    /// Its process could not be started.
    #[error("cannot start it")]
    Start(#[from] processes::Error),
    /// It ended, or did not listen in time.
    #[error("it does not answer; the end of {log}:\n{lines}")]
    Silent { log: PathBuf, lines: String },
}

const NAME: &str = "redshift-data";

/// Starts it before PostgreSQL at `postgres`, with its events going to the `LocalStack` at `aws`.
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
