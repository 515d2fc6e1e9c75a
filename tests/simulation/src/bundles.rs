//! Two versions of a bundle, opened once for all systems of a process.

use std::error::Error as StdError;
use std::sync::{Arc, LazyLock};
use std::time::Duration;

use bundle::{Bundle, Pointer};
use confirm::Bundles;
use features::Definition;
use harness::fixture;
use harness::interleave::finish;
use jiff::Timestamp;
use load::{Definitions, VersionDefinition};

use crate::{Bucket, Gate};

/// Longer than any order: so the copy of the pointer is never too old.
const LEAD: Duration = Duration::from_secs(30 * 86_400);

static VERSIONS: LazyLock<TwoVersions> = LazyLock::new(TwoVersions::open);

/// When the second version becomes active.
pub fn activation() -> Timestamp {
    "2026-01-31T08:59:55Z".parse().unwrap()
}

#[derive(Debug)]
pub(crate) struct TwoVersions {
    /// What score opens.
    pub(crate) first_look: startup::Bundles,
    versions: [Arc<Bundle>; 2],
    definitions: [Arc<VersionDefinition>; 2],
}

impl TwoVersions {
    /// The versions of this process.
    pub(crate) fn get() -> &'static Self {
        &VERSIONS
    }

    fn open() -> Self {
        // Amounts are whole numbers here, so both versions hold the same ones.
        let other = fixture::Limits {
            hold_from: 499.5,
            ..fixture::Limits::DEFAULT
        };
        let files = [fixture::files(), fixture::files_with(other)];
        let versions = files.each_ref().map(|files| Bundle::open(files).unwrap());
        let bucket = Bucket::new(&Arc::new(Gate::open()));
        let name = versions[0].definition().name.clone();
        for (bundle, files) in versions.iter().zip(files) {
            for (file, bytes) in files {
                let key = bundle::keys::file(&name, bundle.version(), &file);
                bucket.set(&key, bytes);
            }
        }
        let [first, second] = versions.each_ref().map(Bundle::version);
        let pointer = Pointer::first(first, Timestamp::UNIX_EPOCH);
        let announced = Timestamp::UNIX_EPOCH;
        let pointer = pointer.activate(second, activation(), announced, LEAD);
        let pointer = pointer.unwrap().to_bytes().unwrap();
        bucket.set(&bundle::keys::pointer(&name), pointer);
        let mut first_look =
            finish(startup::Bundles::open(&name, LEAD, activation(), &bucket)).unwrap();
        // Opens the other version too.
        finish(first_look.bundle_at(Timestamp::UNIX_EPOCH, &bucket)).unwrap();
        let definition = |bundle: &Bundle| {
            Arc::new(VersionDefinition {
                definition: bundle.definition().clone(),
                cut_off: bundle.cut_off(),
            })
        };
        Self {
            first_look,
            definitions: versions.each_ref().map(definition),
            versions: versions.map(Arc::new),
        }
    }

    /// The definition that is deployed.
    pub(crate) fn deployed(&self) -> &Definition {
        &self.definitions[1].definition
    }

    pub(crate) fn deployed_version(&self) -> &str {
        self.versions[1].version()
    }

    fn place(&self, version: &str) -> Option<usize> {
        let mut versions = self.versions.iter();
        versions.position(|bundle| bundle.version() == version)
    }
}

impl Bundles for TwoVersions {
    type Model = Bundle;

    async fn by_version(
        &self,
        version: &str,
    ) -> Result<Option<Arc<Bundle>>, Box<dyn StdError + Send + Sync>> {
        let place = self.place(version);
        Ok(place.map(|place| Arc::clone(&self.versions[place])))
    }
}

impl Definitions for TwoVersions {
    async fn of_version(
        &self,
        version: &str,
    ) -> Result<Option<Arc<VersionDefinition>>, Box<dyn StdError + Send + Sync>> {
        let place = self.place(version);
        Ok(place.map(|place| Arc::clone(&self.definitions[place])))
    }
}
