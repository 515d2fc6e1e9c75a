//! The local system with dummy functions that only log their events: it starts, deploys a stack,
//! listens only on the loopback interface, and leaves no process behind.

#![expect(
    clippy::indexing_slicing,
    clippy::unwrap_used,
    reason = "a test fails by panicking"
)]

use std::collections::BTreeMap;
use std::os::unix::fs::symlink;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::{Duration, Instant};
use std::{env, fs};

use local::{FUNCTIONS, Local, Options, Parameters};

struct Scratch {
    folder: tempfile::TempDir,
    options: Options,
}

fn scratch() -> Scratch {
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

fn aws(local: &Local, arguments: &[&str]) -> String {
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

/// The processes with the path of the state folder in their environment: id and command.
fn processes(state: &Path) -> BTreeMap<i32, String> {
    let mark = format!("SECOND_LOOK_STATE={}", state.display());
    let all = fs::read_dir("/proc")
        .unwrap()
        .filter_map(|entry| entry.ok()?.file_name().to_str()?.parse().ok());
    all.filter(|pid: &i32| {
        fs::read(format!("/proc/{pid}/environ"))
            .is_ok_and(|text| String::from_utf8_lossy(&text).contains(&mark))
    })
    .map(|pid| {
        (
            pid,
            fs::read_to_string(format!("/proc/{pid}/cmdline"))
                .unwrap_or_default()
                .replace('\0', " "),
        )
    })
    .collect()
}

/// The addresses that these processes listen on, as in `/proc/net/tcp`.
fn listening(pids: impl Iterator<Item = i32>) -> Vec<String> {
    let sockets: Vec<String> = pids
        .flat_map(|pid| {
            fs::read_dir(format!("/proc/{pid}/fd"))
                .into_iter()
                .flatten()
        })
        .filter_map(|entry| {
            fs::read_link(entry.ok()?.path())
                .ok()?
                .to_str()
                .map(str::to_owned)
        })
        .collect();
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

fn eventually<T>(what: &str, mut look: impl FnMut() -> Result<T, String>) -> T {
    let deadline = Instant::now() + Duration::from_secs(60);
    loop {
        match look() {
            Ok(found) => return found,
            Err(last) => assert!(
                Instant::now() < deadline,
                "{what}: not within a minute; last state: {last}"
            ),
        }
        std::thread::sleep(Duration::from_millis(50));
    }
}

fn log(local: &Local, function: &str) -> String {
    let name = local.outputs().function(function).unwrap();
    fs::read_to_string(local.folder().join(format!("logs/{name}.log"))).unwrap_or_default()
}

#[test]
fn a_deployed_stack_runs_on_this_machine_alone() {
    let scratch = scratch();
    let start = Instant::now();
    let mut local = Local::up(&scratch.options, |step| {
        eprintln!("{:>6.1?} {step}", start.elapsed());
    })
    .unwrap();
    eprintln!("{:>6.1?} up", start.elapsed());
    let parameters = Parameters::default().with("StreamShards", 2);
    local
        .deploy_with(&parameters, |step| {
            eprintln!("{:>6.1?} {step}", start.elapsed());
        })
        .unwrap();
    eprintln!("{:>6.1?} deployed: {:?}", start.elapsed(), local.outputs());

    // A function's environment names the endpoints, the bucket and the prefix.
    let answer = scratch.folder.path().join("answer.json");
    let name = local.outputs().function("train").unwrap();
    aws(
        &local,
        &[
            "lambda",
            "invoke",
            "--function-name",
            name,
            answer.to_str().unwrap(),
        ],
    );
    let answer: serde_json::Value = serde_json::from_slice(&fs::read(answer).unwrap()).unwrap();
    let environment = &answer["environment"];
    assert_eq!(environment["AWS_ENDPOINT_URL"], local.aws_endpoint());
    assert_eq!(
        environment["AWS_ENDPOINT_URL_REDSHIFT_DATA"],
        local.redshift_data_endpoint().unwrap()
    );
    assert_eq!(environment["BUCKET"], local.outputs().bucket().unwrap());
    assert_eq!(environment["STATEMENT_PREFIX"], "second-look");

    // Stream, bucket and completion events reach their functions.
    let stream = local.outputs().transactions_stream().unwrap();
    let bucket = local.outputs().bucket().unwrap();
    aws(
        &local,
        &[
            "kinesis",
            "put-record",
            "--stream-name",
            stream,
            "--partition-key",
            "x",
            "--data",
            "eHg=",
        ],
    );
    aws(
        &local,
        &[
            "s3api",
            "put-object",
            "--bucket",
            bucket,
            "--key",
            "labels/some.ndjson.gz",
        ],
    );
    let entries = ["confirm", "load", "other"].map(|function| {
        let detail = serde_json::json!({
            "statementId": "1",
            "state": "ABORTED",
            "statementName": format!("second-look-{function}-7"),
        });
        serde_json::json!({
            "Source": "aws.redshift-data",
            "DetailType": "Redshift Data Statement Status Change",
            "Detail": detail.to_string(),
        })
    });
    aws(
        &local,
        &[
            "events",
            "put-events",
            "--entries",
            &serde_json::json!(entries).to_string(),
        ],
    );
    for (function, sign) in [
        ("score", "aws:kinesis"),
        ("load", "labels/some.ndjson.gz"),
        ("confirm", "second-look-confirm-7"),
        ("load", "second-look-load-7"),
        ("sweep", "Scheduled Event"),
    ] {
        eventually(sign, || {
            log(&local, function)
                .contains(sign)
                .then_some(())
                .ok_or_else(|| log(&local, function))
        });
    }
    assert!(
        !log(&local, "confirm").contains("other"),
        "{}",
        log(&local, "confirm")
    );

    // All services listen only on this machine.
    let state = local.folder().to_path_buf();
    let running = processes(&state);
    let addresses = listening(running.keys().copied());
    assert!(addresses.len() >= 3, "{running:?} {addresses:?}"); // LocalStack, functions, stand-in
    assert!(
        addresses
            .iter()
            .all(|address| address.starts_with("0100007F:")),
        "{running:?} {addresses:?}"
    );

    // Its files are in its state folder, where files of another user's system cannot be in the way.
    for folder in ["s3", "tmp/lambda"] {
        assert!(state.join("localstack").join(folder).is_dir(), "{folder}");
    }

    // Another process finds it and does not start a second system in its folder.
    assert!(Local::status(&state).unwrap().unwrap().is_up());
    assert!(Local::up(&scratch.options, |_| ()).is_err());

    local.down().unwrap();
    assert_eq!(processes(&state), BTreeMap::new());
    assert!(Local::status(&state).unwrap().is_none());
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
    Command::new("kill")
        .args(["-KILL", &localstack.to_string()])
        .status()
        .unwrap();
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

#[test]
fn a_running_localstack_is_used_and_left_unchanged() {
    let (theirs, ours) = (scratch(), scratch());
    let running = Local::up(
        &Options {
            warehouse: false,
            ..theirs.options.clone()
        },
        |_| (),
    )
    .unwrap();
    let options = Options {
        endpoint_url: Some(running.aws_endpoint().to_owned()),
        ..ours.options.clone()
    };

    let answer = ours.folder.path().join("answer.json");
    let deployed = |key: &str| {
        let mut local = Local::up(&options, |_| ()).unwrap();
        local.deploy(&Parameters::default()).unwrap();
        let name = local.outputs().function("train").unwrap();
        aws(
            &local,
            &[
                "lambda",
                "invoke",
                "--function-name",
                name,
                answer.to_str().unwrap(),
            ],
        );
        let answer: serde_json::Value =
            serde_json::from_slice(&fs::read(&answer).unwrap()).unwrap();
        let stand_in = local.redshift_data_endpoint().unwrap();
        assert_eq!(
            answer["environment"]["AWS_ENDPOINT_URL_REDSHIFT_DATA"],
            stand_in
        );
        aws(
            &local,
            &[
                "s3api",
                "put-object",
                "--bucket",
                local.outputs().bucket().unwrap(),
                "--key",
                key,
            ],
        );
        local
    };
    let killed = deployed("of the first");
    let state = killed.folder().to_path_buf();
    killed.detach(); // leaves the processes and the stack, as a killed run does
    for (pid, _) in processes(&state) {
        Command::new("kill")
            .args(["-KILL", &pid.to_string()])
            .status()
            .unwrap();
    }
    let local = deployed("of the second");
    let bucket = local.outputs().bucket().unwrap().to_owned();
    let keys = aws(
        &local,
        &[
            "s3api",
            "list-objects-v2",
            "--bucket",
            &bucket,
            "--query",
            "Contents[].Key",
        ],
    );
    assert_eq!(
        serde_json::from_str::<Vec<String>>(&keys).unwrap(),
        ["of the second"]
    );
    local.down().unwrap();

    assert!(Local::status(running.folder()).unwrap().unwrap().is_up());
    let buckets = aws(
        &running,
        &["s3api", "list-buckets", "--query", "Buckets[].Name"],
    );
    assert_eq!(
        serde_json::from_str::<Vec<String>>(&buckets).unwrap(),
        Vec::<String>::new()
    );
    let stacks = aws(
        &running,
        &[
            "lambda",
            "list-functions",
            "--query",
            "Functions[].FunctionName",
        ],
    );
    assert_eq!(
        serde_json::from_str::<Vec<String>>(&stacks).unwrap(),
        Vec::<String>::new()
    );
}
