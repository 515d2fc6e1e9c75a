use std::time::Duration;

use confirm::Settler;
use features::{Definition, sql};
use jiff::Timestamp;
use load::{Loader, WarehouseTable};
use serde::de::IgnoredAny;
use startup::{chain, open_confirm_bundle};
use store::{Objects, Stream};
use warehouse::Warehouse;

use crate::{Error, Sweep, SweepReport};

#[derive(Debug)]
pub struct Handler<O, D, W> {
    pub objects: O,
    pub decisions: D,
    pub warehouse: W,
    /// The deployed definition. It exists before any bundle.
    pub definition: Definition,
    pub settings: Settings,
}

#[derive(Clone, Debug)]
pub struct Settings {
    /// A bundle's name, or the path of its folder.
    pub bundle: String,
    /// The role that COPY uses to read the bucket, or `default`.
    pub role_arn: String,
    /// The minimum age of an attempt before the sweep handles it.
    pub grace: Duration,
    pub load: load::Settings,
}

impl<O: Objects, D: Stream, W: Warehouse> Handler<O, D, W> {
    /// Makes one sweep. The event's content has no meaning: the ledger says what is due.
    pub async fn handle(&self, _event: IgnoredAny, now: Timestamp) -> Result<SweepReport, Error> {
        let settings = &self.settings;
        // Opened for each sweep: the first bundle may appear while the function runs.
        let bundle = open_confirm_bundle(&settings.bundle, &self.objects).await;
        if let Err(error) = &bundle {
            tracing::error!(
                bundle = settings.bundle,
                error = chain(error),
                "no bundle: holds only expire at their deadlines"
            );
        }
        let model = bundle.as_ref().ok();
        let schema = self.definition.schema();
        let settler = Settler {
            objects: &self.objects,
            decisions: &self.decisions,
            warehouse: &self.warehouse,
            model,
            // Without a bundle, holds expire by the definition's policy.
            on_expiry: model.map_or(self.definition.policy.on_expiry, |bundle| {
                bundle.policy().on_expiry
            }),
            first_entity: schema.entities.first().map(String::as_str),
            patience: confirm::PATIENCE,
        };
        let load_sql = |table: WarehouseTable, manifest: &str| {
            sql::load(&self.definition, table.name(), manifest, &settings.role_arn)
        };
        let loader = Loader {
            objects: &self.objects,
            warehouse: &self.warehouse,
            sql: &load_sql,
            settings: &settings.load,
        };
        let sweep = Sweep {
            settler: &settler,
            loader: &loader,
            grace: settings.grace,
            patience: crate::PATIENCE,
        };
        sweep.run(now).await
    }
}
