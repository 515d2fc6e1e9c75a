//! `LocalStack` as a process of this machine, without Docker.

use std::io::{self, Read, Write};
use std::net::TcpStream;
use std::path::PathBuf;
use std::time::{Duration, Instant};
use std::{env, fs};

use crate::processes::{self, command, last_lines, log_path};
use crate::{Options, Service, Venv};

/// Why `LocalStack` did not start.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    #[error("cannot start localstack")]
    Start(#[from] processes::Error),
    #[error("cannot prepare {path}")]
    Folder { path: PathBuf, source: io::Error },
    #[error("localstack ended while it started; the end of {log}:\n{lines}")]
    Ended { log: PathBuf, lines: String },
    #[error("{endpoint} did not answer within {patience:?}")]
    Silent {
        endpoint: String,
        patience: Duration,
    },
}

const NAME: &str = "localstack";

/// Starts `LocalStack` on a free port. Call [`wait_until_ready`] before use.
pub(crate) fn start(options: &Options, venv: &Venv) -> Result<Service, Error> {
    let files = options.state.join(NAME);
    let temporary = files.join("tmp");
    fs::create_dir_all(&temporary).map_err(|source| Error::Folder {
        path: temporary.clone(),
        source,
    })?;
    let _ = fs::remove_file(log_path(&options.state, NAME));

    let port = processes::free_port()?;
    let here = options.root.join("infra/local");
    let path = env::join_paths(
        [venv.bin()].into_iter().chain(
            env::var_os("PATH")
                .iter()
                .flat_map(|path| env::split_paths(path).collect::<Vec<_>>()),
        ),
    )
    .unwrap_or_default();
    let process = processes::start(
        command(venv.python(), &options.state)
            .arg(here.join("executor/start_localstack.py"))
            .current_dir(&files)
            .env("PATH", path)
            .env("PYTHONDONTWRITEBYTECODE", "1")
            .env("PYTHONPATH", here.join("executor"))
            .env("XDG_CACHE_HOME", files.join("cache"))
            .env("TMPDIR", &temporary) // /tmp is of all users
            // On this host without Docker: one port, no telemetry, no certificates, no DNS server.
            .env("GATEWAY_LISTEN", format!("127.0.0.1:{port}"))
            .env("LOCALSTACK_HOST", format!("127.0.0.1:{port}"))
            .env("OVERRIDE_IN_DOCKER", "0")
            .env("FILESYSTEM_ROOT", &files)
            .env("DISABLE_EVENTS", "1")
            .env("SKIP_SSL_CERT_DOWNLOAD", "1")
            .env("DNS_ADDRESS", "0")
            // Streams: see executor/streams.py.
            .env("PROVIDER_OVERRIDE_KINESIS", "moto")
            // Idle sources are polled every second, as AWS does. By default the interval grows.
            .env(
                "LAMBDA_EVENT_SOURCE_MAPPING_MAX_BACKOFF_ON_EMPTY_POLL_SEC",
                "1",
            )
            .env("LAMBDA_EVENT_SOURCE_MAPPING_MAX_BACKOFF_ON_ERROR_SEC", "10")
            // Functions run as processes of this machine.
            .env("LAMBDA_RUNTIME_EXECUTOR", "hostprocess")
            .env("HOSTPROCESS_LOGS", options.state.join("logs"))
            .env("HOSTPROCESS_PASS", "RUST_LOG,SECOND_LOOK_STATE")
            .env("RUST_LOG", &options.log)
            // Settings of the developer's shell would send LocalStack's own clients elsewhere.
            .env_remove("AWS_ENDPOINT_URL")
            .env_remove("AWS_PROFILE"),
        &options.state,
        NAME,
    )?;
    Ok(Service {
        endpoint: format!("http://127.0.0.1:{port}"),
        pid: Some(process.id().cast_signed()),
    })
}

/// Waits until `LocalStack` answers. An error says why it does not.
pub(crate) fn wait_until_ready(service: &Service, options: &Options) -> Result<(), Error> {
    let deadline = Instant::now() + options.patience;
    while !answers(&service.endpoint) {
        if service.pid.is_some_and(|pid| !processes::is_alive(pid)) {
            let log = log_path(&options.state, NAME);
            return Err(Error::Ended {
                lines: last_lines(&log),
                log,
            });
        }
        if Instant::now() > deadline {
            return Err(Error::Silent {
                endpoint: service.endpoint.clone(),
                patience: options.patience,
            });
        }
        std::thread::sleep(Duration::from_millis(50));
    }
    Ok(())
}

/// Whether a `LocalStack` answers at `http://host:port`.
pub(crate) fn answers(endpoint: &str) -> bool {
    let address = endpoint.trim_start_matches("http://").trim_end_matches('/');
    let ask = || -> io::Result<String> {
        let mut stream = TcpStream::connect(address)?;
        stream.set_read_timeout(Some(Duration::from_secs(5)))?;
        write!(
            stream,
            "GET /_localstack/health HTTP/1.1\r\nHost: {address}\r\nConnection: close\r\n\r\n"
        )?;
        let mut answer = String::new();
        stream.take(64).read_to_string(&mut answer)?;
        Ok(answer)
    };
    ask().is_ok_and(|answer| answer.contains(" 200 "))
}
