//! Compares the sent transactions with the stored and the published decisions. Pure.

mod holds;
mod remains;

use std::collections::{HashMap, HashSet};

use decision::{Action, Decision, Identity};
use jiff::Timestamp;

use super::finding::{Findings, Problem};
use super::load_again;
use super::stored::{StoredDecision, StoredState, StoredTransaction};
use super::warehouse_rows::TransactionRows;
use super::{Audit, AuditScope};
use crate::consume::DecisionLog;

/// The decisions on the stream.
#[derive(Clone, Copy)]
pub(super) struct Published<'a> {
    /// `None` if the stream was not read.
    pub(super) log: Option<&'a DecisionLog>,
    /// Whether the stream carries approvals, not only holds and final decisions.
    pub(super) approvals_published: bool,
}

impl<'a> Published<'a> {
    /// Whether the stream was not read, or has the provisional decision.
    fn has_provisional(self, id: &str, decision: &StoredDecision) -> bool {
        let expected = self.approvals_published || decision.actions.contains(&Action::Hold);
        !expected || self.log.is_none_or(|log| log.provisional.contains_key(id))
    }

    fn has_final(self, id: &str) -> bool {
        self.log.is_none_or(|log| log.finals.contains_key(id))
    }

    fn provisional(self, id: &str) -> Option<&'a Decision> {
        Some(&self.log?.provisional.get(id)?.decision)
    }

    fn last(self, id: &str) -> Option<&'a Decision> {
        Some(&self.log?.finals.get(id)?.decision)
    }
}

/// An audit in progress, with its findings so far.
struct Judge<'a> {
    scope: &'a AuditScope,
    state: &'a StoredState,
    published: Published<'a>,
    now: Timestamp,
    findings: Findings,
}

pub(super) fn judge(
    scope: &AuditScope,
    state: &StoredState,
    published: Published<'_>,
    now: Timestamp,
) -> Audit {
    let mut judge = Judge {
        scope,
        state,
        published,
        now,
        findings: Findings::default(),
    };
    judge.transactions_are_decided_once();
    judge.holds_are_settled_once();
    judge.evidence_is_the_same();
    judge.nothing_is_unknown();
    judge.nothing_is_left_behind();
    let findings = judge.findings;
    let count = |problem| findings.count(problem);
    let held = || {
        let held = state.decided.iter().filter(|(_, stored)| stored.is_held());
        held.map(|(identity, _)| identity)
    };
    let settled = held().filter(|identity| state.outcomes.contains_key(identity));
    let mut identities: HashMap<&str, usize> = HashMap::new();
    for stored in state.decided.values() {
        *identities.entry(&stored.transaction_id).or_default() += 1;
    }
    Audit {
        sent: scope.ids.len(),
        decided: scope
            .ids
            .iter()
            .filter(|id| identities.contains_key(id.as_str()))
            .count(),
        held: held().count(),
        settled: settled.count(),
        rejected: state.rejected,
        evidence_compared: state.evidence_again.compared,
        late_evidence: state.evidence_again.late,
        id_conflicts: identities.values().filter(|times| **times > 1).count(),
        lost: count(Problem::Lost),
        unsettled: count(Problem::Unsettled),
        duplicates: count(Problem::Duplicate),
        unknown: count(Problem::Unknown),
        contradictory: count(Problem::Contradictory),
        late: count(Problem::Late),
        changed_outcomes: count(Problem::ChangedOutcome),
        changed_rows: count(Problem::ChangedRow),
        changed_evidence: count(Problem::ChangedEvidence),
        waiting_too_long: count(Problem::WaitsTooLong),
        not_loaded: count(Problem::NotLoaded),
        pending: count(Problem::LeftInLedger),
        damaged: count(Problem::Damaged),
        failed_batches: count(Problem::FailedBatch),
        quarantined: count(Problem::Quarantined),
        findings: findings.named,
    }
}

impl Judge<'_> {
    fn evidence_is_the_same(&mut self) {
        for (id, different) in &self.state.evidence_again.different {
            self.findings.add(
                Problem::ChangedEvidence,
                format!("final decision {id}: {different}"),
                "the decision stands; find out who changed rows in the warehouse",
            );
        }
    }

    fn transactions_are_decided_once(&mut self) {
        let state = self.state;
        let decided: HashSet<&str> = state
            .decided
            .values()
            .map(|stored| stored.transaction_id.as_str())
            .collect();
        let mut sent: Vec<&String> = self.scope.ids.iter().collect();
        sent.sort_unstable();
        for id in sent {
            if !decided.contains(id.as_str()) {
                let subject = format!("transaction {id} has no decision in the bucket");
                self.findings.add(
                    Problem::Lost,
                    subject,
                    "send it again: look replay FILE --stream STREAM",
                );
            }
        }
        for (identity, stored) in &state.decided {
            self.transaction_is_stored_and_published(*identity, stored);
        }
        for (identity, rows) in &state.transactions {
            for _ in 1..rows.times {
                self.findings.add(
                    Problem::Duplicate,
                    format!("row of transaction {identity} in transactions"),
                    format!(
                        "DELETE FROM transactions WHERE identity_hash = '{identity}', then {}",
                        self.load_again(*identity)
                    ),
                );
            }
        }
    }

    fn transaction_is_stored_and_published(
        &mut self,
        identity: Identity,
        stored: &StoredTransaction,
    ) {
        let id = &stored.transaction_id;
        match self.state.transactions.get(&identity) {
            None => self.findings.add(
                Problem::Lost,
                format!("transaction {id} has no row in the warehouse"),
                self.load_again(identity),
            ),
            Some(rows) => self.row_is_unchanged(identity, stored, rows),
        }
        let unread = |(id, decision): &(&String, &StoredDecision)| {
            !self.published.has_provisional(id, decision)
        };
        if stored.decisions.iter().any(|decision| unread(&decision)) {
            self.findings.add(
                Problem::Lost,
                format!("a decision on transaction {id} is not on the stream"),
                format!("take it from {}", stored.batch.key),
            );
        }
        for (decision_id, decision) in &stored.decisions {
            let on_stream = self.published.provisional(decision_id);
            let differs =
                on_stream.is_some_and(|published| !decision.actions.contains(&published.action));
            if differs || decision.actions.len() > 1 {
                self.findings.add(
                    Problem::Contradictory,
                    format!("provisional decision {decision_id}"),
                    "the row in the warehouse counts; report the case with the logs of score",
                );
            }
        }
    }

    /// Compares a row of the warehouse with the batch that it was loaded from.
    fn row_is_unchanged(
        &mut self,
        identity: Identity,
        stored: &StoredTransaction,
        rows: &TransactionRows,
    ) {
        let decision = stored.decisions.get(&rows.decision_id);
        let mut changed = Vec::new();
        if rows.amount != Some(stored.amount) {
            changed.push("amount".to_owned());
        }
        for (place, name) in self.state.entities.iter().enumerate() {
            if rows.entities.get(place) != stored.entities.get(place) {
                changed.push(name.clone());
            }
        }
        match decision {
            None => changed.push("decision_id".to_owned()),
            Some(decision) if rows.score != Some(decision.score) => {
                changed.push("score".to_owned());
            }
            Some(_) => {}
        }
        if !changed.is_empty() {
            self.findings.add(
                Problem::ChangedRow,
                format!(
                    "transaction {}: {} of its row in the warehouse",
                    stored.transaction_id,
                    changed.join(", ")
                ),
                format!(
                    "DELETE FROM transactions WHERE identity_hash = '{identity}', then {}",
                    self.load_again(identity)
                ),
            );
        }
        let differs = |decision: &StoredDecision| {
            rows.action
                .is_some_and(|action| !decision.actions.contains(&action))
        };
        if decision.is_some_and(differs) {
            self.findings.add(
                Problem::Contradictory,
                format!("provisional decision {} in the warehouse", rows.decision_id),
                format!("the object {} counts", stored.batch.key),
            );
        }
    }

    /// How the batch of a transaction is loaded again.
    fn load_again(&self, identity: Identity) -> String {
        let bucket = &self.state.bucket;
        let Some(stored) = self.state.decided.get(&identity) else {
            return "load its batch again".to_owned();
        };
        let command = load_again::batch(bucket, &stored.batch);
        format!("load its batch again: {command}")
    }
}
