use aws_lambda_events::event::sqs::SqsEvent;
use serde::Deserialize;

/// What the function is called with.
#[derive(Debug, Deserialize)]
#[serde(untagged)]
pub enum Event {
    /// S3 notifications of new objects, by way of SQS.
    Objects(SqsEvent),
    /// EventBridge says that a statement has ended.
    StatementEnded {
        /// Which.
        detail: StatementEnded,
    },
}

/// The part we rely on of "Redshift Data Statement Status Change". The state in it is not even
/// read: the warehouse knows better.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct StatementEnded {
    /// The warehouse's id of the statement.
    pub statement_id: String,
    /// The name we gave it. Not always there.
    #[serde(default)]
    pub statement_name: Option<String>,
}
