use std::error::Error;
use std::process::ExitCode;

use features::{Definition, sql};
use jiff::Timestamp;
use lambda_runtime::{LambdaEvent, service_fn};
use load::{Config, Handler, LoadEvent, Loader, Settings, WarehouseTable};
use startup::{Clients, chain, definition_text, environment, start};

#[tokio::main(flavor = "current_thread")]
async fn main() -> ExitCode {
    start("load", run()).await
}

async fn run() -> Result<(), Box<dyn Error + Send + Sync>> {
    let config = Config::read(environment)?;
    let clients = Clients::load().await;
    let objects = clients.objects(&config.bucket);
    let warehouse = clients.warehouse(config.database);
    let definition = Definition::parse(&definition_text(&config.bundle, &objects).await?)?;
    let load_sql = |table: WarehouseTable, manifest: &str| {
        sql::load(&definition, table.name(), manifest, &config.role_arn)
    };
    let settings = Settings {
        bucket: config.bucket,
        statement_prefix: config.statement_prefix,
        max_attempts: load::MAX_ATTEMPTS,
    };
    let handler = &Handler {
        loader: Loader {
            objects: &objects,
            warehouse: &warehouse,
            sql: &load_sql,
            settings: &settings,
        },
    };
    tracing::info!(bundle = config.bundle, "ready");
    let serve = |event: LambdaEvent<LoadEvent>| async move {
        let response = handler.handle(event.payload, Timestamp::now()).await;
        response.map_err(|error| chain(&error))
    };
    lambda_runtime::run(service_fn(serve)).await
}
