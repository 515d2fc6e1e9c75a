use decision::SettledBy;
use jiff::Timestamp;
use serde::Deserialize;
use store::{Objects, Stream};
use warehouse::{StatementId, Warehouse};

use crate::{Error, SecondModel, SettleReport, Settler};

/// "Redshift Data Statement Status Change", as EventBridge sends it: the part we rely on.
#[derive(Debug, Deserialize)]
pub struct Event {
    /// Which statement.
    pub detail: StatementEnded,
}

/// A hint that a statement has ended.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct StatementEnded {
    /// The warehouse's id of the statement.
    pub statement_id: String,
    /// How it ended, says the event. Only logged: the warehouse is asked.
    pub state: String,
    /// The name we gave it. Not always there.
    #[serde(default)]
    pub statement_name: Option<String>,
}

/// Settles the holds of the statement that the event hints at. `statement_prefix` is what all our
/// statements' names begin with.
pub async fn handle<O: Objects, D: Stream, W: Warehouse, J: SecondModel>(
    settler: &Settler<'_, O, D, W, J>,
    statement_prefix: &str,
    event: Event,
    now: Timestamp,
) -> Result<SettleReport, Error> {
    let StatementEnded {
        statement_id,
        state,
        statement_name,
    } = event.detail;
    let ours = format!("{statement_prefix}-confirm-");
    let name = match statement_name {
        Some(name) => Some(name),
        None => {
            settler
                .find(&ours, &StatementId(statement_id.clone()))
                .await?
        }
    };
    let report = match name {
        Some(name) if name.starts_with(&ours) => {
            settler.settle(&name, SettledBy::Confirm, now).await?
        }
        _ => SettleReport {
            absent: 1,
            ..SettleReport::default()
        },
    };
    tracing::info!(
        statement_id,
        state,
        settled = report.settled(),
        submitted = report.submitted,
        waiting = report.waiting,
        absent = report.absent,
        "statement ended"
    );
    Ok(report)
}
