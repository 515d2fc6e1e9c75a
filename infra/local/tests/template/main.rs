//! The settings of infra/template.yaml that the project's promises rest on, and the executor's own
//! tests.

#![expect(
    clippy::indexing_slicing,
    clippy::unwrap_used,
    clippy::panic,
    reason = "a test fails by panicking"
)]

mod resolved;
mod warehouse;

use std::collections::BTreeSet;
use std::path::Path;
use std::process::Command;
use std::sync::LazyLock;

use local::{Venv, root};
use serde_json::{Value, json};

fn python(folder: &Path, arguments: &[&str]) -> String {
    let scratch = tempfile::tempdir().unwrap();
    let venv = Venv::ensure(&root(), scratch.path()).unwrap();
    let mut command = Command::new(venv.python());
    let output = command
        .current_dir(folder)
        .args(arguments)
        .env("PYTHONDONTWRITEBYTECODE", "1")
        .output()
        .unwrap();
    let (out, err) = (
        String::from_utf8_lossy(&output.stdout),
        String::from_utf8_lossy(&output.stderr),
    );
    assert!(output.status.success(), "{arguments:?}\n{out}\n{err}");
    out.into_owned()
}

/// The template with `!Ref x` as `{"Ref": "x"}`, as the AWS CLI reads it: read once for all tests.
fn template() -> Value {
    static TEMPLATE: LazyLock<Value> = LazyLock::new(|| {
        let print = "import json; from awscli.customizations.cloudformation.yamlhelper import yaml_parse; \
                     print(json.dumps(yaml_parse(open('infra/template.yaml').read())))";
        serde_json::from_str(&python(&root(), &["-c", print])).unwrap()
    });
    TEMPLATE.clone()
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
    python(
        &root(),
        &[
            "target/venv/bin/cfn-lint",
            "--regions",
            "us-east-1",
            "--template",
            "infra/template.yaml",
        ],
    );
}

#[test]
fn the_executors_own_tests_pass() {
    python(
        &root().join("infra/local/executor"),
        &["-m", "unittest", "test_hostprocess", "test_streams"],
    );
}

#[test]
fn a_bad_record_never_stalls_a_shard() {
    let template = template();
    let source = &template["Resources"]["ScoreSource"]["Properties"];
    assert_eq!(
        source["FunctionResponseTypes"],
        json!(["ReportBatchItemFailures"])
    );
    assert_eq!(source["BisectBatchOnFunctionError"], true);
    assert_eq!(
        source["DestinationConfig"]["OnFailure"]["Destination"],
        json!({"Fn::GetAtt": ["Bucket", "Arn"]})
    );
    // Lambda's most: an outage that fails quickly does not use it up before the age decides.
    assert_eq!(source["MaximumRetryAttempts"], 10_000);
    let age = &template["Parameters"][source["MaximumRecordAgeInSeconds"]["Ref"].as_str().unwrap()];
    assert!(age["MinValue"].as_i64().unwrap() > 0, "it may be infinite");
    assert!(
        age["MaxValue"].as_i64().unwrap() <= 604_800,
        "it may be more than Lambda takes"
    );
    assert!(
        (3_600..=86_400).contains(&age["Default"].as_i64().unwrap()),
        "outages are longer, or streams shorter"
    );
}

#[test]
fn every_end_of_a_statement_reaches_its_function() {
    let template = template();
    for function in ["confirm", "load"] {
        let name = if function == "confirm" {
            "ConfirmRule"
        } else {
            "LoadRule"
        };
        let pattern = &template["Resources"][name]["Properties"]["EventPattern"];
        assert_eq!(pattern["source"], json!(["aws.redshift-data"]));
        assert_eq!(
            pattern["detail-type"],
            json!(["Redshift Data Statement Status Change"])
        );
        assert_eq!(
            pattern["detail"]["state"],
            json!(["FINISHED", "FAILED", "ABORTED"])
        );
        let prefix = json!([{"prefix": {"Fn::Sub": format!("${{AWS::StackName}}-{function}-")}}]);
        assert_eq!(pattern["detail"]["statementName"], prefix);
    }
    for (rule, function) in [
        ("ConfirmRule", "Confirm"),
        ("LoadRule", "Load"),
        ("SweepRule", "Sweep"),
    ] {
        let targets = template["Resources"][rule]["Properties"]["Targets"]
            .as_array()
            .unwrap();
        let arns: Vec<&Value> = targets.iter().map(|target| &target["Arn"]).collect();
        assert_eq!(arns, [&json!({"Fn::GetAtt": [function, "Arn"]})], "{rule}");
        let permission = &template["Resources"][format!("{function}Permission")]["Properties"];
        assert_eq!(permission["FunctionName"], json!({"Ref": function}));
        assert_eq!(
            permission["SourceArn"],
            json!({"Fn::GetAtt": [rule, "Arn"]})
        );
    }
    let sweep = &template["Resources"]["SweepRule"]["Properties"];
    assert_eq!(sweep["ScheduleExpression"], json!({"Ref": "SweepSchedule"}));
    assert_eq!(
        template["Parameters"]["SweepSchedule"]["Default"],
        "rate(1 minute)"
    );
}

#[test]
fn profiles_are_made_anew_every_day_and_by_one_at_a_time() {
    let template = template();
    let rule = &template["Resources"]["ProfilesRule"]["Properties"];
    assert_eq!(
        rule["ScheduleExpression"],
        json!({"Ref": "ProfilesSchedule"})
    );
    assert_eq!(
        template["Parameters"]["ProfilesSchedule"]["Default"],
        "cron(15 0 * * ? *)"
    );
    let target = &rule["Targets"][0];
    assert_eq!(target["Arn"], json!({"Fn::GetAtt": ["Train", "Arn"]}));
    let event = std::fs::read_to_string(root().join("events/train/profiles.json")).unwrap();
    assert_eq!(target["Input"].as_str(), Some(event.trim()));
    assert_eq!(
        template["Resources"]["Train"]["Properties"]["ReservedConcurrentExecutions"],
        1
    );
}

#[test]
fn nothing_that_fails_vanishes() {
    let template = template();
    let dead_letters = json!({"Fn::GetAtt": ["DeadLetters", "Arn"]});
    let policy =
        &template["Resources"]["DeadLettersPolicy"]["Properties"]["PolicyDocument"]["Statement"][0];
    let may_bury = policy["Condition"]["ArnEquals"]["aws:SourceArn"]
        .as_array()
        .unwrap();
    for (name, rule) in resources(&template, "AWS::Events::Rule") {
        for target in rule["Targets"].as_array().unwrap() {
            assert_eq!(target["DeadLetterConfig"]["Arn"], dead_letters, "{name}");
            limited(name, &target["RetryPolicy"]);
        }
        assert!(
            may_bury.contains(&json!({"Fn::GetAtt": [name, "Arn"]})),
            "{name} may not write to its dead letters"
        );
    }
    for (name, function) in resources(&template, "AWS::Serverless::Function") {
        let asynchronous = &function["EventInvokeConfig"];
        if name == "Score" {
            assert!(
                asynchronous.is_null(),
                "every invocation of score waits for the answer"
            );
            continue;
        }
        assert_eq!(
            asynchronous["DestinationConfig"]["OnFailure"]["Destination"], dead_letters,
            "{name}"
        );
        limited(name, asynchronous);
    }
    let queue = &template["Resources"]["LoadQueue"]["Properties"];
    assert!(queue["RedrivePolicy"]["maxReceiveCount"].as_u64().unwrap() > 1);
    assert_eq!(
        template["Resources"]["LoadSource"]["Properties"]["FunctionResponseTypes"],
        json!(["ReportBatchItemFailures"])
    );
    let rules = &template["Resources"]["Bucket"]["Properties"]["LifecycleConfiguration"]["Rules"];
    let expiring = rules
        .as_array()
        .unwrap()
        .iter()
        .filter_map(|rule| rule["Prefix"].as_str());
    assert!(expiring.clone().all(|prefix| {
        !["", "pending/", "manifests/", "outcomes/", "transactions/"].contains(&prefix)
    }));
}

/// Attempts and age both have an end.
fn limited(name: &str, policy: &Value) {
    assert!(
        policy["MaximumRetryAttempts"]
            .as_u64()
            .is_some_and(|attempts| attempts <= 185),
        "{name}"
    );
    let age = policy["MaximumEventAgeInSeconds"].as_u64();
    assert!(
        age.is_some_and(|age| (60..=21_600).contains(&age)),
        "{name}"
    );
}

#[test]
fn every_way_to_fail_has_its_alarm() {
    let template = template();
    let mut watched = BTreeSet::new();
    for (name, alarm) in resources(&template, "AWS::CloudWatch::Alarm") {
        assert_eq!(
            alarm["ComparisonOperator"], "GreaterThanOrEqualToThreshold",
            "{name}"
        );
        assert_eq!(alarm["TreatMissingData"], "notBreaching", "{name}");
        assert_eq!(alarm["AlarmActions"]["Fn::If"][0], "NotifyAlarms", "{name}");
        let namespace = alarm["Namespace"].as_str().unwrap_or("ours");
        let of = &alarm["Dimensions"][0]["Value"];
        let of = of["Ref"]
            .as_str()
            .or(of["Fn::GetAtt"][0].as_str())
            .unwrap_or_default();
        watched.insert(format!(
            "{namespace} {} {of}",
            alarm["MetricName"].as_str().unwrap()
        ));
    }
    let mut expected: BTreeSet<String> = BTreeSet::from(
        [
            "AWS/Lambda IteratorAge Score",
            "AWS/Lambda OnFailureDestinationDeliveredEventCount ScoreSource",
            "AWS/Lambda DroppedEventCount ScoreSource",
            "AWS/SQS ApproximateNumberOfMessagesVisible DeadLetters",
            "AWS/SQS ApproximateNumberOfMessagesVisible LoadDeadLetters",
            "AWS/SQS ApproximateAgeOfOldestMessage LoadQueue",
            "ours RejectedItems ",
            "ours LoadsGivenUp ",
        ]
        .map(str::to_owned),
    );
    for (name, _) in resources(&template, "AWS::Serverless::Function") {
        expected.insert(format!("AWS/Lambda Errors {name}"));
        if name != "Train" {
            expected.insert(format!("AWS/Lambda Throttles {name}")); // one train at a time is meant
        }
    }
    assert_eq!(watched, expected);
    // Of those metrics there are none unless they are asked for.
    let source = &template["Resources"]["ScoreSource"]["Properties"];
    assert_eq!(source["MetricsConfig"], json!({"Metrics": ["EventCount"]}));
}

#[test]
fn log_lines_that_are_counted_are_lines_that_the_functions_write() {
    let template = template();
    let mut found = BTreeSet::new();
    for (name, filter) in resources(&template, "AWS::Logs::MetricFilter") {
        let pattern = filter["FilterPattern"].as_str().unwrap();
        let text = pattern
            .strip_prefix("{ $.message = \"")
            .and_then(|rest| rest.strip_suffix("\" }"))
            .unwrap();
        let metric = &filter["MetricTransformations"][0];
        assert_eq!(
            metric["MetricNamespace"],
            json!({"Ref": "AWS::StackName"}),
            "{name}"
        );
        let log = filter["LogGroupName"]["Ref"].as_str().unwrap();
        found.insert((
            log.to_owned(),
            text.to_owned(),
            metric["MetricName"].as_str().unwrap().to_owned(),
        ));
    }
    let expected = [
        // The function that advances a load logs it: load or sweep.
        ("LoadLogs", "load given up*", "LoadsGivenUp"),
        ("ScoreLogs", "item rejected", "RejectedItems"),
        ("SweepLogs", "load given up*", "LoadsGivenUp"),
    ];
    assert_eq!(
        found,
        expected
            .map(|(log, text, metric)| (log.to_owned(), text.to_owned(), metric.to_owned()))
            .into()
    );
    for (folder, text) in [("score", "\"item rejected\""), ("load", "\"load given up")] {
        let sources = std::fs::read_dir(root().join("functions").join(folder).join("src")).unwrap();
        let writes =
            |path: &Path| std::fs::read_to_string(path).is_ok_and(|source| source.contains(text));
        assert!(
            sources.flatten().any(|source| writes(&source.path())),
            "{folder} does not log {text}"
        );
    }
}

#[test]
fn rights_are_narrow() {
    let template = template();
    let mut all = Vec::new();
    for kind in [
        "AWS::IAM::Role",
        "AWS::IAM::ManagedPolicy",
        "AWS::SQS::QueuePolicy",
    ] {
        resources(&template, kind)
            .iter()
            .for_each(|(_, policy)| statements(policy, &mut all));
    }
    assert!(all.len() > 15, "{}", all.len());
    for statement in all
        .iter()
        .filter(|statement| statement["Effect"] == "Allow")
    {
        assert!(
            texts(&statement["Action"])
                .iter()
                .all(|action| !action.contains('*')),
            "{statement}"
        );
        // The Data API's reads know no resource.
        let everywhere = texts(&statement["Resource"]).contains(&"*");
        assert_eq!(
            everywhere,
            statement["Sid"] == "FollowOwnStatements",
            "{statement}"
        );
        assert!(
            statement["Condition"]
                .to_string()
                .contains("owner")
                .eq(&false),
            "{statement}"
        );
    }
    // What Lambda gives up it writes as the function's role.
    let keeps = all
        .iter()
        .find(|statement| statement["Sid"] == "KeepFailedBatches")
        .unwrap();
    assert_eq!(keeps["Action"], "s3:PutObject");
    assert_eq!(
        keeps["Resource"],
        json!({"Fn::Sub": "${Bucket.Arn}/aws/lambda/*"})
    );
    let role_policies = template["Resources"]["StatementRole"]["Properties"].to_string();
    assert!(
        role_policies.contains("KeepFailedBatches"),
        "it must be the role of score"
    );
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
        assert_eq!(
            stream["StreamEncryption"]["EncryptionType"], "KMS",
            "{name}"
        );
    }
    for (name, queue) in resources(&template, "AWS::SQS::Queue") {
        assert_eq!(queue["SqsManagedSseEnabled"], true, "{name}");
    }
    for (name, bucket) in resources(&template, "AWS::S3::Bucket") {
        assert!(bucket["BucketEncryption"].is_object(), "{name}");
        let block = bucket["PublicAccessBlockConfiguration"]
            .as_object()
            .unwrap();
        assert!(
            block.len() == 4 && block.values().all(|on| on == true),
            "{name}"
        );
    }
    let mut policies = Vec::new();
    statements(
        &template["Resources"]["BucketPolicy"]["Properties"],
        &mut policies,
    );
    let (denied, allowed): (Vec<_>, Vec<_>) = policies
        .into_iter()
        .partition(|statement| statement["Effect"] == "Deny");
    assert_eq!(denied.len(), 1);
    assert_eq!(
        (&denied[0]["Principal"], &denied[0]["Action"]),
        (&json!("*"), &json!("s3:*"))
    );
    assert_eq!(
        denied[0]["Condition"],
        json!({"Bool": {"aws:SecureTransport": "false"}})
    );
    // The warehouse alone is let in, where it has a role of its own.
    assert_eq!(allowed.len(), 3);
    for statement in &allowed {
        assert_eq!(
            statement["Principal"],
            json!({"AWS": {"Ref": "WarehouseRoleArn"}}),
            "{statement}"
        );
    }
    let variables = &template["Globals"]["Function"]["Environment"]["Variables"];
    for name in variables.as_object().unwrap().keys().map(String::as_str) {
        let secret = ["PASSWORD", "SECRET", "TOKEN", "KEY"]
            .iter()
            .any(|word| name.contains(word));
        assert!(
            !secret || name == "WAREHOUSE_SECRET_ARN",
            "{name} looks like a secret"
        ); // its name is none
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
        .map(|queue| {
            queue["Filter"]["S3Key"]["Rules"][0]["Value"]
                .as_str()
                .unwrap()
        })
        .collect();
    assert_eq!(prefixes, ["transactions/", "labels/", "outcomes/dt"]);
}

#[test]
fn a_load_that_died_is_repeated_no_sooner_than_it_can_have_ended() {
    let template = template();
    let timeout = template["Resources"]["Load"]["Properties"]["Timeout"]
        .as_i64()
        .unwrap();
    let window = template["Parameters"]["LoadBatchingWindowSeconds"]["MaxValue"]
        .as_i64()
        .unwrap();
    let visibility = &template["Parameters"]["LoadVisibilitySeconds"];
    // AWS refuses less than the timeout, and advises six times it plus the batching window.
    assert!(visibility["MinValue"].as_i64().unwrap() >= timeout);
    assert!(visibility["Default"].as_i64().unwrap() >= 6 * timeout + window);
    // A queue's batch of more than ten needs a window.
    assert!(
        template["Parameters"]["LoadBatchingWindowSeconds"]["MinValue"]
            .as_i64()
            .unwrap()
            >= 1
    );
}
