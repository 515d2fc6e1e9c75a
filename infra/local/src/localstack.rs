//! `LocalStack` as a process of this machine, without Docker.

use std::io;
use std::path::PathBuf;
use std::time::{Duration, Instant};
use std::{env, fs};

use crate::options::Options;
use crate::processes::{self, command, last_lines, log_path};
use crate::service::{Service, localstack_answers};
use crate::venv::Venv;

/// Why `LocalStack` did not start.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    #[error(transparent)]
    Start(#[from] processes::Error),
    #[error("cannot make the folder {path}")]
    Folder { path: PathBuf, source: io::Error },
    #[error(
        "its process ended; the end of {log}:
{lines}"
    )]
    Ended { log: PathBuf, lines: String },
    #[error("{endpoint} did not answer within {patience:?}")]
    Silent {
        endpoint: String,
        patience: Duration,
    },
}

const NAME: &str = "localstack";

/// Starts it on a free port. Call [`wait_until_ready`] before you use it.
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
            // Users share /tmp, where files of another user would be in the way.
            .env("TMPDIR", &temporary)
            // Host mode, one port, no usage reports, no download of certificates, no DNS server.
            .env("GATEWAY_LISTEN", format!("127.0.0.1:{port}"))
            .env("LOCALSTACK_HOST", format!("127.0.0.1:{port}"))
            .env("OVERRIDE_IN_DOCKER", "0")
            .env("FILESYSTEM_ROOT", &files)
            .env("DISABLE_EVENTS", "1")
            .env("SKIP_SSL_CERT_DOWNLOAD", "1")
            .env("DNS_ADDRESS", "0")
            // Streams: see executor/streams.py.
            .env("PROVIDER_OVERRIDE_KINESIS", "moto")
            // Poll idle event sources every second, as AWS does, instead of less and less often.
            .env(
                "LAMBDA_EVENT_SOURCE_MAPPING_MAX_BACKOFF_ON_EMPTY_POLL_SEC",
                "1",
            )
            .env("LAMBDA_EVENT_SOURCE_MAPPING_MAX_BACKOFF_ON_ERROR_SEC", "10")
            // Functions are processes of this machine too.
            .env("LAMBDA_RUNTIME_EXECUTOR", "hostprocess")
            .env("HOSTPROCESS_LOGS", options.state.join("logs"))
            .env("HOSTPROCESS_PASS", "RUST_LOG,SECOND_LOOK_STATE")
            .env("RUST_LOG", &options.log)
            // Such variables of a developer's shell would redirect LocalStack's own clients.
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

/// Waits until it answers. Fails early if its process ends.
pub(crate) fn wait_until_ready(service: &Service, options: &Options) -> Result<(), Error> {
    let deadline = Instant::now() + options.patience;
    while !localstack_answers(&service.endpoint) {
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
