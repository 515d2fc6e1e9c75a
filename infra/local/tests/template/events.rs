//! Stream records, completion events, schedules and new objects reach their functions.

use local::root;
use serde_json::{Value, json};

use crate::template;

#[test]
fn each_final_state_of_a_statement_reaches_its_function() {
    let template = template();
    for (name, lanes) in [
        ("ConfirmRule", &["evidence-"][..]),
        ("LoadRule", &["transactions/", "labels/", "outcomes/"]),
    ] {
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
        let prefix =
            |lane: &&str| json!({"prefix": {"Fn::Sub": format!("${{AWS::StackName}}/{lane}")}});
        let prefixes: Vec<Value> = lanes.iter().map(prefix).collect();
        assert_eq!(pattern["detail"]["statementName"], json!(prefixes));
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
fn profiles_are_updated_daily_by_one_run_at_a_time() {
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
fn new_entries_that_are_held_and_new_labels_notify_load() {
    let template = template();
    let bucket = &template["Resources"]["Bucket"]["Properties"];
    let queues = &bucket["NotificationConfiguration"]["QueueConfigurations"];
    let queues: Vec<(&Value, Vec<&str>)> = queues
        .as_array()
        .unwrap()
        .iter()
        .map(|queue| {
            assert_eq!(queue["Event"], "s3:ObjectCreated:*");
            let rules = queue["Filter"]["S3Key"]["Rules"].as_array().unwrap();
            let values = rules.iter().map(|rule| rule["Value"].as_str().unwrap());
            (&queue["Queue"], values.collect())
        })
        .collect();
    let queue = |name: &str| json!({"Fn::GetAtt": [name, "Arn"]});
    // S3 compares a filter with the percent-encoded key: these texts need no encoding.
    assert_eq!(
        queues,
        [
            (&queue("WakeQueue"), vec!["waiting/", ".held"]),
            (&queue("LabelsQueue"), vec!["labels/"]),
        ]
    );
    for (source, queue_name) in [("WakeSource", "WakeQueue"), ("LabelsSource", "LabelsQueue")] {
        let source = &template["Resources"][source]["Properties"];
        assert_eq!(source["EventSourceArn"], queue(queue_name));
        assert_eq!(source["FunctionName"], json!({"Ref": "Load"}));
    }
}

#[test]
fn wake_ups_stay_few_and_labels_are_repeated_only_after_a_timeout() {
    let template = template();
    let resource = |name: &str| template["Resources"][name]["Properties"].clone();
    let timeout = resource("Load")["Timeout"].as_i64().unwrap();
    // AWS refuses less than the timeout, and recommends six times the timeout. A lost
    // wake-up does no harm: the sweep starts its turn.
    let visibility = |queue: &str| resource(queue)["VisibilityTimeout"].as_i64().unwrap();
    assert!(visibility("WakeQueue") >= timeout);
    assert!(visibility("LabelsQueue") >= 6 * timeout);
    let kept = |queue: &str| resource(queue)["MessageRetentionPeriod"].as_i64().unwrap();
    assert_eq!(kept("WakeQueue"), 300);
    assert_eq!(kept("LabelsQueue"), 14 * 86_400);
    // However many entries wait, few invocations look for the next turn.
    for source in ["WakeSource", "LabelsSource"] {
        assert_eq!(
            resource(source)["ScalingConfig"],
            json!({"MaximumConcurrency": 2}),
            "{source}"
        );
    }
}

#[test]
fn a_shard_has_one_batch_at_a_time() {
    // A turn takes the first batches of each shard: they must be written in order.
    let template = template();
    let source = &template["Resources"]["ScoreSource"]["Properties"];
    assert_eq!(source["ParallelizationFactor"], 1);
}
