//! Checks the guarantees on a running system: compares the transactions that were sent with the
//! bucket, the warehouse and the stream of decisions.

mod stored;
#[cfg(test)]
mod tests;

use std::collections::{BTreeSet, HashSet};

use anyhow::Result;
use decision::Action;
use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use stored::{StoredDecisions, WarehouseRows};

use crate::consume::DecisionLog;
use crate::system::System;

/// The transactions that an audit is about.
#[derive(Clone, Debug)]
pub struct AuditScope {
    /// The ids of the transactions that were sent.
    pub ids: HashSet<String>,
    /// The times of the first and the last transaction in `ids`, if other transactions were sent
    /// too. The audit then ignores other transactions and recent ledger entries. `None` if no other
    /// transaction was sent.
    pub among_others: Option<(Timestamp, Timestamp)>,
}

impl AuditScope {
    /// For a system that has received these transactions and no others.
    pub fn nothing_but(ids: HashSet<String>) -> Self {
        Self {
            ids,
            among_others: None,
        }
    }

    /// Whether the audit is about this transaction.
    fn is_about(&self, id: &str) -> bool {
        self.among_others.is_none() || self.ids.contains(id)
    }
}

/// The counts of an audit. All but the first five must be 0.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Audit {
    /// Distinct transactions that were sent.
    pub sent: usize,
    /// Transactions that were sent and have a decision in the bucket.
    pub decided: usize,
    pub held: usize,
    /// Holds with a final decision in the bucket.
    pub settled: usize,
    pub rejected: usize,
    /// Transactions that were sent, but lack a decision in the bucket or on the stream, or their
    /// row in the warehouse.
    pub lost: usize,
    /// Holds without a final decision in the bucket, on the stream, or in the warehouse.
    pub unsettled: usize,
    /// Rows in the warehouse that repeat an earlier row of the same transaction.
    #[serde(rename = "twice")]
    pub duplicates: usize,
    /// Transactions in the bucket or the warehouse that were never sent, and final decisions
    /// without a hold.
    #[serde(rename = "strangers")]
    pub unknown: usize,
    /// Transactions with different actions of one stage in the bucket, the warehouse or the stream.
    pub contradictory: usize,
    /// Entries left in the ledger.
    pub pending: usize,
    /// Batches that failed in all attempts, under `aws/lambda/`.
    #[serde(rename = "given_up_batches")]
    pub failed_batches: usize,
    /// Lists of objects whose load failed in all attempts, under `manifests/failed/`.
    #[serde(rename = "given_up_loads")]
    pub failed_loads: usize,
}

/// One count of an audit.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct AuditLine {
    pub name: &'static str,
    pub count: usize,
    /// Whether the guarantee behind the count holds.
    pub holds: bool,
}

impl Audit {
    pub fn is_clean(&self) -> bool {
        self.lines().iter().all(|line| line.holds)
    }

    pub fn lines(&self) -> Vec<AuditLine> {
        let figure = |name, count| AuditLine {
            name,
            count,
            holds: true,
        };
        let must_be_zero = |name, count| AuditLine {
            name,
            count,
            holds: count == 0,
        };
        vec![
            figure("sent", self.sent),
            figure("decided", self.decided),
            figure("held", self.held),
            figure("settled", self.settled),
            figure("rejected", self.rejected),
            must_be_zero("lost", self.lost),
            must_be_zero("unsettled", self.unsettled),
            must_be_zero("duplicate rows in the warehouse", self.duplicates),
            must_be_zero("never sent or never held", self.unknown),
            must_be_zero("contradictory decisions", self.contradictory),
            must_be_zero("left in the ledger", self.pending),
            must_be_zero("failed batches", self.failed_batches),
            must_be_zero("failed loads", self.failed_loads),
        ]
    }
}

/// Audits a system. `log` has the decisions that were read from the stream, if a consumer ran.
pub async fn audit(
    system: &System,
    scope: &AuditScope,
    log: Option<&DecisionLog>,
) -> Result<Audit> {
    let stored = StoredDecisions::read(system, scope, Timestamp::now()).await?;
    Ok(judge(scope, &stored, log, system.approvals_published))
}

/// `approvals_published`: whether the stream carries approvals, not only holds and final decisions.
fn judge(
    scope: &AuditScope,
    stored: &StoredDecisions,
    log: Option<&DecisionLog>,
    approvals_published: bool,
) -> Audit {
    let StoredDecisions {
        decided,
        transactions,
        outcomes,
        ended,
        ..
    } = stored;
    let sent = &scope.ids;
    let holds: BTreeSet<&String> = decided
        .iter()
        .filter(|(_, actions)| actions.contains(&Action::Hold))
        .map(|(id, _)| id)
        .collect();

    let provisional_read = |id: &String| {
        let expected = approvals_published || holds.contains(id);
        !expected || log.is_none_or(|log| log.provisional.contains_key(id))
    };
    let lost = |id: &&String| {
        !decided.contains_key(*id) || !transactions.contains_key(*id) || !provisional_read(id)
    };

    let settled = |id: &&&String| outcomes.contains(**id);
    let final_read = |id: &String| log.is_none_or(|log| log.finals.contains_key(id));
    let unsettled = |id: &&&String| !settled(id) || !final_read(id) || !ended.contains_key(**id);

    let same_first = |id: &String, actions: &BTreeSet<Action>| {
        let in_warehouse = transactions.get(id).and_then(|row| row.action);
        let on_stream = log
            .and_then(|log| log.provisional.get(id))
            .map(|first| first.decision.action);
        actions.len() == 1
            && in_warehouse
                .into_iter()
                .chain(on_stream)
                .all(|action| actions.contains(&action))
    };
    let same_end = |(id, row): &(&String, &WarehouseRows)| {
        let on_stream = log
            .and_then(|log| log.finals.get(*id))
            .map(|last| last.decision.action);
        on_stream.is_none() || row.action.is_none() || on_stream == row.action
    };
    let contradictions = log
        .into_iter()
        .flat_map(|log| &log.contradictions)
        .filter(|id| scope.is_about(id));

    let finals = log
        .into_iter()
        .flat_map(|log| log.finals.keys())
        .filter(|id| scope.is_about(id));
    let never_sent = decided
        .keys()
        .chain(transactions.keys())
        .filter(|id| !sent.contains(*id));
    let never_held = outcomes
        .iter()
        .chain(finals)
        .chain(ended.keys())
        .filter(|id| !holds.contains(*id));
    Audit {
        sent: sent.len(),
        decided: sent.iter().filter(|id| decided.contains_key(*id)).count(),
        held: holds.len(),
        settled: holds.iter().filter(settled).count(),
        rejected: stored.rejected,
        lost: sent.iter().filter(lost).count(),
        unsettled: holds.iter().filter(unsettled).count(),
        duplicates: transactions
            .values()
            .chain(ended.values())
            .map(|row| row.times.saturating_sub(1))
            .sum(),
        unknown: never_sent.count() + never_held.count(),
        contradictory: decided
            .iter()
            .filter(|(id, actions)| !same_first(id, actions))
            .count()
            + ended.iter().filter(|end| !same_end(end)).count()
            + contradictions.count(),
        pending: stored.pending,
        failed_batches: stored.failed_batches,
        failed_loads: stored.failed_loads,
    }
}
