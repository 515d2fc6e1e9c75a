//! `[policy]`: the deadline, and the actions where a score is missing.

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
    pub on_expiry: Action,
    pub on_missing_evidence: Action,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct PolicyEntry {
    hold_deadline: String,
    on_expiry: Action,
    on_missing_evidence: Action,
}

impl PolicyEntry {
    pub(super) fn checked(self) -> Result<PolicySettings, DefinitionError> {
        let actions = [
            ("policy.on_expiry", self.on_expiry),
            ("policy.on_missing_evidence", self.on_missing_evidence),
        ];
        for (name, action) in actions {
            if !action.is_final() {
                return Err(invalid_setting(name, "expected release, block or review"));
            }
        }
        Ok(PolicySettings {
            hold_deadline: duration_setting("policy.hold_deadline", &self.hold_deadline)?,
            on_expiry: self.on_expiry,
            on_missing_evidence: self.on_missing_evidence,
        })
    }
}
