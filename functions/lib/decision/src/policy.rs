use std::time::Duration;

use serde::{Deserialize, Serialize};

use crate::Action;

/// What follows from a score, and from its absence. Part of the bundle, resolved: thresholds are
/// probabilities chosen in training, the rest is as the user declared it. Nothing here has a
/// default, since all of it changes verdicts.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Policy {
    /// First look: hold from this probability on.
    pub hold_at: f64,
    /// Confirming look: release below this probability.
    pub release_below: f64,
    /// Confirming look: block from this probability on; between the two, review.
    pub block_at: f64,
    /// How long after its arrival a hold must have its final decision, in seconds.
    pub hold_deadline_seconds: u64,
    /// How often the evidence query of a batch is submitted at the most.
    pub max_attempts: u32,
    /// What becomes of a hold whose deadline passed without evidence.
    pub on_expiry: Action,
    /// What becomes of holds whose evidence query failed `max_attempts` times.
    pub on_failure: Action,
    /// What becomes of a hold that the evidence has no row for.
    pub on_missing_evidence: Action,
}

/// Why a policy can't be used.
#[derive(Debug, PartialEq, thiserror::Error)]
pub enum PolicyError {
    /// Thresholds are probabilities in order.
    #[error("policy threshold `{0}` is {1}: expected a probability, release_below ≤ block_at")]
    Threshold(&'static str, f64),
    /// Only a final action can end a hold.
    #[error("policy `{0}` is `{1}`: expected release, block or review")]
    NotFinal(&'static str, &'static str),
    /// At least one attempt is made, or nothing would ever be confirmed.
    #[error("policy `{0}` is 0: expected at least 1")]
    Zero(&'static str),
}

impl Policy {
    /// Checks the values against each other.
    pub fn check(&self) -> Result<(), PolicyError> {
        for (name, value) in [
            ("hold_at", self.hold_at),
            ("release_below", self.release_below),
            ("block_at", self.block_at),
        ] {
            if !(0.0..=1.0).contains(&value) {
                return Err(PolicyError::Threshold(name, value));
            }
        }
        if self.release_below > self.block_at {
            return Err(PolicyError::Threshold("release_below", self.release_below));
        }
        for (name, action) in [
            ("on_expiry", self.on_expiry),
            ("on_failure", self.on_failure),
            ("on_missing_evidence", self.on_missing_evidence),
        ] {
            if !action.is_final() {
                return Err(PolicyError::NotFinal(name, action.as_str()));
            }
        }
        if self.max_attempts == 0 {
            return Err(PolicyError::Zero("max_attempts"));
        }
        if self.hold_deadline_seconds == 0 {
            return Err(PolicyError::Zero("hold_deadline_seconds"));
        }
        Ok(())
    }

    /// The first look's action. Total: a score that is no number is held, for it vouches for nothing.
    pub fn provisional(&self, score: f64) -> Action {
        if score < self.hold_at {
            Action::Approve
        } else {
            Action::Hold
        }
    }

    /// The confirming look's action. Total: a score that is no number goes to a person.
    pub fn settled(&self, score: f64) -> Action {
        if score < self.release_below {
            Action::Release
        } else if score >= self.block_at {
            Action::Block
        } else {
            Action::Review
        }
    }

    /// How long a hold may last.
    pub fn hold_deadline(&self) -> Duration {
        Duration::from_secs(self.hold_deadline_seconds)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn policy() -> Policy {
        Policy {
            hold_at: 0.5,
            release_below: 0.2,
            block_at: 0.8,
            hold_deadline_seconds: 600,
            max_attempts: 3,
            on_expiry: Action::Review,
            on_failure: Action::Review,
            on_missing_evidence: Action::Review,
        }
    }

    #[test]
    fn every_score_has_an_action() {
        let policy = policy();
        assert_eq!([0.0, 0.49, 0.5, 1.0].map(|s| policy.provisional(s)), {
            use Action::{Approve, Hold};
            [Approve, Approve, Hold, Hold]
        });
        assert_eq!([0.0, 0.2, 0.79, 0.8].map(|s| policy.settled(s)), {
            use Action::{Block, Release, Review};
            [Release, Review, Review, Block]
        });
        assert_eq!(policy.provisional(f64::NAN), Action::Hold);
        assert_eq!(policy.settled(f64::NAN), Action::Review);
    }

    #[test]
    fn a_policy_that_cannot_settle_is_refused() {
        assert_eq!(policy().check(), Ok(()));
        assert_eq!(
            Policy {
                on_expiry: Action::Hold,
                ..policy()
            }
            .check(),
            Err(PolicyError::NotFinal("on_expiry", "hold"))
        );
        assert_eq!(
            Policy {
                release_below: 0.9,
                ..policy()
            }
            .check(),
            Err(PolicyError::Threshold("release_below", 0.9))
        );
        assert!(
            Policy {
                hold_at: f64::NAN,
                ..policy()
            }
            .check()
            .is_err()
        );
        assert_eq!(
            Policy {
                max_attempts: 0,
                ..policy()
            }
            .check(),
            Err(PolicyError::Zero("max_attempts"))
        );
    }
}
