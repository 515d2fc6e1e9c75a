//! A throw-away PostgreSQL from the machine's own programs.
//!
//! It refuses to run as root; then it runs as `postgres` or `nobody`, so its data lies in the
//! folder for temporary files, where such a user may go, under a name made from the state folder.

use std::collections::hash_map::DefaultHasher;
use std::hash::{Hash, Hasher};
use std::os::unix::fs::{DirBuilderExt, chown};
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};
use std::{env, fs, io};

use rustix::process::{Pid, Signal, geteuid, kill_process};

use crate::Service;
use crate::processes::{self, command, last_lines, log_path};

/// What is written need not outlive the machine; queries over a whole history are sorted and grouped in memory; and
/// a table is analyzed within a second of its load, as Redshift does by itself, for plans that fit what is in it.
const SETTINGS: [&str; 7] = [
    "fsync=off",
    "synchronous_commit=off",
    "full_page_writes=off",
    "timezone=UTC",
    "max_connections=200",
    "work_mem=64MB",
    "autovacuum_naptime=1s",
];

/// Why there is no PostgreSQL.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// Its programs are not on this machine.
    #[error(
        "initdb is neither on the PATH nor in /usr/lib/postgresql/*/bin; install PostgreSQL 15 or newer"
    )]
    Missing,
    /// Root, and nobody else to run it as.
    #[error("postgresql does not run as root, and there is neither a user postgres nor nobody")]
    OnlyRoot,
    /// The cluster could not be made.
    #[error("initdb failed:\n{0}")]
    Initdb(String),
    /// Its process could not be started.
    #[error("cannot start it")]
    Start(#[from] processes::Error),
    /// Its folder could not be made or removed.
    #[error("cannot use {path}")]
    Folder {
        /// Which.
        path: PathBuf,
        /// What the system said.
        source: io::Error,
    },
    /// It ended, or did not answer in time.
    #[error("it does not answer; the end of {log}:\n{lines}")]
    Silent {
        /// Its log.
        log: PathBuf,
        /// The log's last lines.
        lines: String,
    },
    /// It did not end in time.
    #[error("process {0} does not end")]
    Immortal(i32),
}

const NAME: &str = "postgres";
const USER: &str = "second_look";
const TO_STOP: Duration = Duration::from_secs(10);

/// A throw-away PostgreSQL alone, for tests; dropping it ends and removes it.
#[derive(Debug)]
pub struct Postgres {
    state: PathBuf,
    connection: String,
}

impl Postgres {
    /// Starts it; `state` is a folder of its own, for its log.
    pub fn start(state: &Path) -> Result<Self, Error> {
        let connection = start(state, Duration::from_secs(120))?.endpoint;
        Ok(Self {
            state: state.to_path_buf(),
            connection,
        })
    }

    /// Where it is, in libpq's words.
    pub fn connection(&self) -> &str {
        &self.connection
    }
}

impl Drop for Postgres {
    fn drop(&mut self) {
        // Nobody is left to hear of a failure.
        let _ = stop(&self.state);
    }
}

/// Makes a cluster and starts it on a free port of 127.0.0.1; safe to lose, so it never syncs.
pub(crate) fn start(state: &Path, patience: Duration) -> Result<Service, Error> {
    let programs = programs().ok_or(Error::Missing)?;
    let user = if geteuid().is_root() {
        Some(unprivileged().ok_or(Error::OnlyRoot)?)
    } else {
        None
    };
    let data = data(state);
    processes::wait_if_interrupted();
    let make = || {
        fs::DirBuilder::new().mode(0o700).create(&data)?;
        user.map_or(Ok(()), |(user, group)| {
            chown(&data, Some(user), Some(group))
        })
    };
    make().map_err(|source| Error::Folder {
        path: data.clone(),
        source,
    })?;
    let run = |program: &str| {
        let mut command = command(programs.join(program), state);
        if let Some((user, group)) = user {
            command.uid(user).gid(group);
        }
        command
            .current_dir(&data)
            .env("LC_ALL", "C")
            .env("TZ", "UTC");
        command
    };

    let made = run("initdb")
        .args([
            "--username",
            USER,
            "--auth",
            "trust",
            "--encoding",
            "UTF8",
            "--locale",
            "C",
            "--no-sync",
            "--pgdata",
        ])
        .arg(&data)
        .output()
        .map_err(|source| Error::Folder {
            path: programs.join("initdb"),
            source,
        })?;
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
    while !is_ready(&programs, &port) {
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

/// Ends the server of a state folder, if one runs, and removes its data.
pub(crate) fn stop(state: &Path) -> Result<(), Error> {
    let data = data(state);
    if let Some(pid) = server(&data) {
        // At once, without a last write: the data goes too.
        let _ = Pid::from_raw(pid).map(|pid| kill_process(pid, Signal::QUIT)); // it may have ended meanwhile
        let deadline = Instant::now() + TO_STOP;
        while processes::is_alive(pid) {
            if Instant::now() > deadline {
                return Err(Error::Immortal(pid));
            }
            std::thread::sleep(Duration::from_millis(20));
        }
    }
    match fs::remove_dir_all(&data) {
        Err(source) if source.kind() != io::ErrorKind::NotFound => {
            Err(Error::Folder { path: data, source })
        }
        _ => Ok(()),
    }
}

fn data(state: &Path) -> PathBuf {
    let mut hasher = DefaultHasher::new();
    state.hash(&mut hasher);
    env::temp_dir().join(format!("second-look-postgres-{:016x}", hasher.finish()))
}

/// The server that runs on `data`: its own note of its process, believed only if that process names `data`.
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

fn is_ready(programs: &Path, port: &str) -> bool {
    let answer = Command::new(programs.join("pg_isready"))
        .args(["--quiet", "--host", "127.0.0.1", "--port", port])
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .status();
    answer.is_ok_and(|status| status.success())
}

/// The folder of `initdb` and its fellows: from the PATH, else the newest that Debian's packages left.
fn programs() -> Option<PathBuf> {
    let on_path = env::var_os("PATH")
        .and_then(|path| env::split_paths(&path).find(|folder| folder.join("initdb").is_file()));
    if let Some(folder) = on_path {
        return folder
            .join("initdb")
            .canonicalize()
            .ok()?
            .parent()
            .map(Path::to_path_buf); // not of links to it
    }
    let installed = fs::read_dir("/usr/lib/postgresql")
        .ok()?
        .filter_map(|entry| Some(entry.ok()?.path()));
    let with_version = installed.filter_map(|path| {
        Some((
            path.file_name()?.to_str()?.parse::<u32>().ok()?,
            path.join("bin"),
        ))
    });
    with_version
        .filter(|(_, folder)| folder.join("initdb").is_file())
        .max()
        .map(|(_, folder)| folder)
}

/// User and group to run as in root's stead.
fn unprivileged() -> Option<(u32, u32)> {
    let users = fs::read_to_string("/etc/passwd").ok()?;
    ["postgres", "nobody"].iter().find_map(|name| {
        let mut fields = users
            .lines()
            .find(|line| line.split(':').next() == Some(name))?
            .split(':')
            .skip(2);
        Some((fields.next()?.parse().ok()?, fields.next()?.parse().ok()?))
    })
}
