//! Stream records, completion events, schedules and new objects reach their functions.

use local::root;
use serde_json::{Value, json};

use crate::template;

#[test]
fn each_final_state_of_a_statement_reaches_its_function() {
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
fn notification_prefixes_need_no_percent_encoding() {
    // S3 compares a filter with the percent-encoded key, so `outcomes/dt=` would never match.
    let template = template();
    let bucket = &template["Resources"]["Bucket"]["Properties"];
    let queues = &bucket["NotificationConfiguration"]["QueueConfigurations"];
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
fn a_failed_load_is_repeated_only_after_its_timeout() {
    let template = template();
    let timeout = template["Resources"]["Load"]["Properties"]["Timeout"]
        .as_i64()
        .unwrap();
    let window = template["Parameters"]["LoadBatchingWindowSeconds"]["MaxValue"]
        .as_i64()
        .unwrap();
    let visibility = &template["Parameters"]["LoadVisibilitySeconds"];
    // AWS refuses less than the timeout, and recommends six times the timeout plus the window.
    assert!(visibility["MinValue"].as_i64().unwrap() >= timeout);
    assert!(visibility["Default"].as_i64().unwrap() >= 6 * timeout + window);
    // Lambda requires a window for batches of more than ten messages.
    assert!(
        template["Parameters"]["LoadBatchingWindowSeconds"]["MinValue"]
            .as_i64()
            .unwrap()
            >= 1
    );
}
