use std::error::Error;
use std::process::ExitCode;

use features::Definition;
use jiff::Timestamp;
use lambda_runtime::{LambdaEvent, service_fn};
use load::{BucketDefinitions, Config, Handler, LaneSql, LoadEvent, LoadWork};
use startup::{Clients, chain, check_format, definition_text, environment, start, time_left};
use turns::Turns;

#[tokio::main(flavor = "current_thread")]
async fn main() -> ExitCode {
    start("load", run()).await
}

async fn run() -> Result<(), Box<dyn Error + Send + Sync>> {
    let config = Config::read(environment)?;
    let clients = Clients::load().await;
    let objects = clients.objects(&config.turns.bucket);
    check_format(&objects).await?;
    let warehouse = clients.warehouse(config.database);
    let deployed = Definition::parse(&definition_text(&config.bundle, &objects).await?)?;
    config.turns.check(deployed.policy.hold_deadline)?;
    let definitions = BucketDefinitions::new(&config.bundle, &objects);
    let work = LoadWork {
        objects: &objects,
        warehouse: &warehouse,
        sql: LaneSql {
            deployed: &deployed,
            definitions: &definitions,
            role_arn: &config.role_arn,
        },
        evidence_lanes: config.evidence_lanes,
    };
    let handler = &Handler {
        turns: Turns {
            objects: &objects,
            warehouse: &warehouse,
            work: &work,
            settings: &config.turns,
        },
    };
    tracing::info!(bundle = config.bundle, "ready");
    let serve = |event: LambdaEvent<LoadEvent>| async move {
        let time_left = time_left(event.context.deadline());
        let response = handler.handle(event.payload, Timestamp::now(), time_left);
        response.await.map_err(|error| chain(&error))
    };
    lambda_runtime::run(service_fn(serve)).await
}
