//! Checks the guarantees on a running system: compares the transactions that were sent with the
//! bucket, the warehouse and the stream of decisions.

mod evidence;
mod finding;
mod judge;
mod label_files;
mod load_again;
mod stored;
#[cfg(test)]
mod tests;
mod warehouse_rows;

use std::collections::HashSet;

use anyhow::Result;
use jiff::Timestamp;
use serde::{Deserialize, Serialize};

pub use finding::{Finding, Problem};
use judge::{Published, judge};
use stored::StoredState;

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

/// The counts of an audit. All from `lost` on must be 0.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Audit {
    /// Distinct transactions that were sent.
    pub sent: usize,
    /// Transactions that were sent and have a decision in the bucket.
    pub decided: usize,
    /// Held transactions. The same transaction sent twice is one.
    pub held: usize,
    /// Held transactions with an outcome in the bucket.
    pub settled: usize,
    /// Unreadable items.
    pub rejected: usize,
    /// Ids that several transactions of different content have.
    pub id_conflicts: usize,
    /// Final decisions whose evidence was computed again, from the warehouse alone: a sample.
    pub evidence_compared: usize,
    /// Final decisions of the sample that lack a transaction or report: it had arrived before the
    /// hold, but was loaded after it. They are not compared.
    pub late_evidence: usize,
    pub lost: usize,
    pub unsettled: usize,
    #[serde(rename = "twice")]
    pub duplicates: usize,
    #[serde(rename = "strangers")]
    pub unknown: usize,
    pub contradictory: usize,
    pub late: usize,
    pub changed_outcomes: usize,
    pub changed_rows: usize,
    /// Final decisions that are not the same when their evidence is computed again.
    pub changed_evidence: usize,
    pub waiting_too_long: usize,
    /// Files of fraud reports with reports that the warehouse does not have.
    pub not_loaded: usize,
    pub pending: usize,
    pub damaged: usize,
    #[serde(rename = "given_up_batches")]
    pub failed_batches: usize,
    pub quarantined: usize,
    /// The broken guarantees, each with its repair. Some of each problem.
    pub findings: Vec<Finding>,
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
        let figures = [
            ("sent", self.sent),
            ("decided", self.decided),
            ("held", self.held),
            ("settled", self.settled),
            ("rejected", self.rejected),
            ("conflicting ids", self.id_conflicts),
            ("evidence computed again", self.evidence_compared),
            ("late evidence", self.late_evidence),
        ];
        let figures = figures.map(|(name, count)| AuditLine {
            name,
            count,
            holds: true,
        });
        let must_be_zero = Problem::ALL.map(|problem| AuditLine {
            name: problem.name(),
            count: self.count(problem),
            holds: self.count(problem) == 0,
        });
        figures.into_iter().chain(must_be_zero).collect()
    }

    pub const fn count(&self, problem: Problem) -> usize {
        match problem {
            Problem::Lost => self.lost,
            Problem::Unsettled => self.unsettled,
            Problem::Duplicate => self.duplicates,
            Problem::Unknown => self.unknown,
            Problem::Contradictory => self.contradictory,
            Problem::Late => self.late,
            Problem::ChangedOutcome => self.changed_outcomes,
            Problem::ChangedRow => self.changed_rows,
            Problem::ChangedEvidence => self.changed_evidence,
            Problem::WaitsTooLong => self.waiting_too_long,
            Problem::NotLoaded => self.not_loaded,
            Problem::LeftInLedger => self.pending,
            Problem::Damaged => self.damaged,
            Problem::FailedBatch => self.failed_batches,
            Problem::Quarantined => self.quarantined,
        }
    }
}

/// Audits a system. `log` has the decisions that were read from the stream, if a consumer ran.
///
/// Fails if the bucket or the warehouse can't be read. Wrong content is a finding.
pub async fn audit(
    system: &System,
    scope: &AuditScope,
    log: Option<&DecisionLog>,
) -> Result<Audit> {
    let now = Timestamp::now();
    let mut state = StoredState::read(system, scope, now).await?;
    state.evidence_again = evidence::compute_again(system, &state).await?;
    let published = Published {
        log,
        approvals_published: system.approvals_published,
    };
    Ok(judge(scope, &state, published, now))
}
