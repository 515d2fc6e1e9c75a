use std::collections::{BTreeMap, BTreeSet};

use aws_lambda_events::event::sqs::{SqsBatchResponse, SqsEvent};
use jiff::Timestamp;
use serde::Serialize;
use startup::chain;
use store::Objects;
use warehouse::Warehouse;

use crate::{
    AdvanceOutcome, Error, LoadEvent, Loader, NewObject, StatementEnded, WarehouseTable,
    new_objects,
};

pub struct Handler<'a, O, W> {
    pub loader: Loader<'a, O, W>,
}

#[derive(Debug, Serialize)]
#[serde(untagged)]
pub enum Response {
    /// For notifications: the messages that SQS must deliver again.
    Objects(SqsBatchResponse),
    StatementEnded {
        load: AdvanceOutcome,
    },
}

/// The objects of one invocation that belong to one table.
#[derive(Default)]
struct TableObjects {
    objects: Vec<NewObject>,
    /// The ids of the messages that announced them.
    messages: Vec<String>,
}

impl<O: Objects, W: Warehouse> Handler<'_, O, W> {
    pub async fn handle(&self, event: LoadEvent, now: Timestamp) -> Result<Response, Error> {
        match event {
            LoadEvent::Objects(messages) => {
                Ok(Response::Objects(self.objects_created(messages, now).await))
            }
            LoadEvent::StatementEnded { detail } => {
                let load = self.statement_ended(detail, now).await?;
                Ok(Response::StatementEnded { load })
            }
        }
    }

    /// Writes the new objects to waiting lists, then starts loads of tables without a running load.
    ///
    /// A message fails if it is unreadable or if its objects could not be written. A failed start
    /// of a load does not fail the message: the sweep starts the load.
    async fn objects_created(&self, event: SqsEvent, now: Timestamp) -> SqsBatchResponse {
        let mut failed: BTreeSet<String> = BTreeSet::new();
        let mut tables: BTreeMap<WarehouseTable, TableObjects> = BTreeMap::new();
        for message in event.records {
            let id = message.message_id.unwrap_or_default();
            let objects = match new_objects(message.body.as_deref()) {
                Ok(objects) => objects,
                Err(error) => {
                    tracing::error!(
                        message = id,
                        %error,
                        "unreadable message: SQS delivers it again, then moves it to the \
                         dead-letter queue"
                    );
                    failed.insert(id);
                    continue;
                }
            };
            for object in objects {
                if let Some(table) = self.table_of(&object) {
                    let found = tables.entry(table).or_default();
                    found.objects.push(object);
                    found.messages.push(id.clone());
                }
            }
        }
        for (table, found) in tables {
            if !self.enqueue_and_start(table, &found.objects, now).await {
                failed.extend(found.messages);
            }
        }
        let mut response = SqsBatchResponse::default();
        response.set_failures(failed);
        response
    }

    /// Whether the objects are in a waiting list now.
    async fn enqueue_and_start(
        &self,
        table: WarehouseTable,
        objects: &[NewObject],
        now: Timestamp,
    ) -> bool {
        if let Err(error) = self.loader.enqueue(table, objects).await {
            tracing::error!(
                table = table.name(),
                objects = objects.len(),
                error = chain(&error),
                "can't write a waiting list: SQS delivers the messages again"
            );
            return false;
        }
        tracing::info!(
            table = table.name(),
            objects = objects.len(),
            "objects wait to be loaded"
        );
        if let Err(error) = self.loader.start(table, now).await {
            tracing::error!(
                table = table.name(),
                error = chain(&error),
                "can't start a load: the next sweep starts it"
            );
        }
        true
    }

    fn table_of(&self, object: &NewObject) -> Option<WarehouseTable> {
        let ours = object.bucket == self.loader.settings.bucket;
        let table = WarehouseTable::of_object(&object.key).filter(|_| ours);
        if table.is_none() {
            tracing::warn!(
                bucket = object.bucket,
                key = object.key,
                "object ignored: no table loads objects with this prefix"
            );
        }
        table
    }

    async fn statement_ended(
        &self,
        ended: StatementEnded,
        now: Timestamp,
    ) -> Result<AdvanceOutcome, Error> {
        let name = match ended.statement_name {
            Some(name) => Some(name),
            None => self.loader.find(&ended.statement_id).await?,
        };
        match name {
            Some(name) if self.loader.is_ours(&name) => self.loader.advance(&name, now).await,
            _ => {
                tracing::info!(
                    statement_id = ended.statement_id,
                    "event ignored: not a load of this stack"
                );
                Ok(AdvanceOutcome::Absent)
            }
        }
    }
}
