//! The alarms and the log lines that they count.

use std::collections::BTreeSet;
use std::path::Path;

use local::root;
use serde_json::json;

use crate::{resources, template};

#[test]
fn each_kind_of_failure_has_an_alarm() {
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
            "AWS/SQS ApproximateNumberOfMessagesVisible LabelsDeadLetters",
            "ours RefusedBundles ",
            "ours StaleProfiles ",
            "ours RejectedItems ",
            "ours StreamRefuses ",
            "ours Quarantined ",
            "ours FailedStatements ",
            "ours LanesStandStill ",
            "ours DamagedObjects ",
        ]
        .map(str::to_owned),
    );
    for (name, _) in resources(&template, "AWS::Serverless::Function") {
        expected.insert(format!("AWS/Lambda Errors {name}"));
        if name != "Train" {
            // Train is left out because it runs once at a time on purpose.
            expected.insert(format!("AWS/Lambda Throttles {name}"));
        }
    }
    assert_eq!(watched, expected);
    // Lambda emits the metrics of the event source only on request.
    let source = &template["Resources"]["ScoreSource"]["Properties"];
    assert_eq!(source["MetricsConfig"], json!({"Metrics": ["EventCount"]}));
}

/// The messages that a filter pattern counts: `{ $.message = "…" || $.message = "…" }`.
fn messages(pattern: &str) -> Vec<&str> {
    let inner = pattern.strip_prefix("{ ").unwrap().strip_suffix(" }");
    let terms = inner.unwrap().split(" || ");
    terms
        .map(|term| {
            let quoted = term.strip_prefix("$.message = \"").unwrap();
            quoted.strip_suffix('"').unwrap()
        })
        .collect()
}

#[test]
fn functions_write_the_log_lines_that_alarms_count() {
    let template = template();
    let mut found = BTreeSet::new();
    for (name, filter) in resources(&template, "AWS::Logs::MetricFilter") {
        let metric = &filter["MetricTransformations"][0];
        assert_eq!(
            metric["MetricNamespace"],
            json!({"Ref": "AWS::StackName"}),
            "{name}"
        );
        let log = filter["LogGroupName"]["Ref"].as_str().unwrap();
        let metric = metric["MetricName"].as_str().unwrap();
        for message in messages(filter["FilterPattern"].as_str().unwrap()) {
            found.insert([log, message, metric].map(str::to_owned));
        }
    }
    // Each function that can write a line is watched for it. Load, confirm and sweep advance turns;
    // confirm and sweep settle holds.
    let mut expected = BTreeSet::from([
        ["ScoreLogs", "items rejected", "RejectedItems"],
        [
            "ScoreLogs",
            "decisions stream refuses records*",
            "StreamRefuses",
        ],
        ["ScoreLogs", "bundle version refused", "RefusedBundles"],
        ["ScoreLogs", "profiles are stale", "StaleProfiles"],
        ["SweepLogs", "lane stands still*", "LanesStandStill"],
    ]);
    for log in ["LoadLogs", "SweepLogs"] {
        expected.insert([log, "*in quarantine*", "Quarantined"]);
    }
    for log in ["LoadLogs", "ConfirmLogs", "SweepLogs"] {
        for message in [
            "statement failed",
            "statement refused",
            "statement cancelled",
        ] {
            expected.insert([log, message, "FailedStatements"]);
        }
    }
    for log in ["ConfirmLogs", "SweepLogs"] {
        expected.insert([log, "damaged object*", "DamagedObjects"]);
    }
    let expected = expected
        .into_iter()
        .map(|line| line.map(str::to_owned))
        .collect();
    assert_eq!(found, expected);
    // One log line stands for all rejected items of a batch.
    let rejected = &template["Resources"]["RejectedItems"]["Properties"];
    let counted = &rejected["MetricTransformations"][0]["MetricValue"];
    assert_eq!(counted, "$.items");
    for [folder, text] in [
        ["score/src", "\"items rejected\""],
        ["score/src", "items = "],
        ["score/src", "\"decisions stream refuses records"],
        ["lib/startup/src", "\"bundle version refused\""],
        ["sweep/src", "\"lane stands still"],
        ["load/src", "\"rows in quarantine"],
        ["lib/turns/src/turns", "\"object in quarantine"],
        ["lib/turns/src/turns", "\"statement failed\""],
        ["lib/turns/src/turns", "\"statement refused\""],
        ["lib/turns/src/turns", "\"statement cancelled\""],
        ["confirm/src", "\"damaged object"],
    ] {
        let sources = std::fs::read_dir(root().join("functions").join(folder)).unwrap();
        let writes =
            |path: &Path| std::fs::read_to_string(path).is_ok_and(|source| source.contains(text));
        assert!(
            sources.flatten().any(|source| writes(&source.path())),
            "{folder} does not log {text}"
        );
    }
}
