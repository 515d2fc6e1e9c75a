use std::error::Error;
use std::process::ExitCode;

use jiff::Timestamp;
use lambda_runtime::{LambdaEvent, service_fn};
use score::{Config, Handler, Records};
use startup::{BundleFollower, Clients, chain, environment, open_bundle, start};
use tokio::sync::Mutex;

#[tokio::main(flavor = "current_thread")]
async fn main() -> ExitCode {
    start("score", run()).await
}

async fn run() -> Result<(), Box<dyn Error + Send + Sync>> {
    let config = Config::read(environment)?;
    let clients = Clients::load().await;
    let objects = clients.objects(&config.bucket);
    let handler = Handler {
        bundle: open_bundle(&config.bundle, &objects).await?,
        follower: BundleFollower::new(&config.bundle),
        decisions: clients.decisions(&config.decisions_stream),
        warehouse: clients.warehouse(config.database),
        objects,
        settings: config.settings,
    };
    tracing::info!(
        bundle = config.bundle,
        version = handler.bundle.version(),
        "ready"
    );
    // Lambda sends one batch at a time, so the lock is always free.
    let handler = &Mutex::new(handler);
    let serve = |event: LambdaEvent<Records>| async move {
        let mut handler = handler.lock().await;
        let response = handler.handle(event.payload, Timestamp::now()).await;
        response.map_err(|error| chain(&error))
    };
    lambda_runtime::run(service_fn(serve)).await
}
