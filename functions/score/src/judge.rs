//! The bundle of each record of a batch.

use std::sync::Arc;

use bundle::Bundle;
use jiff::Timestamp;
use startup::{BundleError, Bundles};
use store::Objects;

use crate::Records;

/// The bundles that may judge a batch.
pub trait BundleLookup {
    /// The bundle that judges the records of this arrival.
    fn bundle_at(&self, arrived_at: Timestamp) -> &Bundle;
}

/// One bundle for all arrivals.
impl BundleLookup for Bundle {
    fn bundle_at(&self, _: Timestamp) -> &Bundle {
        self
    }
}

/// The open bundles of one batch. Most batches have one; a batch that spans an activation has
/// several.
#[derive(Debug)]
pub(crate) struct OpenBundles<'b> {
    bundles: &'b Bundles,
    open: Vec<Arc<Bundle>>,
    /// For arrivals of no record of the batch.
    latest: Arc<Bundle>,
}

impl<'b> OpenBundles<'b> {
    /// Opens the bundle of each record's own arrival.
    pub(crate) async fn of(
        records: &Records,
        bundles: &'b mut Bundles,
        now: Timestamp,
        objects: &impl Objects,
    ) -> Result<Self, BundleError> {
        bundles.follow(now, objects).await?;
        let mut open: Vec<Arc<Bundle>> = Vec::new();
        for record in records.iter() {
            // A faulty record is not judged, and its arrival may be unknown.
            if record.fault.is_some() {
                continue;
            }
            let version = bundles.version_at(record.arrived_at);
            if open.iter().all(|bundle| bundle.version() != version) {
                open.push(bundles.bundle_at(record.arrived_at, objects).await?);
            }
        }
        let latest = match open.last() {
            Some(latest) => Arc::clone(latest),
            None => bundles.bundle_at(now, objects).await?,
        };
        Ok(Self {
            bundles,
            open,
            latest,
        })
    }
}

impl BundleLookup for OpenBundles<'_> {
    fn bundle_at(&self, arrived_at: Timestamp) -> &Bundle {
        let version = self.bundles.version_at(arrived_at);
        let found = self.open.iter().find(|bundle| bundle.version() == version);
        found.unwrap_or(&self.latest)
    }
}
