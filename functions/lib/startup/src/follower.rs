use std::time::{Duration, Instant};

use bundle::Bundle;
use store::Objects;

use crate::bundle::{BundleError, Files, active_version, fetch, is_folder};
use crate::chain;

/// Follows a bundle's pointer while the bundle is in use.
#[derive(Debug)]
pub struct BundleFollower {
    bundle: String,
    /// When the pointer is read next.
    next_read: Instant,
    /// The version that was refused last.
    refused: Option<String>,
}

impl BundleFollower {
    /// The pointer is read at most this often: before a batch, in a few milliseconds.
    pub const INTERVAL: Duration = Duration::from_secs(2);
    /// How long to wait after a failure: batches wait while a whole bundle is downloaded.
    const AFTER_FAILURE: Duration = Duration::from_secs(60);

    /// Follows this bundle, which was just opened. A bundle in a folder never changes.
    pub fn new(bundle: &str) -> Self {
        Self {
            bundle: bundle.to_owned(),
            next_read: Instant::now() + Self::INTERVAL,
            refused: None,
        }
    }

    /// The active bundle, if the pointer names another version than `version`.
    ///
    /// Failures are logged, and the caller keeps its bundle. A refused version is not downloaded
    /// again.
    pub async fn newer(&mut self, version: &str, objects: &impl Objects) -> Option<Bundle> {
        if is_folder(&self.bundle) || Instant::now() < self.next_read {
            return None;
        }
        self.next_read = Instant::now() + Self::INTERVAL;
        let active = match active_version(&self.bundle, objects).await {
            Ok(active) => active,
            Err(error) => {
                tracing::error!(
                    bundle = self.bundle,
                    serving = version,
                    error = chain(&error),
                    "can't read the bundle's pointer: the function keeps its version"
                );
                return None;
            }
        };
        if active == version || self.refused.as_ref() == Some(&active) {
            return None;
        }
        match self.open(&active, objects).await {
            Ok(newer) => {
                tracing::info!(
                    bundle = self.bundle,
                    version = newer.version(),
                    before = version,
                    "new bundle version in use"
                );
                Some(newer)
            }
            Err(error) => {
                tracing::error!(
                    bundle = self.bundle,
                    version = active,
                    serving = version,
                    error = chain(&error),
                    "can't open the new bundle version: the function keeps its version"
                );
                self.next_read = Instant::now() + Self::AFTER_FAILURE;
                self.refused = matches!(error, BundleError::Refused(..)).then_some(active);
                None
            }
        }
    }

    async fn open(&self, version: &str, objects: &impl Objects) -> Result<Bundle, BundleError> {
        let files = fetch(&self.bundle, version, objects, Files::All).await?;
        Bundle::open(&files).map_err(|source| BundleError::Refused(self.bundle.clone(), source))
    }
}

#[cfg(test)]
mod tests {
    use harness::memory::{Fault, Faults, Objects as Memory};

    use super::*;
    use crate::bundle::tests::upload;

    /// Lets the follower read the pointer now.
    fn elapse(follower: &mut BundleFollower) {
        follower.next_read = Instant::now();
    }

    #[tokio::test]
    async fn a_changed_pointer_is_followed_after_the_interval() {
        let objects = Memory::new();
        let first = upload(&objects, 1.0);
        let mut follower = BundleFollower::new("small");
        let second = upload(&objects, 2.0);
        let too_early = follower.newer(&first, &objects).await;
        assert!(too_early.is_none());
        elapse(&mut follower);
        let newer = follower.newer(&first, &objects).await;
        assert_eq!(newer.unwrap().version(), second);
        elapse(&mut follower);
        assert!(follower.newer(&second, &objects).await.is_none());
    }

    #[tokio::test]
    async fn a_failure_keeps_the_bundle_in_use_and_a_refused_version_is_not_downloaded_again() {
        let faults = Faults::none();
        let objects = Memory::with(&faults);
        let first = upload(&objects, 1.0);
        let second = upload(&objects, 2.0);
        let mut follower = BundleFollower::new("small");

        faults.add(Fault::on("get"));
        elapse(&mut follower);
        let unreachable = follower.newer(&first, &objects).await;
        assert!(unreachable.is_none());
        faults.clear();

        let model = bundle::keys::file("small", &second, "first.model");
        objects.set(&model, "broken");
        elapse(&mut follower);
        let refused = follower.newer(&first, &objects).await;
        assert!(refused.is_none());
        let before = faults.calls().len();
        follower.next_read -= BundleFollower::INTERVAL;
        assert!(follower.newer(&first, &objects).await.is_none());
        assert_eq!(
            faults.calls().len(),
            before,
            "after a failure, the pointer is not read for a while"
        );
        elapse(&mut follower);
        assert!(follower.newer(&first, &objects).await.is_none());
        assert_eq!(
            faults.calls().len(),
            before + 1,
            "only the pointer is read again"
        );

        let third = upload(&objects, 3.0);
        elapse(&mut follower);
        let newer = follower.newer(&first, &objects).await;
        assert_eq!(newer.unwrap().version(), third);
    }
}
