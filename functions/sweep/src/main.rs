use std::error::Error;
use std::process::ExitCode;

use confirm::{BucketBundles, EvidenceWork, Settler, fallback_policy};
use decision::SettledBy;
use features::Definition;
use jiff::Timestamp;
use lambda_runtime::{LambdaEvent, service_fn};
use load::{BucketDefinitions, LaneSql, LoadWork};
use serde::de::IgnoredAny;
use startup::{Clients, SecondBundles, chain, check_format, definition_text, environment, start};
use sweep::{AllWork, Config, Handler, TimeLimit};
use turns::Turns;

#[tokio::main(flavor = "current_thread")]
async fn main() -> ExitCode {
    start("sweep", run()).await
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
    let fallback = fallback_policy(&deployed.policy);
    let settler = || Settler {
        objects: &objects,
        decisions: &decisions,
        bundles: &bundles,
        fallback: &fallback,
        first_entity: deployed.schema().entities.first().map(String::as_str),
    };
    let sql = LaneSql {
        deployed: &deployed,
        definitions: &definitions,
        role_arn: &config.role_arn,
    };
    let load = LoadWork {
        objects: &objects,
        warehouse: &warehouse,
        sql,
        evidence_lanes: config.evidence_lanes,
    };
    let evidence = EvidenceWork {
        settler: settler(),
        warehouse: &warehouse,
        sql,
        settled_by: SettledBy::Sweep,
    };
    let work = AllWork {
        load: &load,
        evidence: &evidence,
    };
    let handler = &Handler {
        turns: Turns {
            objects: &objects,
            warehouse: &warehouse,
            work: &work,
            settings: &config.turns,
        },
        settler: settler(),
        evidence_lanes: config.evidence_lanes,
        time_limit: TimeLimit::DEFAULT,
    };
    tracing::info!(bundle = config.bundle, "ready");
    let serve = |event: LambdaEvent<IgnoredAny>| async move {
        let report = handler.handle(event.payload, Timestamp::now()).await;
        report.map_err(|error| chain(&error))
    };
    lambda_runtime::run(service_fn(serve)).await
}
