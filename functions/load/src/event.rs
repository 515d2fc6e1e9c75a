use aws_lambda_events::event::sqs::SqsEvent;
use serde::Deserialize;

#[derive(Debug, Deserialize)]
#[serde(untagged)]
pub enum LoadEvent {
    /// SQS messages with S3 notifications of new objects.
    Objects(SqsEvent),
    /// EventBridge's "Redshift Data Statement Status Change".
    StatementEnded { detail: StatementEnded },
}

/// The fields that we use. We ask the warehouse for the status, so the event's `state` is not read.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct StatementEnded {
    /// The warehouse's id of the statement.
    pub statement_id: String,
    /// The name that we gave the statement. Some events lack it.
    #[serde(default)]
    pub statement_name: Option<String>,
}
