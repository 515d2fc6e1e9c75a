//! The final decision on a hold, as a total function of the hold and its ground.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use crate::Action;
use crate::{
    Decision, Entities, Evidence, Hold, Identity, Policy, Reason, SettledBy, Stage, TransactionId,
};

/// The entry of `degraded` in a final decision that was made without evidence.
const EVIDENCE_MISSING: &str = "evidence_missing";
/// The entry of `degraded` for a hold of a bundle that does not open any more.
const BUNDLE_MISSING: &str = "bundle_missing";
/// The entry of `degraded` for a transaction that reuses the id of another.
const ID_CONFLICT: &str = "id_conflict";

/// The reason for a final decision.
#[derive(Clone, Debug, PartialEq)]
pub enum Ground {
    SecondLook(SecondLook),
    /// The warehouse has no evidence for the hold, or its statement fails for this hold.
    EvidenceMissing,
    /// The bundle that placed the hold does not open.
    BundleMissing,
    /// The deadline passed.
    Deadline,
}

/// The second look's score and the evidence that it was computed from.
#[derive(Clone, Debug, PartialEq)]
pub struct SecondLook {
    pub score: f64,
    pub reasons: Vec<Reason>,
    pub evidence: Evidence,
    pub id_conflict: IdConflict,
}

/// Whether another transaction has the same id but other content.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum IdConflict {
    None,
    Found,
}

/// The final decision on a transaction's identity, as it is stored: written once. Holds that share
/// the identity share it.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Outcome {
    pub identity: Identity,
    pub transaction_id: TransactionId,
    pub entities: Entities,
    pub action: Action,
    pub score: f64,
    pub reasons: Vec<Reason>,
    pub bundle_version: String,
    pub decided_at: Timestamp,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub evidence: Option<Evidence>,
    pub settled_by: SettledBy,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub degraded: Vec<String>,
}

/// Settles a hold. Never fails: each ground has its action in the policy.
///
/// `settled_by` is the process that settles; a passed deadline counts as
/// [`SettledBy::Expiry`] in every process.
pub fn settle(
    hold: &Hold,
    ground: Ground,
    policy: &Policy,
    settled_by: SettledBy,
    now: Timestamp,
) -> Outcome {
    // Without a second look, the first look's score and reasons stand.
    let outcome = |action, settled_by, degraded: &[&str]| Outcome {
        identity: hold.identity,
        transaction_id: hold.transaction_id.clone(),
        entities: hold.entities.clone(),
        action,
        score: hold.score,
        reasons: hold.reasons.clone(),
        bundle_version: hold.bundle_version.clone(),
        decided_at: now,
        evidence: None,
        settled_by,
        degraded: degraded.iter().map(|&text| text.to_owned()).collect(),
    };
    let missing = policy.on_missing_evidence;
    match ground {
        Ground::SecondLook(look) => {
            let degraded: &[&str] = match look.id_conflict {
                IdConflict::None => &[],
                IdConflict::Found => &[ID_CONFLICT],
            };
            Outcome {
                score: look.score,
                reasons: look.reasons,
                evidence: Some(look.evidence),
                ..outcome(policy.settled(look.score), settled_by, degraded)
            }
        }
        Ground::EvidenceMissing => outcome(missing, settled_by, &[EVIDENCE_MISSING]),
        Ground::BundleMissing => outcome(missing, settled_by, &[BUNDLE_MISSING]),
        Ground::Deadline => outcome(policy.on_expiry, SettledBy::Expiry, &[EVIDENCE_MISSING]),
    }
}

impl Outcome {
    /// The final decision on `hold`, which has this outcome's identity.
    pub fn decision(&self, hold: &Hold) -> Decision {
        let held_ms = self
            .decided_at
            .as_millisecond()
            .saturating_sub(hold.decided_at.as_millisecond());
        Decision {
            decision_id: hold.decision_id.clone(),
            transaction_id: self.transaction_id.clone(),
            entities: self.entities.clone(),
            stage: Stage::Final,
            action: self.action,
            score: self.score,
            reasons: self.reasons.clone(),
            bundle_version: self.bundle_version.clone(),
            decided_at: self.decided_at,
            deadline: Some(hold.deadline),
            evidence: self.evidence.clone(),
            settled_by: Some(self.settled_by),
            // A hold that was placed again after its outcome was not held at all.
            held_ms: Some(held_ms.max(0)),
            degraded: self.degraded.clone(),
        }
    }
}

#[cfg(test)]
mod tests;
