//! The `sweep` function: configuration and clients once, then one sweep for each call.

use std::error::Error;
use std::process::ExitCode;

use confirm::Settler;
use features::{Definition, sql};
use jiff::Timestamp;
use lambda_runtime::{LambdaEvent, service_fn};
use load::{Loader, Settings, WarehouseTable};
use serde::de::IgnoredAny;
use startup::{Clients, chain, definition_text, environment, open_confirm_bundle, start};
use sweep::{Config, Sweep};

#[tokio::main(flavor = "current_thread")]
async fn main() -> ExitCode {
    start("sweep", run()).await
}

async fn run() -> Result<(), Box<dyn Error + Send + Sync>> {
    let Config {
        bundle,
        bucket,
        statement_prefix,
        role_arn,
        decisions_stream,
        grace,
        database,
    } = Config::read(environment)?;
    let clients = Clients::load().await;
    let objects = clients.objects(&bucket);
    let decisions = clients.decisions(&decisions_stream);
    let warehouse = clients.warehouse(database);
    let definition = Definition::parse(&definition_text(&bundle, &objects).await?)?;
    let settings = Settings {
        bucket,
        statement_prefix,
        max_attempts: load::MAX_ATTEMPTS,
    };
    // What the user has declared: holds end by it when there is no bundle to end them by.
    let declared = (
        definition.policy.on_expiry,
        definition.schema().entities.first().cloned(),
    );
    let load_sql = move |table: WarehouseTable, manifest: &str| {
        sql::load(&definition, table.name(), manifest, &role_arn)
    };
    let loader = Loader {
        objects: &objects,
        warehouse: &warehouse,
        sql: &load_sql,
        settings: &settings,
    };
    let (bundle, objects, decisions, warehouse, loader, declared) = (
        &bundle, &objects, &decisions, &warehouse, &loader, &declared,
    );
    // Whatever the schedule sends: the ledger says what is due.
    let handle = |_: LambdaEvent<IgnoredAny>| async move {
        // Opened at every call: there may be none yet, and sweeps are few.
        let judge = open_confirm_bundle(bundle, objects).await;
        if let Err(error) = &judge {
            tracing::error!(
                bundle,
                error = chain(error),
                "no bundle: holds end at their deadline alone"
            );
        }
        let judge = judge.as_ref().ok();
        let settler = Settler {
            objects,
            decisions,
            warehouse,
            judge,
            on_expiry: judge.map_or(declared.0, |judge| judge.policy().on_expiry),
            first_entity: declared.1.as_deref(),
            patience: confirm::PATIENCE,
        };
        let sweep = Sweep {
            settler: &settler,
            loader,
            grace,
            patience: sweep::PATIENCE,
        };
        sweep
            .run(Timestamp::now())
            .await
            .map_err(|error| chain(&error))
    };
    lambda_runtime::run(service_fn(handle)).await
}
