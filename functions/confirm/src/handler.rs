use decision::SettledBy;
use jiff::Timestamp;
use serde::Deserialize;
use store::{Objects, Stream};
use warehouse::{StatementId, Warehouse};

use crate::{Error, SecondModel, SettleReport, Settler};

/// The fields that we use of EventBridge's "Redshift Data Statement Status Change".
#[derive(Debug, Deserialize)]
pub struct CompletionEvent {
    pub detail: StatementEnded,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct StatementEnded {
    /// The warehouse's id of the statement.
    pub statement_id: String,
    /// How the statement ended according to the event. Only logged: we ask the warehouse.
    pub state: String,
    /// The name that we gave the statement. Some events lack it.
    #[serde(default)]
    pub statement_name: Option<String>,
}

#[derive(Debug)]
pub struct Handler<'a, O, D, W, M> {
    pub settler: Settler<'a, O, D, W, M>,
    /// The prefix of our statements' names.
    pub statement_prefix: String,
}

impl<O: Objects, D: Stream, W: Warehouse, M: SecondModel> Handler<'_, O, D, W, M> {
    /// Settles the holds of the statement that ended. Ignores statements of other stacks, and of
    /// other functions.
    pub async fn handle(
        &self,
        event: CompletionEvent,
        now: Timestamp,
    ) -> Result<SettleReport, Error> {
        let ended = event.detail;
        let prefix = format!("{}-confirm-", self.statement_prefix);
        let name = match ended.statement_name {
            Some(name) => Some(name),
            None => {
                let id = StatementId(ended.statement_id.clone());
                self.settler.find(&prefix, &id).await?
            }
        };
        let report = match name {
            Some(name) if name.starts_with(&prefix) => {
                self.settler.settle(&name, SettledBy::Confirm, now).await?
            }
            _ => SettleReport {
                absent: 1,
                ..SettleReport::default()
            },
        };
        tracing::info!(
            statement_id = ended.statement_id,
            state = ended.state,
            settled = report.settled(),
            submitted = report.submitted,
            waiting = report.waiting,
            absent = report.absent,
            "completion event handled"
        );
        Ok(report)
    }
}
