//! The settings of infra/template.yaml that the project's promises rest on, and the executor's own tests.

#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

use std::path::Path;
use std::process::Command;

use local::{Venv, root};
use serde_json::{Value, json};

fn python(folder: &Path, arguments: &[&str]) -> String {
    let scratch = tempfile::tempdir().unwrap();
    let venv = Venv::ensure(&root(), scratch.path()).unwrap();
    let mut command = Command::new(venv.python());
    let output = command.current_dir(folder).args(arguments).env("PYTHONDONTWRITEBYTECODE", "1").output().unwrap();
    let (out, err) = (String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr));
    assert!(output.status.success(), "{arguments:?}\n{out}\n{err}");
    out.into_owned()
}

/// The template with `!Ref x` as `{"Ref": "x"}`, as the AWS CLI reads it.
fn template() -> Value {
    let print = "import json; from awscli.customizations.cloudformation.yamlhelper import yaml_parse; \
                 print(json.dumps(yaml_parse(open('infra/template.yaml').read())))";
    serde_json::from_str(&python(&root(), &["-c", print])).unwrap()
}

fn resources<'a>(template: &'a Value, kind: &str) -> Vec<(&'a str, &'a Value)> {
    let all = template["Resources"].as_object().unwrap().iter();
    let found: Vec<_> = all
        .filter(|(_, resource)| resource["Type"] == kind)
        .map(|(name, resource)| (name.as_str(), &resource["Properties"]))
        .collect();
    assert!(!found.is_empty(), "no {kind}");
    found
}

/// Every IAM statement of the roles and managed policies, those under `Fn::If` included.
fn statements(value: &Value, found: &mut Vec<Value>) {
    match value {
        Value::Object(fields) if fields.contains_key("Effect") => found.push(value.clone()),
        Value::Object(fields) => fields.values().for_each(|field| statements(field, found)),
        Value::Array(items) => items.iter().for_each(|item| statements(item, found)),
        _ => {}
    }
}

fn texts(value: &Value) -> Vec<&str> {
    match value {
        Value::String(text) => vec![text],
        Value::Array(items) => items.iter().flat_map(texts).collect(),
        Value::Object(fields) => fields.values().flat_map(texts).collect(),
        _ => Vec::new(),
    }
}

#[test]
fn cfn_lint_has_no_complaint() {
    python(&root(), &["target/venv/bin/cfn-lint", "--regions", "us-east-1", "--template", "infra/template.yaml"]);
}

#[test]
fn the_executors_own_tests_pass() {
    python(&root().join("infra/local/executor"), &["-m", "unittest", "test_hostprocess", "test_streams"]);
}

#[test]
fn a_bad_record_never_stalls_a_shard() {
    let template = template();
    let source = &template["Resources"]["ScoreSource"]["Properties"];
    assert_eq!(source["FunctionResponseTypes"], json!(["ReportBatchItemFailures"]));
    assert_eq!(source["BisectBatchOnFunctionError"], true);
    assert_eq!(source["DestinationConfig"]["OnFailure"]["Destination"], json!({"Fn::GetAtt": ["Bucket", "Arn"]}));
    for (setting, most) in [("MaximumRetryAttempts", 10_000), ("MaximumRecordAgeInSeconds", 604_800)] {
        let parameter = &template["Parameters"][source[setting]["Ref"].as_str().unwrap()];
        assert!(parameter["MinValue"].as_i64().unwrap() > 0, "{setting} may be infinite");
        assert!(parameter["MaxValue"].as_i64().unwrap() <= most, "{setting} may be too large");
        assert!(parameter["Default"].as_i64().unwrap() > 0, "{setting} is infinite");
    }
}

#[test]
fn every_end_of_a_statement_reaches_its_function() {
    let template = template();
    for function in ["confirm", "load"] {
        let name = if function == "confirm" { "ConfirmRule" } else { "LoadRule" };
        let pattern = &template["Resources"][name]["Properties"]["EventPattern"];
        assert_eq!(pattern["source"], json!(["aws.redshift-data"]));
        assert_eq!(pattern["detail"]["state"], json!(["FINISHED", "FAILED", "ABORTED"]));
        let prefix = json!([{"prefix": {"Fn::Sub": format!("${{AWS::StackName}}-{function}-")}}]);
        assert_eq!(pattern["detail"]["statementName"], prefix);
    }
    let sweep = &template["Resources"]["SweepRule"]["Properties"];
    assert_eq!(sweep["ScheduleExpression"], json!({"Ref": "SweepSchedule"}));
    assert_eq!(template["Parameters"]["SweepSchedule"]["Default"], "rate(1 minute)");
}

#[test]
fn profiles_are_made_anew_every_day_and_by_one_at_a_time() {
    let template = template();
    let rule = &template["Resources"]["ProfilesRule"]["Properties"];
    assert_eq!(rule["ScheduleExpression"], json!({"Ref": "ProfilesSchedule"}));
    assert_eq!(template["Parameters"]["ProfilesSchedule"]["Default"], "cron(15 0 * * ? *)");
    let target = &rule["Targets"][0];
    assert_eq!(target["Arn"], json!({"Fn::GetAtt": ["Train", "Arn"]}));
    let event = std::fs::read_to_string(root().join("events/train/profiles.json")).unwrap();
    assert_eq!(target["Input"].as_str(), Some(event.trim()));
    assert_eq!(template["Resources"]["Train"]["Properties"]["ReservedConcurrentExecutions"], 1);
}

#[test]
fn nothing_that_fails_vanishes() {
    let template = template();
    for (name, rule) in resources(&template, "AWS::Events::Rule") {
        for target in rule["Targets"].as_array().unwrap() {
            assert!(target["DeadLetterConfig"]["Arn"].is_object(), "{name}");
            assert!(target["RetryPolicy"]["MaximumRetryAttempts"].is_u64(), "{name}");
        }
    }
    for (name, function) in resources(&template, "AWS::Serverless::Function") {
        let asynchronous = &function["EventInvokeConfig"]["DestinationConfig"]["OnFailure"]["Destination"];
        assert!(name == "Score" || asynchronous.is_object(), "{name}");
    }
    let queue = &template["Resources"]["LoadQueue"]["Properties"];
    assert!(queue["RedrivePolicy"]["maxReceiveCount"].as_u64().unwrap() > 1);
    assert_eq!(
        template["Resources"]["LoadSource"]["Properties"]["FunctionResponseTypes"],
        json!(["ReportBatchItemFailures"])
    );
    let rules = &template["Resources"]["Bucket"]["Properties"]["LifecycleConfiguration"]["Rules"];
    let expiring = rules.as_array().unwrap().iter().filter_map(|rule| rule["Prefix"].as_str());
    assert!(
        expiring.clone().all(|prefix| !["", "pending/", "manifests/", "outcomes/", "transactions/"].contains(&prefix))
    );
    assert!(!resources(&template, "AWS::CloudWatch::Alarm").is_empty());
}

#[test]
fn rights_are_narrow() {
    let template = template();
    let mut all = Vec::new();
    for kind in ["AWS::IAM::Role", "AWS::IAM::ManagedPolicy", "AWS::SQS::QueuePolicy"] {
        resources(&template, kind).iter().for_each(|(_, policy)| statements(policy, &mut all));
    }
    assert!(all.len() > 15, "{}", all.len());
    for statement in all.iter().filter(|statement| statement["Effect"] == "Allow") {
        assert!(texts(&statement["Action"]).iter().all(|action| !action.contains('*')), "{statement}");
        // The Data API's reads know no resource.
        let everywhere = texts(&statement["Resource"]).contains(&"*");
        assert_eq!(everywhere, statement["Sid"] == "FollowOwnStatements", "{statement}");
        assert!(statement["Condition"].to_string().contains("owner").eq(&false), "{statement}");
    }
    // Who submits a statement is who may read it.
    let role = |function: &str| template["Resources"][function]["Properties"]["Role"].clone();
    for function in ["Confirm", "Sweep", "Load"] {
        assert_eq!(role(function), role("Score"), "{function}");
    }
}

#[test]
fn everything_at_rest_is_encrypted_and_private() {
    let template = template();
    for (name, stream) in resources(&template, "AWS::Kinesis::Stream") {
        assert_eq!(stream["StreamEncryption"]["EncryptionType"], "KMS", "{name}");
    }
    for (name, queue) in resources(&template, "AWS::SQS::Queue") {
        assert_eq!(queue["SqsManagedSseEnabled"], true, "{name}");
    }
    for (name, bucket) in resources(&template, "AWS::S3::Bucket") {
        assert!(bucket["BucketEncryption"].is_object(), "{name}");
        let block = bucket["PublicAccessBlockConfiguration"].as_object().unwrap();
        assert!(block.len() == 4 && block.values().all(|on| on == true), "{name}");
    }
    let tls = &template["Resources"]["BucketPolicy"]["Properties"]["PolicyDocument"]["Statement"][0];
    assert_eq!((&tls["Effect"], &tls["Condition"]["Bool"]["aws:SecureTransport"]), (&json!("Deny"), &json!("false")));
    let variables = &template["Globals"]["Function"]["Environment"]["Variables"];
    for name in variables.as_object().unwrap().keys().map(String::as_str) {
        let secret = ["PASSWORD", "SECRET", "TOKEN", "KEY"].iter().any(|word| name.contains(word));
        assert!(!secret || name == "WAREHOUSE_SECRET_ARN", "{name} looks like a secret"); // its name is none
    }
}

#[test]
fn notifications_name_prefixes_that_need_no_encoding() {
    // a filter is compared with the percent-encoded key: "outcomes/dt=" would never match.
    let template = template();
    let queues = &template["Resources"]["Bucket"]["Properties"]["NotificationConfiguration"]["QueueConfigurations"];
    let prefixes: Vec<&str> = queues
        .as_array()
        .unwrap()
        .iter()
        .map(|queue| queue["Filter"]["S3Key"]["Rules"][0]["Value"].as_str().unwrap())
        .collect();
    assert_eq!(prefixes, ["transactions/", "labels/", "outcomes/dt"]);
}

#[test]
fn a_load_that_died_is_repeated_no_sooner_than_it_can_have_ended() {
    let template = template();
    let timeout = template["Resources"]["Load"]["Properties"]["Timeout"].as_i64().unwrap();
    let window = template["Parameters"]["LoadBatchingWindowSeconds"]["MaxValue"].as_i64().unwrap();
    let visibility = &template["Parameters"]["LoadVisibilitySeconds"];
    // AWS refuses less than the timeout, and advises six times it plus the batching window.
    assert!(visibility["MinValue"].as_i64().unwrap() >= timeout);
    assert!(visibility["Default"].as_i64().unwrap() >= 6 * timeout + window);
}
