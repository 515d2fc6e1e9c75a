use std::error::Error as StdError;
use std::sync::Arc;

use bundle::{Bundle, SecondScore};
use decision::{Evidence, Hold, Policy};
use features::PolicySettings;
use startup::{SecondBundles, chain};
use store::Objects;

/// The bundles of the second look, by version: a hold's final decision is made by the bundle that
/// placed it.
pub trait Bundles: Send + Sync {
    type Model: SecondModel;

    /// This version; `None` if it does not exist or is refused. An error may pass.
    fn by_version(
        &self,
        version: &str,
    ) -> impl Future<Output = Result<Option<Arc<Self::Model>>, Box<dyn StdError + Send + Sync>>> + Send;
}

/// The part of a bundle that settling needs. Tests have an implementation with obvious scores.
pub trait SecondModel: Send + Sync {
    fn policy(&self) -> &Policy;
    /// The evidence of a hold, from the numbers that the warehouse returned. `None` if a column is
    /// not there; a NULL is there.
    fn evidence(&self, hold: &Hold, numbers: Evidence) -> Option<Evidence>;
    fn score(&self, hold: &Hold, evidence: &Evidence) -> SecondScore;
}

impl SecondModel for Bundle {
    fn policy(&self) -> &Policy {
        self.policy()
    }

    fn evidence(&self, hold: &Hold, numbers: Evidence) -> Option<Evidence> {
        self.definition().evidence(hold, &numbers)
    }

    fn score(&self, hold: &Hold, evidence: &Evidence) -> SecondScore {
        self.confirm(hold, evidence)
    }
}

/// The bundles in the bucket.
#[derive(Debug)]
pub struct BucketBundles<'a, O> {
    pub bundles: SecondBundles,
    pub objects: &'a O,
}

impl<O: Objects> Bundles for BucketBundles<'_, O> {
    type Model = Bundle;

    async fn by_version(
        &self,
        version: &str,
    ) -> Result<Option<Arc<Bundle>>, Box<dyn StdError + Send + Sync>> {
        match self.bundles.by_version(version, self.objects).await {
            Ok(bundle) => Ok(Some(bundle)),
            Err(error) if error.is_transient() => Err(error.into()),
            Err(error) => {
                tracing::error!(
                    version,
                    error = chain(&error),
                    "bundle version does not open"
                );
                Ok(None)
            }
        }
    }
}

/// The policy for holds of a bundle that does not open, from the deployed definition. Its thresholds
/// are never used: without a bundle there is no score.
pub fn fallback_policy(settings: &PolicySettings) -> Policy {
    Policy {
        hold_at: 0.0,
        release_below: 0.0,
        block_at: 1.0,
        hold_deadline_seconds: settings.hold_deadline.as_secs().unsigned_abs(),
        on_expiry: settings.on_expiry,
        on_missing_evidence: settings.on_missing_evidence,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn without_a_bundle_the_actions_are_those_of_the_definition() {
        let bundle = harness::fixture::bundle();
        let settings = &bundle.definition().policy;
        let policy = fallback_policy(settings);
        assert_eq!(policy.check(), Ok(()));
        assert_eq!(policy.on_expiry, settings.on_expiry);
        assert_eq!(policy.on_missing_evidence, settings.on_missing_evidence);
    }
}
