use std::collections::BTreeMap;
use std::time::Duration;

use jiff::Timestamp;
use load::Definitions;
use serde::Deserialize;
use startup::chain;
use store::{Objects, Stream};
use turns::{Lane, Progress, TurnId, Turns};
use warehouse::Warehouse;

use crate::{Bundles, Error, EvidenceWork};

/// The fields that we use of EventBridge's "Redshift Data Statement Status Change".
#[derive(Debug, Deserialize)]
pub struct CompletionEvent {
    pub detail: StatementEnded,
}

/// We ask the warehouse for the status, so the event's `state` is not read.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct StatementEnded {
    /// The warehouse's id of the statement.
    pub statement_id: String,
    /// The name that we gave the statement. Some events lack it.
    #[serde(default)]
    pub statement_name: Option<String>,
}

pub struct Handler<'a, O, W, D, B, L> {
    pub turns: Turns<'a, O, W, EvidenceWork<'a, O, W, D, B, L>>,
    pub evidence_lanes: u16,
}

impl<O: Objects, W: Warehouse, D: Stream, B: Bundles, L: Definitions> Handler<'_, O, W, D, B, L> {
    /// Advances the lane of the statement that ended or, if the statement has no name, every
    /// evidence lane. Ignores statements of other stacks and of other lanes.
    ///
    /// A failure in one lane does not stop the others. A failed statement is tried again in this
    /// invocation if its pause fits `time_left`, the time until the function is stopped.
    pub async fn handle(
        &self,
        event: CompletionEvent,
        now: Timestamp,
        time_left: Duration,
    ) -> Result<BTreeMap<String, Progress>, Error> {
        let ended = event.detail;
        let mut progress = BTreeMap::new();
        let mut failed = None;
        for lane in self.lanes(&ended) {
            match self.turns.advance_within(lane, now, time_left).await {
                Ok(stands) => {
                    progress.insert(lane.to_string(), stands);
                }
                Err(error) => {
                    tracing::error!(%lane, error = chain(&error), "evidence lane not advanced");
                    failed = Some(error);
                }
            }
        }
        tracing::info!(
            statement_id = ended.statement_id,
            lanes = ?progress,
            "completion event handled"
        );
        failed.map_or(Ok(progress), |error| Err(error.into()))
    }

    fn lanes(&self, ended: &StatementEnded) -> Vec<Lane> {
        let Some(name) = &ended.statement_name else {
            return (0..self.evidence_lanes).map(Lane::Evidence).collect();
        };
        let turn = TurnId::of_statement_name(&self.turns.settings.stack, name);
        let lane = turn.map(|(turn, _)| turn.lane);
        lane.filter(|lane| !lane.loads()).into_iter().collect()
    }
}
