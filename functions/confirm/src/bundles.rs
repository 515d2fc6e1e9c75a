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
    /// Whether the evidence has all columns that the model needs. They may be NULL.
    fn is_complete(&self, evidence: &Evidence) -> bool;
    fn score(&self, hold: &Hold, evidence: &Evidence) -> SecondScore;
}

impl SecondModel for Bundle {
    fn policy(&self) -> &Policy {
        self.policy()
    }

    fn is_complete(&self, evidence: &Evidence) -> bool {
        let definition = self.definition();
        let windows = definition.windows(&definition.confirm);
        windows.iter().all(|(name, _)| evidence.contains_key(*name))
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
    fn evidence_is_complete_if_it_has_each_window_of_the_second_look() {
        let bundle = harness::fixture::bundle();
        let evidence = |name: &str, value| Evidence::from([(name.to_owned(), value)]);
        assert!(bundle.is_complete(&evidence("customer_mean_7d", Some(20.0))));
        assert!(
            bundle.is_complete(&evidence("customer_mean_7d", None)),
            "NULL is an answer"
        );
        assert!(!bundle.is_complete(&evidence("customer_mean_9d", Some(20.0))));
    }

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
