use std::error::Error;
use std::process::ExitCode;

use confirm::{CompletionEvent, Config, Handler, Settler};
use jiff::Timestamp;
use lambda_runtime::{LambdaEvent, service_fn};
use startup::{Clients, chain, environment, open_confirm_bundle, start};

#[tokio::main(flavor = "current_thread")]
async fn main() -> ExitCode {
    start("confirm", run()).await
}

async fn run() -> Result<(), Box<dyn Error + Send + Sync>> {
    let config = Config::read(environment)?;
    let clients = Clients::load().await;
    let objects = clients.objects(&config.bucket);
    let decisions = clients.decisions(&config.decisions_stream);
    let warehouse = clients.warehouse(config.database);
    let bundle = open_confirm_bundle(&config.bundle, &objects).await?;
    let settler = Settler {
        objects: &objects,
        decisions: &decisions,
        warehouse: &warehouse,
        model: Some(&bundle),
        on_expiry: bundle.policy().on_expiry,
        first_entity: bundle.schema().entities.first().map(String::as_str),
        patience: confirm::PATIENCE,
    };
    let handler = &Handler {
        settler,
        statement_prefix: config.statement_prefix,
    };
    tracing::info!(bundle = config.bundle, version = bundle.version(), "ready");
    let serve = |event: LambdaEvent<CompletionEvent>| async move {
        let report = handler.handle(event.payload, Timestamp::now()).await;
        report.map_err(|error| chain(&error))
    };
    lambda_runtime::run(service_fn(serve)).await
}
