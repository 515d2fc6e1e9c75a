//! Starts processes that may outlive this one, and ends them reliably.
//!
//! Every process of a system carries the state folder in its environment, and so does every process
//! that it starts, such as LocalStack's functions. To end a system, every process that carries its
//! folder is ended, even if its parent was killed before.

use std::collections::BTreeSet;
use std::fs::{self, File, OpenOptions};
use std::io;
use std::net::TcpListener;
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::{LazyLock, Mutex, OnceLock, PoisonError};
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use rustix::process::{Pid, Signal, kill_process, test_kill_process};
use signal_hook::consts::{SIGHUP, SIGINT, SIGTERM};
use signal_hook::iterator::Signals;

/// Why a process could not be started or ended.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    #[error("cannot run {program}")]
    Start { program: String, source: io::Error },
    #[error("cannot write {path}")]
    Log { path: PathBuf, source: io::Error },
    #[error("no free port on 127.0.0.1")]
    Port(#[source] io::Error),
    #[error("cannot listen for signals")]
    Signals(#[source] io::Error),
    #[error("processes {0:?} did not end after SIGKILL")]
    Immortal(Vec<i32>),
}

const MARK: &str = "SECOND_LOOK_STATE";
const BETWEEN_LOOKS: Duration = Duration::from_millis(20);
const TO_STOP: Duration = Duration::from_secs(5);
const TO_DIE: Duration = Duration::from_secs(5);

/// A command. Its process and all child processes belong to the system of `state`.
pub(crate) fn command(program: impl AsRef<std::ffi::OsStr>, state: &Path) -> Command {
    wait_if_interrupted();
    let mut command = Command::new(program);
    command.env(MARK, state).stdin(Stdio::null());
    command
}

/// Starts a service in a process group of its own, so that Ctrl-C reaches this process alone, which
/// then ends the services in order. Its output is appended to `logs/<name>.log`.
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

/// Where a service's output goes.
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

/// The last lines of a service's log, for an error message.
pub(crate) fn last_lines(log: &Path) -> String {
    let text = fs::read_to_string(log).unwrap_or_default();
    let lines: Vec<&str> = text.lines().rev().take(15).collect();
    lines.into_iter().rev().collect::<Vec<_>>().join("\n")
}

/// A port that is free now. Another process may take it before it is used: then the start fails
/// with an error. The port lies below the range of outgoing connections, so that none of them takes
/// it while the service starts.
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

/// Whether a process exists and is no zombie.
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

/// Ends every process of the system of `state`, and those in `known`.
pub(crate) fn end_all(state: &Path, known: &[i32]) -> Result<(), Error> {
    for (signal, patience) in [(Signal::TERM, TO_STOP), (Signal::KILL, TO_DIE)] {
        let deadline = Instant::now() + patience;
        for &pid in &alive(state, known) {
            if let Some(pid) = Pid::from_raw(pid) {
                let _ = kill_process(pid, signal); // it may have ended meanwhile
            }
        }
        while Instant::now() < deadline {
            if alive(state, known).is_empty() {
                return Ok(());
            }
            std::thread::sleep(BETWEEN_LOOKS);
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

/// The processes that carry `state` in their environment. Only Linux tells.
fn marked(state: &Path) -> BTreeSet<i32> {
    let mark = format!("{MARK}={}", state.display());
    let own = std::process::id().cast_signed();
    let Ok(all) = fs::read_dir("/proc") else {
        return BTreeSet::new();
    };
    all.filter_map(|entry| entry.ok()?.file_name().to_str()?.parse().ok())
        .filter(|&pid: &i32| pid != own)
        .filter(|pid| {
            // The environment of another user's process can't be read: it is not ours.
            let environment = fs::read(format!("/proc/{pid}/environ")).unwrap_or_default();
            environment
                .split(|&byte| byte == 0)
                .any(|variable| variable == mark.as_bytes())
        })
        .collect()
}

// The systems that this process is responsible for.
static OURS: LazyLock<Mutex<BTreeSet<PathBuf>>> = LazyLock::new(Mutex::default);

// Held by the thread that ends everything after a signal, until this process has ended.
static INTERRUPTED: Mutex<()> = Mutex::new(());

/// Blocks forever after a signal. So nothing is started while everything is being ended, and the
/// end of a service is not reported as its failure.
pub(crate) fn wait_if_interrupted() {
    drop(INTERRUPTED.lock().unwrap_or_else(PoisonError::into_inner));
}

/// From now on Ctrl-C, SIGTERM and a closed terminal stop the system of `state` and end this
/// process.
pub(crate) fn clean_up_on_signals(state: &Path) -> Result<(), Error> {
    static LISTENING: OnceLock<()> = OnceLock::new();
    OURS.lock()
        .unwrap_or_else(PoisonError::into_inner)
        .insert(state.to_path_buf());
    if LISTENING.set(()).is_ok() {
        let mut signals = Signals::new([SIGHUP, SIGINT, SIGTERM]).map_err(Error::Signals)?;
        std::thread::spawn(move || {
            if let Some(signal) = signals.forever().next() {
                let _until_the_end = INTERRUPTED.lock().unwrap_or_else(PoisonError::into_inner);
                eprintln!("interrupted: stopping all processes of this run");
                let ours = OURS.lock().unwrap_or_else(PoisonError::into_inner).clone();
                for state in ours {
                    let _ = crate::state::take_down(&state); // we are leaving; the next `up` tries again
                }
                std::process::exit(128 + signal);
            }
        });
    }
    Ok(())
}

/// Signals no longer stop the system of `state`.
pub(crate) fn leave_alone(state: &Path) {
    OURS.lock()
        .unwrap_or_else(PoisonError::into_inner)
        .remove(state);
}
