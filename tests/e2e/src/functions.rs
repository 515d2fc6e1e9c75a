//! The functions of a deployed system: their processes, invocations and logs.

use std::collections::BTreeSet;
use std::fs;
use std::path::Path;
use std::process::Command;

use local::Local;
use serde_json::Value;

use crate::http::{Request, send};

/// Invokes a function and waits for its answer. The error is the text of its failure.
pub fn invoke(local: &Local, function: &str, event: &str) -> Result<Value, String> {
    let name = local.outputs().function(function).unwrap();
    let request = Request {
        method: "POST",
        path: &format!("/2015-03-31/functions/{name}/invocations"),
        headers: "",
        body: event,
    };
    let answer = send(local.aws_endpoint(), request)?;
    serde_json::from_str(&answer).map_err(|error| format!("{error}: {answer}"))
}

/// Kills every process of every function. Returns their number.
pub fn kill_functions(local: &Local) -> usize {
    let kill = |process: &Process| {
        let killed = Command::new("kill").args(["-KILL", &process.pid]).status();
        killed.is_ok_and(|status| status.success())
    };
    processes(local).iter().filter(|found| kill(found)).count()
}

/// The access keys of the running processes of a function.
pub fn access_keys(local: &Local, function: &str) -> BTreeSet<String> {
    let name = local.outputs().function(function).unwrap();
    let of_function = |process: &Process| {
        let is_ours = process.variable("AWS_LAMBDA_FUNCTION_NAME") == Some(name);
        process
            .variable("AWS_ACCESS_KEY_ID")
            .filter(|_| is_ours)
            .map(str::to_owned)
    };
    processes(local).iter().filter_map(of_function).collect()
}

/// A process of a function.
struct Process {
    pid: String,
    environment: Vec<String>,
}

impl Process {
    fn variable(&self, name: &str) -> Option<&str> {
        let mut values = self.environment.iter();
        values.find_map(|line| line.strip_prefix(name)?.strip_prefix('='))
    }
}

/// The processes of all functions of a system.
fn processes(local: &Local) -> Vec<Process> {
    let mark = format!("SECOND_LOOK_STATE={}", local.folder().display());
    let mut found = Vec::new();
    for entry in fs::read_dir("/proc").unwrap().flatten() {
        let Ok(pid) = entry.file_name().into_string() else {
            continue;
        };
        let read = |what| fs::read(format!("/proc/{pid}/{what}")).unwrap_or_default();
        let command = String::from_utf8_lossy(&read("cmdline")).into_owned();
        let environment = String::from_utf8_lossy(&read("environ")).into_owned();
        let environment: Vec<String> = environment.split('\0').map(str::to_owned).collect();
        let is_function = command.trim_end_matches('\0').ends_with("/bootstrap");
        if is_function && environment.contains(&mark) {
            found.push(Process { pid, environment });
        }
    }
    found
}

/// The logs of the functions and the stand-in: file name and text.
pub fn logs(local: &Local) -> Vec<(String, String)> {
    let read =
        |path: &Path| String::from_utf8_lossy(&fs::read(path).unwrap_or_default()).into_owned();
    let files = fs::read_dir(local.folder().join("logs"))
        .unwrap()
        .flatten()
        .map(|entry| entry.path());
    files
        .map(|path| {
            (
                path.file_name().unwrap().to_string_lossy().into_owned(),
                read(&path),
            )
        })
        .collect()
}
