//! A deployed stack: its environment, its events, and its addresses.

use std::collections::BTreeMap;
use std::time::Instant;

use local::{Local, Parameters, Progress};

use crate::processes::{listening, processes};
use crate::scratch::{aws, environment, eventually, log, put_object, scratch};

/// A function, and the text in its log that shows that an event reached it.
const REACHED: [(&str, &str); 6] = [
    ("score", "aws:kinesis"),
    ("load", "labels/some.ndjson.gz"),
    ("load", "-aa-b1.held"),
    ("confirm", "second-look/evidence-1/7/0"),
    ("load", "second-look/outcomes/7/0"),
    ("sweep", "Scheduled Event"),
];
const NOT_REACHED: [(&str, &str); 2] = [("confirm", "other"), ("load", "-aa-b1.plain")];

#[test]
fn a_deployed_stack_runs_on_this_machine_alone() {
    let scratch = scratch();
    let start = Instant::now();
    let step = |step: Progress| eprintln!("{:>6.1?} {step}", start.elapsed());
    let mut local = Local::up(&scratch.options, step).unwrap();
    let parameters = Parameters::default().with("StreamShards", 2);
    local.deploy_with(&parameters, step).unwrap();
    eprintln!("{:>6.1?} deployed: {:?}", start.elapsed(), local.outputs());

    the_environment_names_the_system(&local);
    every_source_reaches_its_function(&local);
    all_services_listen_only_on_this_machine(&local);

    // Its files are in its state folder, where files of another user's system cannot be in the way.
    let state = local.folder().to_path_buf();
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

fn the_environment_names_the_system(local: &Local) {
    let environment = environment(local);
    assert_eq!(environment["AWS_ENDPOINT_URL"], local.aws_endpoint());
    assert_eq!(
        environment["AWS_ENDPOINT_URL_REDSHIFT_DATA"],
        local.redshift_data_endpoint().unwrap()
    );
    assert_eq!(environment["BUCKET"], local.outputs().bucket().unwrap());
    assert_eq!(environment["STACK"], "second-look");
}

fn every_source_reaches_its_function(local: &Local) {
    let stream = local.outputs().transactions_stream().unwrap();
    let put = ["kinesis", "put-record", "--stream-name", stream];
    let record = ["--partition-key", "x", "--data", "eHg="];
    aws(local, &[&put[..], &record[..]].concat());
    put_object(local, "labels/some.ndjson.gz");
    for suffix in ["held", "plain"] {
        let entry = "waiting/transactions/history/20261127T164937.123Z-aa-b1";
        put_object(local, &format!("{entry}.{suffix}"));
    }
    let entries = ["evidence-1", "outcomes", "other"].map(completion);
    let entries = serde_json::json!(entries).to_string();
    aws(local, &["events", "put-events", "--entries", &entries]);

    for (function, sign) in REACHED {
        eventually(sign, || {
            let log = log(local, function);
            log.contains(sign).then_some(()).ok_or(log)
        });
    }
    for (function, sign) in NOT_REACHED {
        let log = log(local, function);
        assert!(!log.contains(sign), "{log}");
    }
}

/// The completion event of a statement of this lane.
fn completion(lane: &str) -> serde_json::Value {
    let detail = serde_json::json!({
        "statementId": "1",
        "state": "ABORTED",
        "statementName": format!("second-look/{lane}/7/0"),
    });
    serde_json::json!({
        "Source": "aws.redshift-data",
        "DetailType": "Redshift Data Statement Status Change",
        "Detail": detail.to_string(),
    })
}

fn all_services_listen_only_on_this_machine(local: &Local) {
    let running = processes(local.folder());
    let addresses = listening(running.keys().copied());
    // LocalStack, functions, stand-in.
    assert!(addresses.len() >= 3, "{running:?} {addresses:?}");
    assert!(
        addresses
            .iter()
            .all(|address| address.starts_with("0100007F:")),
        "{running:?} {addresses:?}"
    );
}
