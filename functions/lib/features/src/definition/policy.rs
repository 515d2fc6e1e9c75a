//! `[policy]`: deadlines, attempts, and the actions where a score is missing.

use decision::Action;
use jiff::SignedDuration;
use serde::Deserialize;

use super::duration::duration_setting;
use super::error::{DefinitionError, invalid_setting};

/// The part of [`decision::Policy`] that the user sets; the thresholds come from training.
#[derive(Clone, Debug, PartialEq)]
pub struct PolicySettings {
    /// From a hold's arrival to its deadline.
    pub hold_deadline: SignedDuration,
    pub max_attempts: u32,
    pub on_expiry: Action,
    pub on_failure: Action,
    pub on_missing_evidence: Action,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct PolicyEntry {
    hold_deadline: String,
    max_attempts: u32,
    on_expiry: Action,
    on_failure: Action,
    on_missing_evidence: Action,
}

impl PolicyEntry {
    pub(super) fn checked(self) -> Result<PolicySettings, DefinitionError> {
        let actions = [
            ("policy.on_expiry", self.on_expiry),
            ("policy.on_failure", self.on_failure),
            ("policy.on_missing_evidence", self.on_missing_evidence),
        ];
        for (name, action) in actions {
            if !action.is_final() {
                return Err(invalid_setting(name, "expected release, block or review"));
            }
        }
        if self.max_attempts == 0 {
            return Err(invalid_setting(
                "policy.max_attempts",
                "expected at least 1",
            ));
        }
        Ok(PolicySettings {
            hold_deadline: duration_setting("policy.hold_deadline", &self.hold_deadline)?,
            max_attempts: self.max_attempts,
            on_expiry: self.on_expiry,
            on_failure: self.on_failure,
            on_missing_evidence: self.on_missing_evidence,
        })
    }
}
