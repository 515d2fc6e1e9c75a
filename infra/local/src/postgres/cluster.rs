//! A database cluster: its programs, its data and the user that runs them.

use std::fs;
use std::io;
use std::os::unix::fs::{DirBuilderExt, PermissionsExt, chown};
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use rustix::process::geteuid;

use super::programs::Programs;
use super::{Error, NAME, folder};
use crate::processes::{self, command, last_lines, log_path};
use crate::service::Service;
use crate::signals;
use crate::venv::Venv;

/// No data has to survive a crash of the machine, and all committed data survives a crash of the
/// server. Queries over the whole history sort and group in memory. Tables are analyzed within a
/// second of a load, as in Redshift, so that plans fit their rows.
const SETTINGS: [&str; 6] = [
    "fsync=off",
    "full_page_writes=off",
    "timezone=UTC",
    "max_connections=200",
    "work_mem=64MB",
    "autovacuum_naptime=1s",
];
const USER: &str = "second_look";

pub(super) struct Cluster<'s> {
    state: &'s Path,
    bin: PathBuf,
    data: PathBuf,
    user: Option<Unprivileged>,
}

impl<'s> Cluster<'s> {
    /// Makes the cluster of a state folder.
    pub(super) fn make(venv: &Venv, state: &'s Path) -> Result<Self, Error> {
        let programs = Programs::find(venv).ok_or(Error::Missing)?;
        let folder = folder(state);
        signals::wait_if_interrupted();
        make_folder(&folder, 0o755, None).map_err(Error::folder(&folder))?;
        let cluster = Self::with(&programs, state)?;
        if cluster.user.is_some() {
            let copied = programs.copy_for_every_user(&folder);
            copied.map_err(Error::folder(&folder))?;
        }
        make_folder(&cluster.data, 0o700, cluster.user).map_err(Error::folder(&cluster.data))?;
        cluster.initialise()?;
        Ok(cluster)
    }

    /// The cluster that was made for a state folder.
    pub(super) fn of_state(venv: &Venv, state: &'s Path) -> Result<Self, Error> {
        let programs = Programs::find(venv).ok_or(Error::Missing)?;
        Self::with(&programs, state)
    }

    fn with(programs: &Programs, state: &'s Path) -> Result<Self, Error> {
        let folder = folder(state);
        let mut bin = programs.folder();
        let mut user = None;
        if geteuid().is_root() {
            user = Some(unprivileged().ok_or(Error::OnlyRoot)?);
            bin = programs.for_every_user(&folder).folder();
        }
        Ok(Self {
            state,
            bin,
            data: folder.join("data"),
            user,
        })
    }

    fn command(&self, program: &str) -> Command {
        let mut command = command(self.bin.join(program), self.state);
        if let Some(user) = self.user {
            command.uid(user.id).gid(user.group);
        }
        command
            .current_dir(&self.data)
            .env("LC_ALL", "C")
            .env("TZ", "UTC");
        command
    }

    fn initialise(&self) -> Result<(), Error> {
        let mut initdb = self.command("initdb");
        initdb
            .args(["--username", USER, "--auth", "trust", "--encoding", "UTF8"])
            .args(["--locale", "C", "--no-sync", "--pgdata"])
            .arg(&self.data);
        let made = initdb
            .output()
            .map_err(Error::folder(&self.bin.join("initdb")))?;
        if made.status.success() {
            return Ok(());
        }
        Err(Error::Initdb(
            String::from_utf8_lossy(&made.stderr).into_owned(),
        ))
    }

    /// Starts the server and waits until it accepts connections.
    pub(super) fn serve(&self, port: &str, patience: Duration) -> Result<Service, Error> {
        let mut server = self.command("postgres");
        server
            .arg("-D")
            .arg(&self.data)
            .args(["-p", port, "-h", "127.0.0.1", "-k", ""]);
        for setting in SETTINGS {
            server.args(["-c", setting]);
        }
        let pid = processes::start(&mut server, self.state, NAME)?
            .id()
            .cast_signed();
        let deadline = Instant::now() + patience;
        while !is_ready(&self.bin, port) {
            if !processes::is_alive(pid) || Instant::now() > deadline {
                let log = log_path(self.state, NAME);
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
