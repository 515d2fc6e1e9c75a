use std::time::Duration;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use crate::Action;

/// The actions that follow from scores, and from missing scores. Part of the bundle: training
/// chooses the thresholds, the user declares the rest. No field has a default, because each changes
/// verdicts.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Policy {
    /// First look: hold at or above this probability.
    pub hold_at: f64,
    /// Second look: release below this probability.
    pub release_below: f64,
    /// Second look: block at or above this probability. Between the two, review.
    pub block_at: f64,
    /// The time from the arrival of a hold to its deadline, in seconds. See [`Policy::deadline`].
    pub hold_deadline_seconds: u64,
    /// The action for a hold without evidence at its deadline.
    pub on_expiry: Action,
    /// The action for a hold that the warehouse has no evidence for.
    pub on_missing_evidence: Action,
}

/// Why a policy can't be used.
#[derive(Debug, PartialEq, thiserror::Error)]
pub enum PolicyError {
    #[error("policy threshold `{0}` is {1}: expected a probability, release_below ≤ block_at")]
    Threshold(&'static str, f64),
    #[error("policy `{0}` is `{1}`: expected release, block or review")]
    NotFinal(&'static str, &'static str),
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
            ("on_missing_evidence", self.on_missing_evidence),
        ] {
            if !action.is_final() {
                return Err(PolicyError::NotFinal(name, action.as_str()));
            }
        }
        if self.hold_deadline_seconds == 0 {
            return Err(PolicyError::Zero("hold_deadline_seconds"));
        }
        Ok(())
    }

    /// The action of the first look. Total: a NaN score is held.
    pub fn provisional(&self, score: f64) -> Action {
        if score < self.hold_at {
            Action::Approve
        } else {
            Action::Hold
        }
    }

    /// The action of the second look. Total: a NaN score goes to review.
    pub fn settled(&self, score: f64) -> Action {
        if score < self.release_below {
            Action::Release
        } else if score >= self.block_at {
            Action::Block
        } else {
            Action::Review
        }
    }

    /// When a hold must have its final decision. A hold that was placed late, after its stream stood
    /// still, still has half of the usual time for its evidence.
    pub fn deadline(&self, arrived_at: Timestamp, placed_at: Timestamp) -> Timestamp {
        let time = Duration::from_secs(self.hold_deadline_seconds);
        let after_arrival = arrived_at.saturating_add(time);
        let after_placing = placed_at.saturating_add(time / 2);
        after_arrival
            .unwrap_or(Timestamp::MAX)
            .max(after_placing.unwrap_or(Timestamp::MAX))
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
            on_expiry: Action::Review,
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
    fn a_hold_placed_late_has_half_of_the_time_left() {
        let at = |second| Timestamp::from_second(second).unwrap();
        let policy = policy();
        assert_eq!(policy.deadline(at(0), at(2)), at(600));
        assert_eq!(policy.deadline(at(0), at(300)), at(600));
        assert_eq!(policy.deadline(at(0), at(1_000)), at(1_300));
        let latest = policy.deadline(Timestamp::MAX, Timestamp::MAX);
        assert_eq!(latest, Timestamp::MAX);
    }

    #[test]
    fn a_policy_that_cannot_settle_is_refused() {
        assert_eq!(policy().check(), Ok(()));
        let never_reviews = Policy {
            release_below: 0.8,
            ..policy()
        };
        assert_eq!(never_reviews.check(), Ok(()));
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
                hold_deadline_seconds: 0,
                ..policy()
            }
            .check(),
            Err(PolicyError::Zero("hold_deadline_seconds"))
        );
    }
}
