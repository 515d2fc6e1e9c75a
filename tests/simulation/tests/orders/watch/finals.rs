//! Outcomes and final decisions: one for each identity, and none is forgotten.

use decision::settle::Outcome;
use decision::{Decision, SettledBy, Stage, keys};
use simulation::System;

use super::{Sight, Watch};

impl Watch {
    /// An outcome never changes.
    pub(super) fn outcome_written(&mut self, key: &str, system: &System) -> Result<(), String> {
        let bytes = system.bucket.bytes(key).unwrap();
        let outcome: Outcome = serde_json::from_slice(&bytes).unwrap();
        if keys::outcome_identity(key) != Some(outcome.identity) {
            return Err(format!("{key} is the outcome of {}", outcome.identity));
        }
        self.saw(match outcome.settled_by {
            SettledBy::Confirm => Sight::ByConfirm,
            SettledBy::Expiry => Sight::Expired,
            SettledBy::Sweep => Sight::BySweep,
        });
        match self.outcomes.insert(outcome.identity, outcome) {
            None => Ok(()),
            Some(_) => Err(format!("{key} is written a second time")),
        }
    }

    /// A ledger object goes only after the final decision of each of its holds was published.
    pub(super) fn check_ledger_gone(&self, key: &str) -> Result<(), String> {
        for hold in &self.ledgers[&self.ledger_keys[key]] {
            let id = &hold.decision_id;
            if !self.finals.contains_key(id) {
                return Err(format!("{key} is deleted, but {id} has no final decision"));
            }
        }
        Ok(())
    }

    /// Checks the decisions that are new on the stream.
    pub(super) fn check_decisions(&mut self, system: &System) -> Result<(), String> {
        let (decisions, records) = system.decisions.decisions_after(self.records);
        self.records = records;
        for decision in decisions {
            match decision.stage {
                Stage::Provisional => self.check_provisional(decision)?,
                Stage::Final => self.check_final(decision)?,
            }
        }
        Ok(())
    }

    /// A redelivery repeats the decision.
    fn check_provisional(&mut self, decision: Decision) -> Result<(), String> {
        let judged = (decision.action, decision.score);
        match self
            .provisional
            .insert(decision.decision_id.clone(), judged)
        {
            Some(before) if before != judged => {
                Err(format!("{} is judged otherwise", decision.decision_id))
            }
            _ => Ok(()),
        }
    }

    /// A final decision is the outcome of its identity, which was written before.
    fn check_final(&mut self, decision: Decision) -> Result<(), String> {
        let id = &decision.decision_id;
        let Some(identity) = self.identities.get(id) else {
            return Err(format!("{id} has a final decision, but no hold"));
        };
        let Some(outcome) = self.outcomes.get(identity) else {
            return Err(format!("{id} has a final decision, but no outcome"));
        };
        if !is_outcome(&decision, outcome) {
            return Err(format!("the final decision of {id} is not its outcome"));
        }
        self.finals.insert(id.clone(), decision);
        Ok(())
    }
}

/// Whether a final decision says what the outcome says. A hold that was placed again has another
/// deadline.
fn is_outcome(decision: &Decision, outcome: &Outcome) -> bool {
    let said = Outcome {
        identity: outcome.identity,
        transaction_id: decision.transaction_id.clone(),
        entities: decision.entities.clone(),
        action: decision.action,
        score: decision.score,
        reasons: decision.reasons.clone(),
        bundle_version: decision.bundle_version.clone(),
        decided_at: decision.decided_at,
        evidence: decision.evidence.clone(),
        settled_by: decision.settled_by.unwrap(),
        degraded: decision.degraded.clone(),
    };
    said == *outcome
}
