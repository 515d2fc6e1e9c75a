use std::collections::BTreeMap;
use std::error::Error as StdError;
use std::sync::{Arc, Mutex, PoisonError};

use startup::{VersionDefinition, definition_of};
use store::Objects;

/// The definitions of bundle versions.
pub trait Definitions: Send + Sync {
    /// The definition of this version; `None` if the version does not exist or is refused.
    fn of_version(
        &self,
        version: &str,
    ) -> impl Future<
        Output = Result<Option<Arc<VersionDefinition>>, Box<dyn StdError + Send + Sync>>,
    > + Send;
}

/// How many definitions are kept in memory, at most.
const MOST_KEPT: usize = 16;

/// The definitions of the versions in the bucket. A version never changes, so each is read once.
#[derive(Debug)]
pub struct BucketDefinitions<'a, O> {
    /// A bundle's name, or the path of its folder.
    bundle: String,
    objects: &'a O,
    known: Mutex<BTreeMap<String, Arc<VersionDefinition>>>,
}

impl<'a, O: Objects> BucketDefinitions<'a, O> {
    pub fn new(bundle: &str, objects: &'a O) -> Self {
        Self {
            bundle: bundle.to_owned(),
            objects,
            known: Mutex::default(),
        }
    }

    fn known(&self, version: &str) -> Option<Arc<VersionDefinition>> {
        let known = self.known.lock().unwrap_or_else(PoisonError::into_inner);
        known.get(version).map(Arc::clone)
    }

    fn keep(&self, version: &str, definition: &Arc<VersionDefinition>) {
        let mut known = self.known.lock().unwrap_or_else(PoisonError::into_inner);
        if known.len() >= MOST_KEPT {
            known.pop_first();
        }
        known.insert(version.to_owned(), Arc::clone(definition));
    }
}

impl<O: Objects> Definitions for BucketDefinitions<'_, O> {
    async fn of_version(
        &self,
        version: &str,
    ) -> Result<Option<Arc<VersionDefinition>>, Box<dyn StdError + Send + Sync>> {
        if let Some(known) = self.known(version) {
            return Ok(Some(known));
        }
        match definition_of(&self.bundle, version, self.objects).await {
            Ok(definition) => {
                let definition = Arc::new(definition);
                self.keep(version, &definition);
                Ok(Some(definition))
            }
            Err(error) if error.is_transient() => Err(error.into()),
            Err(error) => {
                tracing::error!(
                    version,
                    error = startup::chain(&error),
                    "bundle version does not open: its holds are settled without evidence"
                );
                Ok(None)
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use harness::memory::{Fault, Faults, Objects as Memory};

    use super::*;

    #[tokio::test]
    async fn a_version_that_does_not_exist_is_told_apart_from_a_failure() {
        let faults = Faults::none();
        let objects = Memory::with(&faults);
        let key = bundle::keys::file("small", "v1", bundle::DEFINITION);
        objects.set(&key, harness::fixture::DEFINITION);
        let key = bundle::keys::file("small", "v1", bundle::MANIFEST);
        objects.set(&key, harness::fixture::files()[bundle::MANIFEST].clone());
        let definitions = BucketDefinitions::new("small", &objects);
        assert!(definitions.of_version("v2").await.unwrap().is_none());
        faults.add(Fault::on("get"));
        definitions.of_version("v1").await.unwrap_err();
        faults.clear();
        assert!(definitions.of_version("v1").await.unwrap().is_some());
        faults.add(Fault::on("get"));
        let known = definitions.of_version("v1").await.unwrap();
        assert!(known.is_some(), "it is read once");
    }
}
