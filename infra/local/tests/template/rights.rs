//! Permissions, encryption and public access.

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
    // Lambda writes failed batches with the function's role.
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
        "the statement must be in the role of score"
    );
    // Only the principal that submitted a statement may read it.
    let role = |function: &str| template["Resources"][function]["Properties"]["Role"].clone();
    for function in ["Confirm", "Sweep", "Load"] {
        assert_eq!(role(function), role("Score"), "{function}");
    }
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
