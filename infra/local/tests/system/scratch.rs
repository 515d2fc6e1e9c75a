//! A system in a folder of its own, and the requests that the tests send to it.

use std::fs;
use std::os::unix::fs::symlink;
use std::path::Path;
use std::process::Command;
use std::time::{Duration, Instant};

use local::{FUNCTIONS, Local, Options};
use serde_json::Value;

pub(crate) struct Scratch {
    pub(crate) folder: tempfile::TempDir,
    pub(crate) options: Options,
}

pub(crate) fn scratch() -> Scratch {
    let folder = tempfile::tempdir().unwrap();
    let binaries = folder.path().join("bin");
    fs::create_dir(&binaries).unwrap();
    let dummies = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/dummies");
    for function in FUNCTIONS {
        fs::copy(dummies.join("function"), binaries.join(function)).unwrap();
    }
    symlink(
        dummies.join("redshift-data"),
        binaries.join("redshift-data"),
    )
    .unwrap();
    let options = Options {
        binaries,
        ..Options::new(folder.path().join("state"))
    };
    Scratch { folder, options }
}

/// Runs the AWS command line and returns its output.
pub(crate) fn aws(local: &Local, arguments: &[&str]) -> String {
    let output = Command::new(local.venv().aws())
        .args(arguments)
        .envs(local.environment())
        .output()
        .unwrap();
    assert!(
        output.status.success(),
        "aws {arguments:?}: {}",
        String::from_utf8_lossy(&output.stderr)
    );
    String::from_utf8(output.stdout).unwrap()
}

/// The list of names that `query` selects from the answer to a request.
pub(crate) fn names(local: &Local, request: &[&str], query: &str) -> Vec<String> {
    let answer = aws(local, &[request, &["--query", query]].concat());
    serde_json::from_str(&answer).unwrap()
}

/// Writes an empty object to the bucket of the deployed stack.
pub(crate) fn put_object(local: &Local, key: &str) {
    let bucket = local.outputs().bucket().unwrap();
    aws(
        local,
        &["s3api", "put-object", "--bucket", bucket, "--key", key],
    );
}

/// The environment of the deployed function `train`.
pub(crate) fn environment(local: &Local) -> Value {
    let file = tempfile::NamedTempFile::new().unwrap();
    let name = local.outputs().function("train").unwrap();
    let path = file.path().to_str().unwrap();
    aws(local, &["lambda", "invoke", "--function-name", name, path]);
    let mut answer: Value = serde_json::from_slice(&fs::read(path).unwrap()).unwrap();
    answer["environment"].take()
}

/// The log of a deployed function.
pub(crate) fn log(local: &Local, function: &str) -> String {
    let name = local.outputs().function(function).unwrap();
    fs::read_to_string(local.folder().join(format!("logs/{name}.log"))).unwrap_or_default()
}

/// Polls until `poll` succeeds. `Err` is the last state, for the message after a minute.
pub(crate) fn eventually<T>(name: &str, mut poll: impl FnMut() -> Result<T, String>) -> T {
    let deadline = Instant::now() + Duration::from_secs(300);
    loop {
        match poll() {
            Ok(value) => return value,
            Err(last) => assert!(
                Instant::now() < deadline,
                "{name}: not within five minutes; last state: {last}"
            ),
        }
        std::thread::sleep(Duration::from_millis(50));
    }
}
