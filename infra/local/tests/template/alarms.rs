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
            // Train is left out because it runs once at a time on purpose.
            expected.insert(format!("AWS/Lambda Throttles {name}"));
        }
    }
    assert_eq!(watched, expected);
    // Lambda emits the metrics of the event source only on request.
    let source = &template["Resources"]["ScoreSource"]["Properties"];
    assert_eq!(source["MetricsConfig"], json!({"Metrics": ["EventCount"]}));
}

#[test]
fn functions_write_the_log_lines_that_alarms_count() {
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
        // Both load and sweep advance loads, so both write this line.
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
