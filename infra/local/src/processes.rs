//! Starts processes that outlive this one, and ends all of them.
//!
//! Each process of a system has the path of the state folder in its environment. The processes that
//! it starts, such as LocalStack's functions, inherit the path. To end a system is to end all
//! processes with its path, so processes of a killed run are found too.

use std::collections::BTreeSet;
use std::fs::{self, File, OpenOptions};
use std::io;
use std::net::TcpListener;
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use rustix::process::{Pid, Signal, kill_process, test_kill_process};

use crate::signals;

/// Why a process could not be started or ended.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    #[error("cannot run {program}")]
    Start { program: String, source: io::Error },
    #[error("cannot open the log file {path}")]
    Log { path: PathBuf, source: io::Error },
    #[error("found no free port on 127.0.0.1 between 20000 and 31999")]
    Port(#[source] io::Error),
    #[error("processes {0:?} did not end after SIGKILL")]
    Immortal(Vec<i32>),
}

const MARK: &str = "SECOND_LOOK_STATE";
const POLL_INTERVAL: Duration = Duration::from_millis(20);
const STOP_TIMEOUT: Duration = Duration::from_secs(5);
const KILL_TIMEOUT: Duration = Duration::from_secs(5);

/// A command that belongs, with all its child processes, to the system of the state folder `state`.
pub(crate) fn command(program: impl AsRef<std::ffi::OsStr>, state: &Path) -> Command {
    signals::wait_if_interrupted();
    let mut command = Command::new(program);
    command.env(MARK, state).stdin(Stdio::null());
    command
}

/// Starts a service and appends its output to `logs/<name>.log`. The service gets a process group
/// of its own: Ctrl-C reaches only this process, which then ends the services in order.
pub(crate) fn start(command: &mut Command, state: &Path, name: &str) -> Result<Child, Error> {
    let log = log(state, name)?;
    let second = log.try_clone().map_err(|source| Error::Log {
        path: state.to_path_buf(),
        source,
    })?;
    let program = command.get_program().to_string_lossy().into_owned();
    command
        .process_group(0)
        .stdout(log)
        .stderr(second)
        .spawn()
        .map_err(|source| Error::Start { program, source })
}

pub(crate) fn log_path(state: &Path, name: &str) -> PathBuf {
    state.join("logs").join(format!("{name}.log"))
}

fn log(state: &Path, name: &str) -> Result<File, Error> {
    let path = log_path(state, name);
    let open = || {
        fs::create_dir_all(state.join("logs"))?;
        OpenOptions::new().create(true).append(true).open(&path)
    };
    open().map_err(|source| Error::Log {
        path: path.clone(),
        source,
    })
}

/// The last 15 lines of a log, to show why its service failed.
pub(crate) fn last_lines(log: &Path) -> String {
    let text = fs::read_to_string(log).unwrap_or_default();
    let lines: Vec<&str> = text.lines().rev().take(15).collect();
    lines.into_iter().rev().collect::<Vec<_>>().join("\n")
}

/// Finds a free port. Another process may take it before the service listens; then the start of the
/// service fails and reports it. The port is below the range that systems use for outgoing
/// connections, so no such connection takes it meanwhile.
pub(crate) fn free_port() -> Result<u16, Error> {
    const FIRST: u32 = 20_000;
    const PORTS: u32 = 12_000;
    let nanoseconds = SystemTime::now()
        .duration_since(UNIX_EPOCH)
        .unwrap_or_default()
        .subsec_nanos();
    let start = nanoseconds.wrapping_add(std::process::id().wrapping_mul(7_919));
    let tried = (0..PORTS).map(|step| (FIRST + start.wrapping_add(step) % PORTS) as u16);
    let mut last = io::Error::from(io::ErrorKind::AddrInUse);
    for port in tried {
        match TcpListener::bind(("127.0.0.1", port)) {
            Ok(_) => return Ok(port),
            Err(problem) => last = problem,
        }
    }
    Err(Error::Port(last))
}

/// Whether a process exists and is not a zombie.
pub(crate) fn is_alive(pid: i32) -> bool {
    let Some(id) = Pid::from_raw(pid) else {
        return false;
    };
    let there = test_kill_process(id) != Err(rustix::io::Errno::SRCH);
    let zombie = fs::read_to_string(format!("/proc/{pid}/stat")).is_ok_and(|stat| {
        stat.rsplit(") ")
            .next()
            .is_some_and(|rest| rest.starts_with('Z'))
    });
    there && !zombie
}

/// Kills a process and waits until it has ended.
pub(crate) fn kill(pid: i32) -> Result<(), Error> {
    if let Some(pid) = Pid::from_raw(pid) {
        let _ = kill_process(pid, Signal::KILL); // fails if it has ended meanwhile
    }
    let deadline = Instant::now() + KILL_TIMEOUT;
    while is_alive(pid) {
        if Instant::now() > deadline {
            return Err(Error::Immortal(vec![pid]));
        }
        std::thread::sleep(POLL_INTERVAL);
    }
    Ok(())
}

/// Ends all processes of the system of `state`, and those of `known`.
pub(crate) fn end_all(state: &Path, known: &[i32]) -> Result<(), Error> {
    for (signal, patience) in [(Signal::TERM, STOP_TIMEOUT), (Signal::KILL, KILL_TIMEOUT)] {
        let deadline = Instant::now() + patience;
        for &pid in &alive(state, known) {
            if let Some(pid) = Pid::from_raw(pid) {
                let _ = kill_process(pid, signal); // fails if it has ended meanwhile
            }
        }
        while Instant::now() < deadline {
            if alive(state, known).is_empty() {
                return Ok(());
            }
            std::thread::sleep(POLL_INTERVAL);
        }
    }
    let left = alive(state, known);
    if left.is_empty() {
        Ok(())
    } else {
        Err(Error::Immortal(left.into_iter().collect()))
    }
}

fn alive(state: &Path, known: &[i32]) -> BTreeSet<i32> {
    let mut all = marked(state);
    all.extend(known);
    all.retain(|&pid| is_alive(pid));
    all
}

/// The processes with the path of `state` in their environment. Empty except on Linux, because
/// other systems do not show the environment.
fn marked(state: &Path) -> BTreeSet<i32> {
    let mark = format!("{MARK}={}", state.display());
    let own = std::process::id().cast_signed();
    let Ok(all) = fs::read_dir("/proc") else {
        return BTreeSet::new();
    };
    all.filter_map(|entry| entry.ok()?.file_name().to_str()?.parse().ok())
        .filter(|&pid: &i32| pid != own)
        .filter(|pid| {
            // The environment of another user's process is not readable; it is not one of ours.
            let environment = fs::read(format!("/proc/{pid}/environ")).unwrap_or_default();
            environment
                .split(|&byte| byte == 0)
                .any(|variable| variable == mark.as_bytes())
        })
        .collect()
}
