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

/// What the stand-in is connected to.
#[derive(Clone, Copy)]
pub(crate) struct Peers<'a> {
    /// The connection string of the PostgreSQL that runs its statements.
    pub(crate) postgres: &'a str,
    /// The URL of the `LocalStack` that gets its completion events.
    pub(crate) aws: &'a str,
}

/// Starts the stand-in on a free port.
pub(crate) fn start(options: &Options, peers: Peers<'_>) -> Result<Service, Error> {
    serve(options, peers, processes::free_port()?)
}

/// Starts the stand-in again on the port of `service`, which has ended. It knows no earlier
/// statement.
pub(crate) fn start_again(
    options: &Options,
    peers: Peers<'_>,
    service: &Service,
) -> Result<Service, Error> {
    let port = service.endpoint.rsplit(':').next();
    let port = port.and_then(|port| port.parse().ok()).unwrap_or_default();
    serve(options, peers, port)
}

fn serve(options: &Options, peers: Peers<'_>, port: u16) -> Result<Service, Error> {
    let program = options.binaries.join(NAME);
    if !program.is_file() {
        return Err(Error::Missing(program));
    }
    let process = processes::start(
        command(&program, &options.state)
            .args([
                "--port",
                &port.to_string(),
                "--postgres",
                peers.postgres,
                "--endpoint-url",
                peers.aws,
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
