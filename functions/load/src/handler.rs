use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use aws_lambda_events::event::sqs::{SqsBatchResponse, SqsEvent};
use decision::keys::LABELS;
use jiff::Timestamp;
use serde::Serialize;
use sha2::{Digest, Sha256};
use startup::chain;
use store::Objects;
use turns::{FileEntry, Lane, Progress, Started, Starter, TurnId, Turns, WaitingEntry};
use warehouse::Warehouse;

use crate::label_hours::label_hours;
use crate::{Definitions, Error, LoadEvent, LoadWork, NewObject, StatementEnded, new_objects};

/// The lanes that this function's own statements belong to.
const LOAD_LANES: [Lane; 3] = [Lane::Transactions, Lane::Labels, Lane::Outcomes];

pub struct Handler<'a, O, W, D> {
    pub turns: Turns<'a, O, W, LoadWork<'a, O, W, D>>,
}

#[derive(Debug, Serialize)]
#[serde(untagged)]
pub enum Response {
    /// For notifications: the messages that SQS must deliver again.
    Objects(SqsBatchResponse),
    /// For a completion event: the progress of each lane, by name.
    StatementEnded { lanes: BTreeMap<String, Progress> },
}

impl<O: Objects, W: Warehouse, D: Definitions> Handler<'_, O, W, D> {
    /// `time_left` is the time until the function is stopped. A failed statement is tried again in
    /// this invocation if its pause fits.
    pub async fn handle(
        &self,
        event: LoadEvent,
        now: Timestamp,
        time_left: Duration,
    ) -> Result<Response, Error> {
        match event {
            LoadEvent::Objects(messages) => {
                Ok(Response::Objects(self.objects_created(messages, now).await))
            }
            LoadEvent::StatementEnded { detail } => {
                let lanes = self.statement_ended(detail, now, time_left).await?;
                Ok(Response::StatementEnded { lanes })
            }
        }
    }

    /// Writes the waiting entries of new fraud reports, then looks for the next turn of each lane
    /// that something new waits in.
    ///
    /// A message fails if it is unreadable or if an entry could not be written. A turn that does
    /// not start does not fail the message: the sweep starts it.
    async fn objects_created(&self, event: SqsEvent, now: Timestamp) -> SqsBatchResponse {
        let mut failed: BTreeSet<String> = BTreeSet::new();
        let mut lanes: BTreeSet<Lane> = BTreeSet::new();
        for message in event.records {
            let id = message.message_id.unwrap_or_default();
            match new_objects(message.body.as_deref()) {
                Ok(objects) => {
                    for object in objects {
                        match self.lane_of(&object).await {
                            Ok(lane) => lanes.extend(lane),
                            Err(error) => {
                                tracing::error!(
                                    key = object.key,
                                    error = chain(&error),
                                    "waiting entry not written: SQS delivers the message again"
                                );
                                failed.insert(id.clone());
                            }
                        }
                    }
                }
                Err(error) => {
                    tracing::error!(
                        message = id,
                        %error,
                        "unreadable message: SQS delivers it again, then moves it to the \
                         dead-letter queue"
                    );
                    failed.insert(id);
                }
            }
        }
        for lane in lanes {
            self.start(lane, now).await;
        }
        let mut response = SqsBatchResponse::default();
        response.set_failures(failed);
        response
    }

    async fn start(&self, lane: Lane, now: Timestamp) {
        if let Err(error) = self.start_or_advance(lane, now).await {
            tracing::error!(
                %lane,
                error = chain(&error),
                "turn not started: the next sweep starts it"
            );
        }
    }

    /// Starts the lane's next turn. If a turn runs that its events left alone, takes that one
    /// further: a lost event costs the grace time, not the time to the next sweep.
    async fn start_or_advance(&self, lane: Lane, now: Timestamp) -> Result<(), turns::Error> {
        let started = self.turns.start(lane, Starter::Event, now).await?;
        tracing::info!(%lane, ?started, "looked for the next turn");
        if started == Started::Busy {
            let progress = self.turns.advance_overdue(lane, now).await?;
            if let Some(progress) = progress {
                tracing::warn!(%lane, ?progress, "turn was left alone by its events");
            }
        }
        Ok(())
    }

    /// The lane that a new object waits in. For fraud reports, writes the waiting entry first.
    async fn lane_of(&self, object: &NewObject) -> Result<Option<Lane>, Error> {
        let is_ours = object.bucket == self.turns.settings.bucket;
        // The S3 console creates an empty object for a folder.
        let is_folder = object.key.ends_with('/');
        if is_ours && object.key.starts_with(LABELS) && !is_folder && object.bytes > 0 {
            self.let_wait(object).await?;
            return Ok(Some(Lane::Labels));
        }
        if let Some(entry) = WaitingEntry::parse(&object.key).filter(|_| is_ours) {
            return Ok(Some(entry.lane()));
        }
        tracing::warn!(
            bucket = object.bucket,
            key = object.key,
            bytes = object.bytes,
            "object ignored: it is neither a waiting entry nor a file of fraud reports"
        );
        Ok(None)
    }

    /// Writes the waiting entry of a file of fraud reports. A repeated notification writes the same
    /// entry again.
    async fn let_wait(&self, object: &NewObject) -> Result<(), Error> {
        let mut id = hex::encode(Sha256::digest(format!("{}/{}", object.version, object.key)));
        id.truncate(16);
        let entry = WaitingEntry::Labels(FileEntry {
            arrived_at: object.created_at,
            id,
            bytes: object.bytes,
            hours: label_hours(self.turns.objects, object).await?,
        });
        let content = object.key.clone().into_bytes();
        self.turns.objects.put(&entry.key(), content).await?;
        Ok(())
    }

    async fn statement_ended(
        &self,
        ended: StatementEnded,
        now: Timestamp,
        time_left: Duration,
    ) -> Result<BTreeMap<String, Progress>, Error> {
        let stack = &self.turns.settings.stack;
        let lanes = match ended.statement_name.as_deref() {
            // Some events have no name.
            None => LOAD_LANES.to_vec(),
            Some(name) => {
                let turn = TurnId::of_statement_name(stack, name).map(|(turn, _)| turn);
                turn.map(|turn| turn.lane)
                    .filter(|lane| lane.loads())
                    .into_iter()
                    .collect()
            }
        };
        let mut progress = BTreeMap::new();
        for lane in lanes {
            let advanced = self.turns.advance_within(lane, now, time_left).await?;
            progress.insert(lane.to_string(), advanced);
        }
        tracing::info!(
            statement_id = ended.statement_id,
            lanes = ?progress,
            "completion event handled"
        );
        Ok(progress)
    }
}
