//! Final decisions: one for each hold, in time, and the same in each place.

use std::collections::BTreeSet;

use decision::settle::Outcome;
use decision::{Action, Decision, Reason, keys};
use jiff::SignedDuration;
use serde_json::Value;

use super::Judge;
use crate::audit::finding::Problem;
use crate::audit::load_again;
use crate::audit::stored::StoredDecision;

/// A hold gets its final decision at most this long after its deadline: one interval of the sweep,
/// and the jitter of its schedule.
const SWEEP_INTERVAL: SignedDuration = SignedDuration::from_secs(65);

impl Judge<'_> {
    pub(super) fn holds_are_settled_once(&mut self) {
        let state = self.state;
        for (identity, stored) in &state.decided {
            let outcome = state.outcomes.get(identity);
            for (decision_id, decision) in &stored.decisions {
                if decision.actions.contains(&Action::Hold) {
                    self.hold_is_settled(decision_id, decision, outcome);
                }
            }
        }
        for (decision_id, rows) in &state.ended {
            for _ in 1..rows.times {
                self.findings.add(
                    Problem::Duplicate,
                    format!("row of decision {decision_id} in outcomes"),
                    self.write_row_again(decision_id),
                );
            }
        }
    }

    fn hold_is_settled(
        &mut self,
        decision_id: &str,
        hold: &StoredDecision,
        outcome: Option<&Option<Outcome>>,
    ) {
        let state = self.state;
        let ended = state.ended.get(decision_id);
        let stored = state.finals.get(decision_id).map(|stored| &stored.decision);
        let on_stream = self.published.last(decision_id);
        let missing = if outcome.is_none() {
            Some((
                "in the bucket",
                "invoke sweep until the hold is settled".to_owned(),
            ))
        } else if !self.published.has_final(decision_id) {
            Some(("on the stream", "take it from outcomes/".to_owned()))
        } else if ended.is_none() {
            Some(("in the warehouse", self.load_slice_again(decision_id)))
        } else {
            None
        };
        if let Some((place, repair)) = missing {
            let subject = format!("hold {decision_id} has no final decision {place}");
            self.findings.add(Problem::Unsettled, subject, repair);
        }
        if ended.is_some_and(|rows| stored.is_some_and(|stored| rows.score != Some(stored.score))) {
            self.findings.add(
                Problem::ChangedRow,
                format!("decision {decision_id}: score of its row in outcomes"),
                self.write_row_again(decision_id),
            );
        }
        if let Some(Some(outcome)) = outcome {
            for published in stored.into_iter().chain(on_stream) {
                if !is_of(published, outcome) {
                    let key = keys::outcome(outcome.identity);
                    self.findings.add(
                        Problem::ChangedOutcome,
                        format!("{key} differs from the final decision {decision_id}"),
                        "write the object again from the final decision under outcomes/dt=…",
                    );
                    break;
                }
            }
            let due = hold.deadline.map(|deadline| deadline + SWEEP_INTERVAL);
            if due.is_some_and(|due| outcome.decided_at > due) {
                self.findings.add(
                    Problem::Late,
                    format!("hold {decision_id}"),
                    "the decision is final; the logs of sweep have the cause",
                );
            }
        }
        let actions: BTreeSet<Action> = ended
            .and_then(|rows| rows.action)
            .into_iter()
            .chain(on_stream.map(|decision| decision.action))
            .chain(stored.map(|decision| decision.action))
            .collect();
        if actions.len() > 1 {
            self.findings.add(
                Problem::Contradictory,
                format!("final decision {decision_id}"),
                "the object under outcomes/by-transaction/ counts",
            );
        }
    }

    /// How a row of `outcomes` is written again.
    fn write_row_again(&self, decision_id: &str) -> String {
        format!(
            "DELETE FROM outcomes WHERE decision_id = '{decision_id}', then {}",
            self.load_slice_again(decision_id)
        )
    }

    /// How the slice of a final decision is loaded again.
    fn load_slice_again(&self, decision_id: &str) -> String {
        let stored = self.state.finals.get(decision_id);
        let command = stored.and_then(|it| load_again::slice(&self.state.bucket, &it.slice));
        command.map_or_else(
            || "invoke sweep; if the ledger has no such hold, insert the row by hand".to_owned(),
            |command| format!("load its slice again: {command}"),
        )
    }
}

/// Whether a published final decision says what the outcome says.
fn is_of(published: &Decision, outcome: &Outcome) -> bool {
    published.transaction_id == outcome.transaction_id
        && published.entities == outcome.entities
        && published.action == outcome.action
        && published.score == outcome.score
        && json(&published.reasons) == json(&outcome.reasons)
        && published.bundle_version == outcome.bundle_version
        && published.decided_at == outcome.decided_at
        && published.evidence == outcome.evidence
        && published.settled_by == Some(outcome.settled_by)
        && published.degraded == outcome.degraded
}

/// As JSON, where a missing value equals another: both are null, not NaN.
fn json(reasons: &[Reason]) -> Option<Value> {
    serde_json::to_value(reasons).ok()
}
