//! The processes of a system, and the addresses that they listen on.

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;
use std::process::Command;

/// The processes with the path of the state folder in their environment: id and command.
pub(crate) fn processes(state: &Path) -> BTreeMap<i32, String> {
    let mark = format!("SECOND_LOOK_STATE={}", state.display());
    let ids = fs::read_dir("/proc")
        .unwrap()
        .filter_map(|entry| entry.ok()?.file_name().to_str()?.parse().ok());
    ids.filter(|pid| has_in_environment(*pid, &mark))
        .map(|pid| (pid, command(pid)))
        .collect()
}

fn has_in_environment(pid: i32, mark: &str) -> bool {
    let environment = fs::read(format!("/proc/{pid}/environ"));
    environment.is_ok_and(|text| String::from_utf8_lossy(&text).contains(mark))
}

fn command(pid: i32) -> String {
    let arguments = fs::read_to_string(format!("/proc/{pid}/cmdline"));
    arguments.unwrap_or_default().replace('\0', " ")
}

pub(crate) fn kill(pid: i32) {
    // A process may have ended with its parent.
    let mut kill = Command::new("kill");
    kill.args(["-KILL", &pid.to_string()]).status().unwrap();
}

/// The addresses that these processes listen on, as in `/proc/net/tcp`.
pub(crate) fn listening(pids: impl Iterator<Item = i32>) -> Vec<String> {
    let sockets: Vec<String> = pids.flat_map(open_files).collect();
    let tables = fs::read_to_string("/proc/net/tcp").unwrap()
        + &fs::read_to_string("/proc/net/tcp6").unwrap_or_default();
    let lines = tables
        .lines()
        .map(|line| line.split_whitespace().collect::<Vec<_>>());
    lines
        .filter(|fields| {
            fields.get(3) == Some(&"0A") && sockets.contains(&format!("socket:[{}]", fields[9]))
        })
        .map(|fields| fields[1].to_owned())
        .collect()
}

/// The targets of a process's file descriptors, such as `socket:[4711]`.
fn open_files(pid: i32) -> Vec<String> {
    let descriptors = fs::read_dir(format!("/proc/{pid}/fd"))
        .into_iter()
        .flatten();
    descriptors
        .filter_map(|entry| fs::read_link(entry.ok()?.path()).ok())
        .filter_map(|target| target.to_str().map(str::to_owned))
        .collect()
}
