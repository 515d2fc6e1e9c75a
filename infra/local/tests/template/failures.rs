//! Failed work is retried, and kept when the retries end.

use serde_json::{Value, json};

use crate::{resources, template};

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
    // 10,000 is Lambda's maximum. In an outage attempts can fail fast, and the record's age must
    // end the retries, not the number of attempts.
    assert_eq!(source["MaximumRetryAttempts"], 10_000);
    let age = &template["Parameters"][source["MaximumRecordAgeInSeconds"]["Ref"].as_str().unwrap()];
    assert!(
        age["MinValue"].as_i64().unwrap() > 0,
        "the age may be infinite"
    );
    assert!(
        age["MaxValue"].as_i64().unwrap() <= 604_800,
        "the age may exceed Lambda's maximum"
    );
    assert!(
        (3_600..=86_400).contains(&age["Default"].as_i64().unwrap()),
        "the default must outlast an outage and stay within the stream's retention"
    );
}

#[test]
fn failed_work_is_kept_in_a_queue_or_the_bucket() {
    let template = template();
    let dead_letters = json!({"Fn::GetAtt": ["DeadLetters", "Arn"]});
    let policy =
        &template["Resources"]["DeadLettersPolicy"]["Properties"]["PolicyDocument"]["Statement"][0];
    let allowed = policy["Condition"]["ArnEquals"]["aws:SourceArn"]
        .as_array()
        .unwrap();
    for (name, rule) in resources(&template, "AWS::Events::Rule") {
        for target in rule["Targets"].as_array().unwrap() {
            assert_eq!(target["DeadLetterConfig"]["Arn"], dead_letters, "{name}");
            limited(name, &target["RetryPolicy"]);
        }
        assert!(
            allowed.contains(&json!({"Fn::GetAtt": [name, "Arn"]})),
            "the queue policy does not allow {name} to send to the dead-letter queue"
        );
    }
    for (name, function) in resources(&template, "AWS::Serverless::Function") {
        let asynchronous = &function["EventInvokeConfig"];
        if name == "Score" {
            assert!(
                asynchronous.is_null(),
                "no caller invokes score asynchronously"
            );
            continue;
        }
        assert_eq!(
            asynchronous["DestinationConfig"]["OnFailure"]["Destination"], dead_letters,
            "{name}"
        );
        limited(name, asynchronous);
    }
    let queue = &template["Resources"]["LabelsQueue"]["Properties"];
    assert!(queue["RedrivePolicy"]["maxReceiveCount"].as_u64().unwrap() > 1);
    let wake = &template["Resources"]["WakeQueue"]["Properties"];
    assert!(
        wake["RedrivePolicy"].is_null(),
        "a wake-up is worth nothing"
    );
    for source in ["WakeSource", "LabelsSource"] {
        assert_eq!(
            template["Resources"][source]["Properties"]["FunctionResponseTypes"],
            json!(["ReportBatchItemFailures"]),
            "{source}"
        );
    }
    let rules = &template["Resources"]["Bucket"]["Properties"]["LifecycleConfiguration"]["Rules"];
    let expiring = rules
        .as_array()
        .unwrap()
        .iter()
        .filter_map(|rule| rule["Prefix"].as_str());
    let expiring: Vec<&str> = expiring.collect();
    // Never deleted: unfinished work, and the inputs of decisions.
    for kept in [
        "holds/",
        "waiting/",
        "turns/",
        "outcomes/",
        "transactions/",
        "labels/",
        "bundles/",
        "format.json",
        "aws/lambda/",
    ] {
        assert!(
            expiring.iter().all(|prefix| !kept.starts_with(prefix)),
            "{kept} expires"
        );
    }
    assert_eq!(expiring, ["quarantine/", "rejected/", "training/"]);
}

/// Checks that a retry policy limits both the attempts and the age of an event.
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
