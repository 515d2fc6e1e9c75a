//! Systems of others: a running LocalStack is used, and their stacks and data are left unchanged.

use std::collections::BTreeMap;
use std::fs;

use local::{Local, Options, Parameters};

use crate::processes::{kill, processes};
use crate::scratch::{Scratch, aws, environment, eventually, names, put_object, scratch};

/// Options of a system that uses the LocalStack of `running`.
fn options_on(running: &Local, ours: &Scratch) -> Options {
    Options {
        endpoint_url: Some(running.aws_endpoint().to_owned()),
        ..ours.options.clone()
    }
}

/// Deploys a system on a running LocalStack, and writes an object to its bucket.
fn deploy_with_object(options: &Options, key: &str) -> Local {
    let mut local = Local::up(options, |_| ()).unwrap();
    local.deploy(&Parameters::default()).unwrap();
    let stand_in = local.redshift_data_endpoint().unwrap();
    let environment = environment(&local);
    assert_eq!(environment["AWS_ENDPOINT_URL_REDSHIFT_DATA"], stand_in);
    put_object(&local, key);
    local
}

#[test]
fn a_running_localstack_is_used_and_left_unchanged() {
    let theirs = scratch();
    let ours = scratch();
    let without_warehouse = Options {
        warehouse: false,
        ..theirs.options.clone()
    };
    let running = Local::up(&without_warehouse, |_| ()).unwrap();
    let options = options_on(&running, &ours);

    let killed = deploy_with_object(&options, "of the first");
    let state = killed.folder().to_path_buf();
    killed.detach(); // leaves the processes and the stack, as a killed run does
    processes(&state).into_keys().for_each(kill);
    let local = deploy_with_object(&options, "of the second");
    let bucket = local.outputs().bucket().unwrap();
    let list = ["s3api", "list-objects-v2", "--bucket", bucket];
    let keys = names(&local, &list, "Contents[].Key");
    assert_eq!(keys, ["of the second"]);
    local.down().unwrap();

    assert!(Local::status(running.folder()).unwrap().unwrap().is_up());
    let none: [&str; 0] = [];
    let buckets = names(&running, &["s3api", "list-buckets"], "Buckets[].Name");
    assert_eq!(buckets, none);
    let list = ["lambda", "list-functions"];
    let functions = names(&running, &list, "Functions[].FunctionName");
    assert_eq!(functions, none);
}

#[test]
fn a_system_that_another_state_folder_deployed_is_never_touched() {
    let theirs = scratch();
    let mut running = Local::up(&theirs.options, |_| ()).unwrap();
    running.deploy(&Parameters::default()).unwrap();
    let url = "s3://second-look-artifacts/data";
    let file = theirs.folder.path().join("data");
    fs::write(&file, "data").unwrap();
    aws(&running, &["s3", "cp", file.to_str().unwrap(), url]);
    a_second_system_is_refused(&running, url);

    // A deleted stack leaves the bucket with its programs.
    let name = ["--stack-name", "second-look"];
    let delete = ["cloudformation", "delete-stack"];
    aws(&running, &[&delete[..], &name[..]].concat());
    eventually("the stack is deleted", || {
        let list = ["cloudformation", "describe-stacks"];
        // LocalStack lists deleted stacks too.
        let stacks = names(
            &running,
            &list,
            "Stacks[?StackStatus != 'DELETE_COMPLETE'].StackName",
        );
        let is_deleted = stacks.is_empty();
        is_deleted.then_some(()).ok_or(stacks.join(" "))
    });
    a_second_system_is_refused(&running, url);
    running.down().unwrap();
}

/// Nothing of the running system changes: neither its processes nor the object at `url`.
fn a_second_system_is_refused(running: &Local, url: &str) {
    let ours = scratch();
    let error = Local::up(&options_on(running, &ours), |_| ())
        .err()
        .unwrap();
    assert!(error.is_refusal(), "{error}");
    let text = format!("{error}: {}", std::error::Error::source(&error).unwrap());
    for named in ["second-look", running.aws_endpoint()] {
        assert!(text.contains(named), "{text}");
    }
    assert_eq!(processes(&ours.options.state), BTreeMap::new());
    assert_eq!(aws(running, &["s3", "cp", url, "-"]), "data");
}
