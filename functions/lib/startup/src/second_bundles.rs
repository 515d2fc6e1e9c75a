use std::sync::{Arc, Mutex, PoisonError};

use bundle::Bundle;
use store::Objects;

use crate::BundleError;
use crate::bundle::open_second;

/// How many versions are open at once, at most. Without profiles, they are small.
const MOST_OPEN: usize = 8;

/// The bundles of the second look, by version: a hold's final decision is made by the bundle that
/// placed it. They have no profiles.
#[derive(Debug)]
pub struct SecondBundles {
    bundle: String,
    /// The most recently used last.
    open: Mutex<Vec<Arc<Bundle>>>,
}

impl SecondBundles {
    /// `bundle` is a name in the bucket, or the path of a folder if it begins with `/` or `.`.
    /// Opens no version yet.
    pub fn new(bundle: &str) -> Self {
        Self {
            bundle: bundle.to_owned(),
            open: Mutex::default(),
        }
    }

    /// This version. [`BundleError::is_transient`] is `false` for a version that does not exist or
    /// is refused: its holds are settled without a score. Any other error may pass.
    pub async fn by_version(
        &self,
        version: &str,
        objects: &impl Objects,
    ) -> Result<Arc<Bundle>, BundleError> {
        if let Some(bundle) = self.known(version) {
            return Ok(bundle);
        }
        let opened = Arc::new(open_second(&self.bundle, version, objects).await?);
        let mut open = self.open.lock().unwrap_or_else(PoisonError::into_inner);
        open.push(Arc::clone(&opened));
        let excess = open.len().saturating_sub(MOST_OPEN);
        open.drain(..excess);
        Ok(opened)
    }

    fn known(&self, version: &str) -> Option<Arc<Bundle>> {
        let mut open = self.open.lock().unwrap_or_else(PoisonError::into_inner);
        let place = open.iter().position(|open| open.version() == version)?;
        let bundle = open.remove(place);
        open.push(Arc::clone(&bundle));
        Some(bundle)
    }
}

#[cfg(test)]
mod tests {
    use harness::memory::{Fault, Faults, Objects as Memory};

    use super::*;
    use crate::bundle::tests::upload;

    #[tokio::test]
    async fn a_version_is_opened_once_and_without_its_profiles() {
        let faults = Faults::none();
        let objects = Memory::with(&faults);
        let first = upload(&objects, 1.0);
        let second = upload(&objects, 2.0);
        let bundles = SecondBundles::new("small");
        for version in [&first, &second, &first] {
            let opened = bundles.by_version(version, &objects).await.unwrap();
            assert_eq!(opened.version(), version);
        }
        let calls = faults.calls();
        let lists = calls.iter().filter(|call| call.starts_with("list"));
        assert_eq!(lists.count(), 2, "{calls:?}");
        let profiles = |call: &String| call.contains(bundle::PROFILES);
        assert!(!calls.iter().any(profiles), "{calls:?}");
    }

    #[tokio::test]
    async fn a_missing_or_refused_version_is_permanent_and_a_store_failure_is_not() {
        let faults = Faults::none();
        let objects = Memory::with(&faults);
        let version = upload(&objects, 1.0);
        let bundles = SecondBundles::new("small");
        let missing = bundles.by_version("0123456789abcdef", &objects).await;
        let missing = missing.unwrap_err();
        assert!(matches!(missing, BundleError::NoVersion { .. }));
        assert!(!missing.is_transient());

        faults.add(Fault::on("get"));
        let unreachable = bundles.by_version(&version, &objects).await;
        assert!(unreachable.unwrap_err().is_transient());
        faults.clear();

        let model = bundle::keys::file("small", &version, "confirm.model");
        let good = objects.bytes(&model).unwrap();
        objects.set(&model, "broken");
        let refused = bundles.by_version(&version, &objects).await.unwrap_err();
        assert!(matches!(refused, BundleError::Refused(..)));
        assert!(!refused.is_transient());
        objects.set(&model, good);
        let repaired = bundles.by_version(&version, &objects).await;
        assert!(repaired.is_ok(), "a refusal is not remembered");
    }

    #[tokio::test]
    async fn a_version_in_the_folder_of_another_is_refused() {
        let objects = Memory::new();
        let version = upload(&objects, 1.0);
        for key in objects.keys(&bundle::keys::version("small", &version)) {
            let bytes = objects.bytes(&key).unwrap();
            objects.set(&key.replace(&version, "another"), bytes);
        }
        let bundles = SecondBundles::new("small");
        let refused = bundles.by_version("another", &objects).await;
        assert!(!refused.unwrap_err().is_transient());
    }
}
