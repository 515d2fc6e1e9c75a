//! The permissions and environment variables for each kind of warehouse and credentials.

use serde_json::{Value, json};

use crate::resolved::Resolver;
use crate::template;

const DATABASE: (&str, &str) = ("WarehouseDatabase", "dev");
const WORKGROUP: [(&str, &str); 2] = [
    ("WarehouseWorkgroup", "cards"),
    ("WarehouseWorkgroupId", "4d30b2b5"),
];
const CLUSTER: (&str, &str) = ("WarehouseCluster", "big");
const SECRET: (&str, &str) = ("WarehouseSecretArn", "arn:aws:secretsmanager:x:y:secret:z");
const USER: (&str, &str) = ("WarehouseDbUser", "second_look");

fn arn(service: &str, rest: &str) -> String {
    format!("arn:${{AWS::Partition}}:{service}:${{AWS::Region}}:${{AWS::AccountId}}:{rest}")
}

/// The functions' permissions on the warehouse: action and resources. Without the actions that
/// support no resource-level permissions.
fn permissions(resolver: &Resolver<'_>, template: &Value) -> Vec<(String, Value)> {
    let policy = resolver
        .resolved(&template["Resources"]["WarehousePolicy"]["Properties"]["PolicyDocument"]);
    let statements = policy["Statement"].as_array().unwrap().iter();
    let limited = statements.filter(|statement| statement["Sid"] != "FollowOwnStatements");
    let permissions = limited.flat_map(|statement| {
        let actions = statement["Action"]
            .as_array()
            .cloned()
            .unwrap_or_else(|| vec![statement["Action"].clone()]);
        actions.into_iter().map(|action| {
            (
                action.as_str().unwrap().to_owned(),
                statement["Resource"].clone(),
            )
        })
    });
    permissions.collect()
}

fn environment(resolver: &Resolver<'_>, template: &Value) -> Vec<(String, String)> {
    let variables = resolver.resolved(&template["Globals"]["Function"]["Environment"]["Variables"]);
    let variables = variables.as_object().unwrap().clone().into_iter();
    let ours = variables
        .filter(|(name, _)| name.starts_with("WAREHOUSE_") && name != "WAREHOUSE_ROLE_ARN");
    ours.map(|(name, value)| (name, value.as_str().unwrap().to_owned()))
        .collect()
}

fn check(
    given: &[(&str, &str)],
    further_permissions: &[(&str, Value)],
    submits_to: &str,
    names: &[(&str, &str)],
) {
    let template = template();
    let given = [given, &[DATABASE]].concat();
    let resolver = Resolver::new(&template, &given);
    assert!(resolver.is_accepted(), "{given:?}");
    let submit = [
        "redshift-data:ExecuteStatement",
        "redshift-data:BatchExecuteStatement",
    ];
    let mut expected: Vec<(String, Value)> = submit
        .map(|action| (action.to_owned(), json!(submits_to)))
        .to_vec();
    expected.extend(
        further_permissions
            .iter()
            .map(|(action, resources)| ((*action).to_owned(), resources.clone())),
    );
    assert_eq!(permissions(&resolver, &template), expected, "{given:?}");
    let mut variables = vec![("WAREHOUSE_DATABASE".to_owned(), "dev".to_owned())];
    variables.extend(
        names
            .iter()
            .map(|(name, value)| ((*name).to_owned(), (*value).to_owned())),
    );
    variables.sort();
    assert_eq!(environment(&resolver, &template), variables, "{given:?}");
}

#[test]
fn each_kind_of_warehouse_has_only_the_permissions_it_needs() {
    let workgroup = arn("redshift-serverless", "workgroup/4d30b2b5");
    let cluster = arn("redshift", "cluster:big");
    let database = arn("redshift", "dbname:big/dev");
    let secret = [("secretsmanager:GetSecretValue", json!(SECRET.1))];
    check(
        &WORKGROUP,
        &[("redshift-serverless:GetCredentials", json!(workgroup))],
        &workgroup,
        &[("WAREHOUSE_WORKGROUP", "cards")],
    );
    check(
        &[WORKGROUP[0], WORKGROUP[1], SECRET],
        &secret,
        &workgroup,
        &[
            ("WAREHOUSE_WORKGROUP", "cards"),
            ("WAREHOUSE_SECRET_ARN", SECRET.1),
        ],
    );
    check(
        &[CLUSTER],
        &[("redshift:GetClusterCredentialsWithIAM", json!([database]))],
        &cluster,
        &[("WAREHOUSE_CLUSTER", "big")],
    );
    check(
        &[CLUSTER, USER],
        &[(
            "redshift:GetClusterCredentials",
            json!([database, arn("redshift", "dbuser:big/second_look")]),
        )],
        &cluster,
        &[
            ("WAREHOUSE_CLUSTER", "big"),
            ("WAREHOUSE_DB_USER", "second_look"),
        ],
    );
    check(
        &[CLUSTER, SECRET],
        &secret,
        &cluster,
        &[
            ("WAREHOUSE_CLUSTER", "big"),
            ("WAREHOUSE_SECRET_ARN", SECRET.1),
        ],
    );
}

#[test]
fn the_template_requires_one_warehouse_and_its_id() {
    let template = template();
    let accepted = |given: &[(&str, &str)]| Resolver::new(&template, given).is_accepted();
    assert!(accepted(&WORKGROUP) && accepted(&[CLUSTER]));
    assert!(!accepted(&[]), "none");
    assert!(!accepted(&[WORKGROUP[0], WORKGROUP[1], CLUSTER]), "two");
    assert!(!accepted(&WORKGROUP[..1]), "a workgroup without its id");
    let id = &template["Parameters"]["WarehouseWorkgroupId"];
    assert_eq!(
        (&id["Default"], &id["AllowedPattern"]),
        (&json!(""), &json!("[0-9A-Za-z-]*"))
    );
}
