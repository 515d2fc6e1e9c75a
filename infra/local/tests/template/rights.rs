//! Permissions, encryption and public access.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::{Value, json};

use crate::{resources, template};

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
fn permissions_name_their_actions_and_resources() {
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
        // The Data API's read operations support no resource-level permissions.
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
    // Only the principal that submitted a statement may read it, and load, confirm and sweep take
    // each other's turns further.
    let role = |function: &str| template["Resources"][function]["Properties"]["Role"].clone();
    for function in ["Confirm", "Sweep", "Load"] {
        assert_eq!(
            role(function),
            json!({"Fn::GetAtt": ["StatementRole", "Arn"]})
        );
    }
    assert_eq!(role("Score"), json!({"Fn::GetAtt": ["ScoreRole", "Arn"]}));
}

/// The actions that a role allows, and the keys of the bucket that each is allowed on.
fn allowed(role: &str) -> BTreeMap<String, BTreeSet<String>> {
    let template = template();
    let mut all = Vec::new();
    statements(
        &template["Resources"][role]["Properties"]["Policies"],
        &mut all,
    );
    let mut allowed: BTreeMap<String, BTreeSet<String>> = BTreeMap::new();
    for statement in &all {
        let resources = texts(&statement["Resource"]);
        let keys = resources
            .iter()
            .filter_map(|text| text.strip_prefix("${Bucket.Arn}/"))
            .map(str::to_owned);
        let keys: Vec<String> = keys.collect();
        for action in texts(&statement["Action"]) {
            let of_action = allowed.entry(action.to_owned()).or_default();
            of_action.extend(keys.iter().cloned());
        }
    }
    allowed
}

#[test]
fn score_cannot_reach_the_warehouse_and_deletes_nothing() {
    let template = template();
    let role = &template["Resources"]["ScoreRole"]["Properties"];
    assert!(role["ManagedPolicyArns"].is_null(), "{role}");
    let allowed = allowed("ScoreRole");
    for action in allowed.keys() {
        let service = action.split(':').next().unwrap();
        assert!(["s3", "kinesis", "logs"].contains(&service), "{action}");
        assert!(!action.contains("Delete"), "{action}");
    }
    // What it writes, and the failed batches, which Lambda writes with the function's role.
    let written = [
        "aws/lambda/*",
        "format.json",
        "holds/*",
        "rejected/*",
        "transactions/*",
        "waiting/transactions/*",
    ];
    assert_eq!(
        allowed["s3:PutObject"],
        BTreeSet::from(written.map(str::to_owned))
    );
}

#[test]
fn statements_never_delete_or_replace_transactions_and_outcomes_stay() {
    let allowed = allowed("StatementRole");
    let deleted = ["holds/*", "turns/*", "waiting/*"];
    assert_eq!(
        allowed["s3:DeleteObject"],
        BTreeSet::from(deleted.map(str::to_owned))
    );
    let written = [
        "format.json",
        "holds/*",
        "outcomes/*",
        "quarantine/*",
        "turns/*",
        "waiting/*",
    ];
    assert_eq!(
        allowed["s3:PutObject"],
        BTreeSet::from(written.map(str::to_owned))
    );
}

#[test]
fn stored_data_is_encrypted_and_private() {
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
    // Only the warehouse has access, and only if it has a role of its own.
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
        ); // it holds a name, not a secret
    }
}
