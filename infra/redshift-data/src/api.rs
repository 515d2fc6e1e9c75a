//! Requests and answers in the format of the real service.

use serde::Deserialize;
use serde_json::{Value, json};

use crate::statements::{ResultFormat, StatementRecord, Status, SubStatement};

#[derive(Debug, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub(crate) struct Parameter {
    #[serde(rename = "name")]
    pub(crate) name: String,
    #[serde(rename = "value")]
    pub(crate) value: String,
}

/// A request of ExecuteStatement or BatchExecuteStatement.
#[derive(Debug, Default, Deserialize)]
#[serde(rename_all = "PascalCase", default)]
pub(crate) struct Submission {
    pub(crate) sql: Option<String>,
    pub(crate) sqls: Vec<String>,
    pub(crate) cluster_identifier: Option<String>,
    pub(crate) workgroup_name: Option<String>,
    pub(crate) database: Option<String>,
    pub(crate) db_user: Option<String>,
    pub(crate) secret_arn: Option<String>,
    pub(crate) statement_name: Option<String>,
    pub(crate) with_event: bool,
    pub(crate) client_token: Option<String>,
    pub(crate) parameters: Option<Vec<Parameter>>,
    pub(crate) result_format: Option<String>,
    pub(crate) execution_mode: Option<String>,
    pub(crate) wait_time_seconds: Option<u64>,
}

/// A request of the other operations. Each uses some of the fields.
#[derive(Debug, Default, Deserialize)]
#[serde(rename_all = "PascalCase", default)]
pub(crate) struct Question {
    pub(crate) id: String,
    pub(crate) next_token: Option<String>,
    pub(crate) wait_time_seconds: Option<u64>,
    pub(crate) status: Option<String>,
    pub(crate) statement_name: Option<String>,
    pub(crate) max_results: Option<usize>,
}

pub(crate) fn submitted(record: &StatementRecord) -> Value {
    let mut answer = json!({
        "Id": record.id, "CreatedAt": record.created, "Database": record.target.database,
    });
    target(record, &mut answer);
    answer
}

fn target(record: &StatementRecord, answer: &mut Value) {
    let Some(answer) = answer.as_object_mut() else {
        return;
    };
    let given = [
        ("ClusterIdentifier", &record.target.cluster),
        ("WorkgroupName", &record.target.workgroup),
        ("DbUser", &record.target.db_user),
        ("SecretArn", &record.target.secret),
    ];
    for (name, value) in given {
        if let Some(value) = value {
            answer.insert(name.to_owned(), json!(value));
        }
    }
}

pub(crate) fn description(record: &StatementRecord) -> Value {
    let last = record.subs.last();
    let has_rows = record.subs.iter().any(|sub| !sub.columns.is_empty());
    let format = match record.format {
        ResultFormat::Json => "json",
        ResultFormat::Csv => "csv",
    };
    let mut answer = json!({
        "Id": record.id,
        "Status": record.status.name(),
        "Database": record.target.database,
        "CreatedAt": record.created,
        "UpdatedAt": record.updated,
        "Duration": record.duration.as_nanos() as i64,
        "HasResultSet": record.status == Status::Finished && has_rows,
        "ResultRows": last.map_or(-1, |sub| sub.result_rows),
        "ResultSize": last.map_or(0, |sub| sub.size),
        "RedshiftPid": 0,
        "RedshiftQueryId": 0,
        "ResultFormat": format,
    });
    target(record, &mut answer);
    let Some(fields) = answer.as_object_mut() else {
        return answer;
    };
    if let Some(error) = &record.error {
        fields.insert("Error".to_owned(), json!(error));
    }
    if !record.parameters.is_empty() {
        let parameters = record
            .parameters
            .iter()
            .map(|(name, value)| json!({ "name": name, "value": value }));
        fields.insert("QueryParameters".to_owned(), parameters.collect());
    }
    if record.batch {
        let subs = record
            .subs
            .iter()
            .enumerate()
            .map(|(place, sub)| sub_description(&record.id, place, sub));
        fields.insert("SubStatements".to_owned(), subs.collect());
    } else if let Some(sub) = last {
        fields.insert("QueryString".to_owned(), json!(sub.sql));
    }
    answer
}

fn sub_description(id: &str, place: usize, sub: &SubStatement) -> Value {
    let mut answer = json!({
        "Id": format!("{id}:{}", place + 1),
        "Status": sub.status.name(),
        "QueryString": sub.sql,
        "HasResultSet": !sub.columns.is_empty(),
        "ResultRows": sub.result_rows,
        "ResultSize": sub.size,
        "Duration": sub.duration.as_nanos() as i64,
        "RedshiftQueryId": 0,
        "UpdatedAt": sub.updated,
    });
    if let (Some(error), Some(answer)) = (&sub.error, answer.as_object_mut()) {
        answer.insert("Error".to_owned(), json!(error));
    }
    answer
}

pub(crate) fn listed(record: &StatementRecord) -> Value {
    let mut answer = json!({
        "Id": record.id, "Status": record.status.name(), "IsBatchStatement": record.batch,
        "CreatedAt": record.created, "UpdatedAt": record.updated,
    });
    let Some(fields) = answer.as_object_mut() else {
        return answer;
    };
    if let Some(name) = &record.name {
        fields.insert("StatementName".to_owned(), json!(name));
    }
    if record.batch {
        fields.insert(
            "QueryStrings".to_owned(),
            record.subs.iter().map(|sub| sub.sql.clone()).collect(),
        );
    } else if let Some(sub) = record.subs.first() {
        fields.insert("QueryString".to_owned(), json!(sub.sql));
    }
    answer
}
