//! The `confirm` function: configuration, clients and the bundle once, then one event after another.

use std::error::Error;
use std::process::ExitCode;

use confirm::{Config, Event, Settler, handle};
use jiff::Timestamp;
use lambda_runtime::{LambdaEvent, service_fn};
use startup::{Clients, chain, environment, open_confirm_bundle, start};

#[tokio::main(flavor = "current_thread")]
async fn main() -> ExitCode {
    start("confirm", run()).await
}

async fn run() -> Result<(), Box<dyn Error + Send + Sync>> {
    let Config {
        bucket,
        bundle,
        statement_prefix,
        decisions_stream,
        database,
    } = Config::read(environment)?;
    let clients = Clients::load().await;
    let objects = clients.objects(&bucket);
    let judge = open_confirm_bundle(&bundle, &objects).await?;
    tracing::info!(bundle, version = judge.version(), "ready");
    let settler = Settler {
        objects: &objects,
        decisions: &clients.decisions(&decisions_stream),
        warehouse: &clients.warehouse(database),
        judge: Some(&judge),
        on_expiry: judge.policy().on_expiry,
        first_entity: judge.schema().entities.first().map(String::as_str),
        patience: confirm::PATIENCE,
    };
    let (settler, statement_prefix) = (&settler, &statement_prefix);
    let handle = |event: LambdaEvent<Event>| async move {
        handle(settler, statement_prefix, event.payload, Timestamp::now())
            .await
            .map_err(|error| chain(&error))
    };
    lambda_runtime::run(service_fn(handle)).await
}
