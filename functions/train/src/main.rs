//! The `train` function: makes a bundle from the warehouse's history.

use std::error::Error;
use std::process::ExitCode;
use std::time::Duration;

use jiff::Timestamp;
use lambda_runtime::{LambdaEvent, service_fn};
use startup::{Clients, chain, environment, start};
use train::{Config, Handler, TrainEvent};

/// Longer than a batch without holds waits for its load (`LoadIntervalSeconds`). The rest of the
/// function's 15 minutes is for the statements.
const LOADS_PATIENCE: Duration = Duration::from_secs(420);

#[tokio::main(flavor = "current_thread")]
async fn main() -> ExitCode {
    start("train", run()).await
}

async fn run() -> Result<(), Box<dyn Error + Send + Sync>> {
    let Config {
        bucket,
        bundle,
        stack,
        role_arn,
        activation_lead,
        memory_bytes,
        database,
    } = Config::read(environment)?;
    let clients = Clients::load().await;
    let (objects, warehouse) = (clients.objects(&bucket), clients.warehouse(database));
    let handler = Handler {
        objects: &objects,
        warehouse: &warehouse,
        bucket,
        bundle,
        stack,
        role_arn,
        activation_lead,
        memory_bytes,
        loads_patience: LOADS_PATIENCE,
    };
    let handler = &handler;
    let handle = |event: LambdaEvent<TrainEvent>| async move {
        handler
            .handle(&event.payload, Timestamp::now())
            .await
            .map_err(|error| chain(&error))
    };
    lambda_runtime::run(service_fn(handle)).await
}
