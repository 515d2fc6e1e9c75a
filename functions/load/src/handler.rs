use std::collections::{BTreeMap, BTreeSet};

use aws_lambda_events::event::sqs::{SqsBatchResponse, SqsEvent};
use jiff::Timestamp;
use serde::Serialize;
use store::Objects;
use warehouse::Warehouse;

use crate::{
    AdvanceOutcome, Error, Event, Loader, NewObject, StatementEnded, WarehouseTable, new_objects,
};

/// What the function answers.
#[derive(Debug, Serialize)]
#[serde(untagged)]
pub enum Response {
    /// To notifications: the messages to send again.
    Objects(SqsBatchResponse),
    /// To a completion event: how that load stands.
    StatementEnded {
        /// How.
        load: AdvanceOutcome,
    },
}

/// Handles either kind of event.
pub async fn handle<O: Objects, W: Warehouse>(
    loader: &Loader<'_, O, W>,
    event: Event,
    now: Timestamp,
) -> Result<Response, Error> {
    match event {
        Event::Objects(messages) => Ok(Response::Objects(announce(loader, messages, now).await)),
        Event::StatementEnded { detail } => {
            let load = statement_ended(loader, detail, now).await?;
            Ok(Response::StatementEnded { load })
        }
    }
}

/// Writes down the new objects, then begins loads where none is under way.
///
/// A message has failed if it can't be read or its objects could not be written down. A load that
/// could not be begun is not the message's fault: the sweep kicks again.
async fn announce<O: Objects, W: Warehouse>(
    loader: &Loader<'_, O, W>,
    event: SqsEvent,
    now: Timestamp,
) -> SqsBatchResponse {
    let mut failed: BTreeSet<String> = BTreeSet::new();
    let mut found: BTreeMap<WarehouseTable, (Vec<NewObject>, Vec<String>)> = BTreeMap::new();
    for message in event.records {
        let id = message.message_id.unwrap_or_default();
        match new_objects(message.body.as_deref()) {
            Ok(objects) => {
                for object in objects {
                    let Some(table) = table_of(loader, &object) else {
                        continue;
                    };
                    let (objects, messages) = found.entry(table).or_default();
                    objects.push(object);
                    messages.push(id.clone());
                }
            }
            Err(error) => {
                tracing::error!(message = id, %error, "message can't be read");
                failed.insert(id);
            }
        }
    }
    for (table, (objects, messages)) in found {
        match loader.write_down(table, &objects).await {
            Ok(()) => tracing::info!(
                table = table.name(),
                objects = objects.len(),
                "objects wait"
            ),
            Err(error) => {
                tracing::error!(
                    table = table.name(),
                    error = startup::chain(&error),
                    "objects not written down"
                );
                failed.extend(messages);
                continue;
            }
        }
        if let Err(error) = loader.kick(table, now).await {
            tracing::error!(
                table = table.name(),
                error = startup::chain(&error),
                "no load begun: left to the sweep"
            );
        }
    }
    let mut response = SqsBatchResponse::default();
    response.set_failures(failed);
    response
}

fn table_of<O, W>(loader: &Loader<'_, O, W>, object: &NewObject) -> Option<WarehouseTable> {
    let table =
        WarehouseTable::of_object(&object.key).filter(|_| object.bucket == loader.settings.bucket);
    if table.is_none() {
        tracing::warn!(
            bucket = object.bucket,
            key = object.key,
            "object ignored: it belongs into no table"
        );
    }
    table
}

async fn statement_ended<O: Objects, W: Warehouse>(
    loader: &Loader<'_, O, W>,
    ended: StatementEnded,
    now: Timestamp,
) -> Result<AdvanceOutcome, Error> {
    let name = match ended.statement_name {
        Some(name) => Some(name),
        None => loader.find(&ended.statement_id).await?,
    };
    match name {
        Some(name) if loader.is_ours(&name) => loader.advance(&name, now).await,
        _ => {
            tracing::info!(
                statement_id = ended.statement_id,
                "event ignored: no load of ours"
            );
            Ok(AdvanceOutcome::Absent)
        }
    }
}
