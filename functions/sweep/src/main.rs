use std::error::Error;
use std::process::ExitCode;

use features::Definition;
use jiff::Timestamp;
use lambda_runtime::{LambdaEvent, service_fn};
use serde::de::IgnoredAny;
use startup::{Clients, chain, definition_text, environment, start};
use sweep::{Config, Handler, Settings};

#[tokio::main(flavor = "current_thread")]
async fn main() -> ExitCode {
    start("sweep", run()).await
}

async fn run() -> Result<(), Box<dyn Error + Send + Sync>> {
    let config = Config::read(environment)?;
    let clients = Clients::load().await;
    let objects = clients.objects(&config.bucket);
    let definition = Definition::parse(&definition_text(&config.bundle, &objects).await?)?;
    let handler = &Handler {
        objects,
        decisions: clients.decisions(&config.decisions_stream),
        warehouse: clients.warehouse(config.database),
        definition,
        settings: Settings {
            bundle: config.bundle,
            role_arn: config.role_arn,
            grace: config.grace,
            load: load::Settings {
                bucket: config.bucket,
                statement_prefix: config.statement_prefix,
                max_attempts: load::MAX_ATTEMPTS,
            },
        },
    };
    let serve = |event: LambdaEvent<IgnoredAny>| async move {
        let report = handler.handle(event.payload, Timestamp::now()).await;
        report.map_err(|error| chain(&error))
    };
    lambda_runtime::run(service_fn(serve)).await
}
