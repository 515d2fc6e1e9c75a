use std::error::Error;
use std::panic::{self, PanicHookInfo};
use std::process::ExitCode;

use jiff::Timestamp;
use lambda_runtime::{LambdaEvent, service_fn};
use score::{Config, Handler, Records};
use startup::{Bundles, Clients, chain, check_format, environment, start, time_left};
use tokio::sync::Mutex;

#[tokio::main(flavor = "current_thread")]
async fn main() -> ExitCode {
    start("score", run()).await
}

async fn run() -> Result<(), Box<dyn Error + Send + Sync>> {
    panic::set_hook(Box::new(log_panic));
    let config = Config::read(environment)?;
    let clients = Clients::load().await;
    let objects = clients.objects(&config.bucket);
    check_format(&objects).await?;
    let (bundle, lead) = (&config.bundle, config.activation_lead);
    let bundles = Bundles::open(bundle, lead, Timestamp::now(), &objects).await?;
    let handler = Handler {
        bundles,
        decisions: clients.decisions(&config.decisions_stream),
        objects,
        publish: config.publish,
    };
    tracing::info!(
        bundle = config.bundle,
        version = handler.bundles.version_at(Timestamp::now()),
        "ready"
    );
    // Lambda sends one batch at a time, so the lock is always free.
    let handler = &Mutex::new(handler);
    let serve = |event: LambdaEvent<Records>| async move {
        let mut handler = handler.lock().await;
        let time_left = time_left(event.context.deadline());
        let response = handler.handle(event.payload, Timestamp::now(), time_left);
        response.await.map_err(|error| chain(&error))
    };
    lambda_runtime::run(service_fn(serve)).await
}

/// A panic's message may quote the transaction, so only its place is logged.
fn log_panic(panic: &PanicHookInfo<'_>) {
    let place = panic.location().map(ToString::to_string);
    tracing::error!(place, "panic");
}
