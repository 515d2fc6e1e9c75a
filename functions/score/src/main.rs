//! The `score` function: configuration, clients and the bundle once, then one batch after another.

use std::error::Error;
use std::process::ExitCode;

use jiff::Timestamp;
use lambda_runtime::{LambdaEvent, service_fn};
use score::{Config, Context, Records};
use startup::{Clients, Follower, chain, environment, open_bundle, start};
use tokio::sync::Mutex;

#[tokio::main(flavor = "current_thread")]
async fn main() -> ExitCode {
    start("score", run()).await
}

async fn run() -> Result<(), Box<dyn Error + Send + Sync>> {
    let Config {
        bucket,
        bundle,
        decisions_stream,
        database,
        settings,
    } = Config::read(environment)?;
    let clients = Clients::load().await;
    let objects = clients.objects(&bucket);
    let context = Context {
        bundle: open_bundle(&bundle, &objects).await?,
        decisions: clients.decisions(&decisions_stream),
        warehouse: clients.warehouse(database),
        objects,
        settings,
    };
    tracing::info!(bundle, version = context.bundle.version(), "ready");
    // Lambda brings one batch at a time: nobody waits for the lock.
    let served = Mutex::new((context, Follower::new(&bundle)));
    let handle = |event: LambdaEvent<Records>| {
        let served = &served;
        async move {
            let (context, follower) = &mut *served.lock().await;
            if let Some(newer) = follower
                .newer(context.bundle.version(), &context.objects)
                .await
            {
                context.bundle = newer;
            }
            context
                .handle(&event.payload, Timestamp::now())
                .await
                .map_err(|error| chain(&error))
        }
    };
    lambda_runtime::run(service_fn(handle)).await
}
