//! A killed run is stopped, and a folder of another program is left alone.

use std::collections::BTreeMap;
use std::fs;
use std::path::PathBuf;

use local::{Local, Options};

use crate::processes::{kill, processes};
use crate::scratch::{eventually, scratch};

#[test]
fn a_folder_with_files_of_another_program_is_refused() {
    let folder = tempfile::tempdir().unwrap();
    let theirs = folder.path().join("localstack");
    fs::create_dir(&theirs).unwrap();
    let refused = [
        Local::up(&Options::new(folder.path()), |_| ()).err(),
        Local::stop(folder.path()).err(),
    ];
    for error in refused {
        let error = error.unwrap();
        assert!(error.is_refusal(), "{error}");
        let folder = folder.path().canonicalize().unwrap();
        assert!(error.to_string().contains(folder.to_str().unwrap()));
    }
    assert!(theirs.is_dir());
    assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 1);
}

#[test]
fn stop_ends_the_processes_of_a_killed_run() {
    let scratch = scratch();
    let local = Local::up(&scratch.options, |_| ()).unwrap();
    let state = local.folder().to_path_buf();
    local.detach(); // leaves the processes, as a killed run does
    let before = processes(&state);
    let (localstack, _) = before
        .iter()
        .find(|(_, command)| command.contains("start_localstack"))
        .unwrap();
    kill(*localstack);
    let status = eventually("LocalStack is gone", || {
        let status = Local::status(&state).unwrap().unwrap();
        if status.up["localstack"] {
            Err(format!("{:?}", status.up))
        } else {
            Ok(status)
        }
    });
    assert!(status.up["postgres"], "{:?}", status.up);

    Local::stop(&state).unwrap();
    assert_eq!(processes(&state), BTreeMap::new());
    let postgres: PathBuf = status
        .state
        .postgres
        .unwrap()
        .pid
        .map(|pid| format!("/proc/{pid}/exe").into())
        .unwrap();
    assert!(postgres.read_link().is_err(), "PostgreSQL still runs");
}
