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
    // Lambda's maximum: a fast-failing outage must not use up the attempts before the age decides.
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

/// Checks that attempts and age are both limited.
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
