use std::error::Error;
use std::process::ExitCode;

use confirm::{
    BucketBundles, CompletionEvent, Config, EvidenceWork, Handler, Settler, fallback_policy,
};
use decision::SettledBy;
use features::Definition;
use jiff::Timestamp;
use lambda_runtime::{LambdaEvent, service_fn};
use load::{BucketDefinitions, LaneSql};
use startup::{
    Clients, SecondBundles, chain, check_format, definition_text, environment, start, time_left,
};
use turns::Turns;

#[tokio::main(flavor = "current_thread")]
async fn main() -> ExitCode {
    start("confirm", run()).await
}

async fn run() -> Result<(), Box<dyn Error + Send + Sync>> {
    let config = Config::read(environment)?;
    let clients = Clients::load().await;
    let objects = clients.objects(&config.turns.bucket);
    check_format(&objects).await?;
    let decisions = clients.decisions(&config.decisions_stream);
    let warehouse = clients.warehouse(config.database);
    let deployed = Definition::parse(&definition_text(&config.bundle, &objects).await?)?;
    config.turns.check(deployed.policy.hold_deadline)?;
    let definitions = BucketDefinitions::new(&config.bundle, &objects);
    let bundles = BucketBundles {
        bundles: SecondBundles::new(&config.bundle),
        objects: &objects,
    };
    let work = EvidenceWork {
        settler: Settler {
            objects: &objects,
            decisions: &decisions,
            bundles: &bundles,
            fallback: &fallback_policy(&deployed.policy),
            first_entity: deployed.schema().entities.first().map(String::as_str),
        },
        warehouse: &warehouse,
        sql: LaneSql {
            deployed: &deployed,
            definitions: &definitions,
            role_arn: &config.role_arn,
        },
        settled_by: SettledBy::Confirm,
    };
    let handler = &Handler {
        turns: Turns {
            objects: &objects,
            warehouse: &warehouse,
            work: &work,
            settings: &config.turns,
        },
        evidence_lanes: config.evidence_lanes,
    };
    tracing::info!(bundle = config.bundle, "ready");
    let serve = |event: LambdaEvent<CompletionEvent>| async move {
        let time_left = time_left(event.context.deadline());
        let progress = handler.handle(event.payload, Timestamp::now(), time_left);
        progress.await.map_err(|error| chain(&error))
    };
    lambda_runtime::run(service_fn(serve)).await
}
