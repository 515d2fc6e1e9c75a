//! The `load` function: configuration, clients and the definition once, then one event after another.

use std::error::Error;
use std::process::ExitCode;

use features::{Definition, sql};
use jiff::Timestamp;
use lambda_runtime::{LambdaEvent, service_fn};
use load::{Config, Event, Loader, Settings, WarehouseTable, handle};
use startup::{Clients, chain, definition_text, environment, start};

#[tokio::main(flavor = "current_thread")]
async fn main() -> ExitCode {
    start("load", run()).await
}

async fn run() -> Result<(), Box<dyn Error + Send + Sync>> {
    let Config {
        bundle,
        bucket,
        statement_prefix,
        role_arn,
        database,
    } = Config::read(environment)?;
    let clients = Clients::load().await;
    let objects = clients.objects(&bucket);
    let definition = Definition::parse(&definition_text(&bundle, &objects).await?)?;
    tracing::info!(bundle, "ready");
    let load_sql = move |table: WarehouseTable, manifest: &str| {
        sql::load(&definition, table.name(), manifest, &role_arn)
    };
    let loader = Loader {
        objects: &objects,
        warehouse: &clients.warehouse(database),
        sql: &load_sql,
        settings: &Settings {
            bucket,
            statement_prefix,
            max_attempts: load::MAX_ATTEMPTS,
        },
    };
    let loader = &loader;
    let handle = |event: LambdaEvent<Event>| async move {
        handle(loader, event.payload, Timestamp::now())
            .await
            .map_err(|error| chain(&error))
    };
    lambda_runtime::run(service_fn(handle)).await
}
