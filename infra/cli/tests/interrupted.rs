//! Ctrl-C and SIGTERM stop every process of `look`, at any point.

#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use serde_json::Value;

/// The processes that carry this state folder in their environment: id and command.
fn processes(state: &Path) -> BTreeMap<u32, String> {
    let mark = format!("SECOND_LOOK_STATE={}", state.display());
    let all = fs::read_dir("/proc")
        .unwrap()
        .filter_map(|entry| entry.ok()?.file_name().to_str()?.parse().ok());
    let carries = |pid: &u32| {
        let environment = fs::read(format!("/proc/{pid}/environ")).unwrap_or_default();
        environment
            .split(|byte| *byte == 0)
            .any(|variable| variable == mark.as_bytes())
    };
    let command = |pid| {
        fs::read_to_string(format!("/proc/{pid}/cmdline"))
            .unwrap_or_default()
            .replace('\0', " ")
    };
    all.filter(carries).map(|pid| (pid, command(pid))).collect()
}

/// PostgreSQL's data folder: the word after `-D` in its command.
fn data_folder(postgres: u64) -> PathBuf {
    let command = fs::read_to_string(format!("/proc/{postgres}/cmdline")).unwrap();
    command
        .split('\0')
        .skip_while(|word| *word != "-D")
        .nth(1)
        .unwrap()
        .into()
}

fn eventually<T>(what: &str, seconds: u64, mut look: impl FnMut() -> Result<T, String>) -> T {
    let deadline = Instant::now() + Duration::from_secs(seconds);
    loop {
        match look() {
            Ok(found) => return found,
            Err(last) => assert!(
                Instant::now() < deadline,
                "{what}: not in {seconds} s; last seen: {last}"
            ),
        }
        std::thread::sleep(Duration::from_millis(20)); // between looks, not instead of one
    }
}

/// The state file of this folder.
fn recorded(state: &Path) -> Option<Value> {
    serde_json::from_slice(&fs::read(state.join("state.json")).ok()?).ok()
}

fn look(arguments: &[&str], path: &Path) -> Child {
    let mut command = Command::new(env!("CARGO_BIN_EXE_look"));
    command
        .args(arguments)
        .arg(path)
        .stdout(Stdio::null())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap()
}

fn signalled(mut look: Child, signal: &str, state: &Path, code: i32) {
    Command::new("kill")
        .args([signal, &look.id().to_string()])
        .status()
        .unwrap();
    let status = eventually("look ends", 60, || {
        look.try_wait()
            .unwrap()
            .ok_or_else(|| format!("{:?}", processes(state)))
    });
    let said = std::io::read_to_string(look.stderr.take().unwrap()).unwrap();
    assert_eq!(status.code(), Some(code), "{said}");
    assert!(
        said.contains("interrupted: stopping all processes of this run"),
        "{said}"
    );
    assert_eq!(processes(state), BTreeMap::new(), "{said}");
    assert_eq!(recorded(state), None);
}

#[test]
fn an_interrupted_start_leaves_nothing_behind() {
    let folder = tempfile::tempdir().unwrap();
    let state = folder.path().canonicalize().unwrap().join("state");
    let child = look(&["local", "up", "--state"], &state);
    // While the stack is deployed: all services are up, and the AWS CLI is at work.
    let data = eventually("the deployment begins", 300, || {
        let state = recorded(&state).ok_or("nothing is written down")?;
        let pid = state["postgres"]["pid"]
            .as_u64()
            .filter(|_| state["stack"].is_string());
        Ok::<_, String>(data_folder(pid.ok_or_else(|| state.to_string())?))
    });
    assert!(
        data.is_dir() && processes(&state).len() >= 3,
        "{:?}",
        processes(&state)
    );
    signalled(child, "-INT", &state, 128 + 2);
    assert!(
        !data.exists(),
        "PostgreSQL's data is left in {}",
        data.display()
    );
}

#[test]
fn a_run_that_is_terminated_while_services_start_leaves_nothing_behind() {
    let folder = tempfile::tempdir().unwrap();
    let out = folder.path().canonicalize().unwrap();
    let state = out.join("local");
    let child = look(&["run", "--live", "100", "--out"], &out);
    // While initdb creates PostgreSQL's cluster.
    let data = eventually("initdb is at work", 300, || {
        let running = processes(&state);
        let initdb = running
            .values()
            .find(|command| command.contains("initdb") && command.contains("--pgdata"));
        let data = initdb
            .ok_or_else(|| format!("{running:?}"))?
            .split(' ')
            .skip_while(|word| *word != "--pgdata")
            .nth(1);
        Ok::<_, String>(PathBuf::from(data.unwrap()))
    });
    signalled(child, "-TERM", &state, 128 + 15);
    assert!(
        !data.exists(),
        "PostgreSQL's data is left in {}",
        data.display()
    );
}
