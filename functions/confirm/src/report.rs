use std::ops::AddAssign;

use decision::{Action, Decision, SettledBy};
use serde::Serialize;

/// Counts of what was done: for one ledger entry by confirm, for all due entries by the sweep.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize)]
pub struct SettleReport {
    /// Ledger entries that did not exist any more: their holds were already settled.
    pub absent: usize,
    /// Ledger entries with a running statement.
    pub waiting: usize,
    pub submitted: usize,
    pub released: usize,
    pub blocked: usize,
    pub review: usize,
    /// The part of `released`, `blocked` and `review` that was settled at the deadline.
    pub expired: usize,
    /// Holds without an evidence row.
    pub missing_rows: usize,
    /// Evidence rows of no hold of the entry, and repeated rows.
    pub ignored_rows: usize,
    /// Evidence rows with a value of the wrong type. Their holds count as `missing_rows`.
    pub undecodable_rows: usize,
    /// Evidence rows that lack a feature of the second look.
    pub partial_rows: usize,
    /// Ledger entries with overdue holds for which the warehouse did not answer in time.
    pub unanswered: usize,
}

impl SettleReport {
    /// Counts a published final decision.
    pub(crate) fn count(&mut self, decision: &Decision) {
        match decision.action {
            Action::Release => self.released += 1,
            Action::Block => self.blocked += 1,
            Action::Review | Action::Approve | Action::Hold => self.review += 1,
        }
        if decision.settled_by == Some(SettledBy::Expiry) {
            self.expired += 1;
        }
    }

    /// The number of published final decisions.
    pub const fn settled(&self) -> usize {
        self.released + self.blocked + self.review
    }
}

impl AddAssign for SettleReport {
    fn add_assign(&mut self, other: Self) {
        self.absent += other.absent;
        self.waiting += other.waiting;
        self.submitted += other.submitted;
        self.released += other.released;
        self.blocked += other.blocked;
        self.review += other.review;
        self.expired += other.expired;
        self.missing_rows += other.missing_rows;
        self.ignored_rows += other.ignored_rows;
        self.undecodable_rows += other.undecodable_rows;
        self.partial_rows += other.partial_rows;
        self.unanswered += other.unanswered;
    }
}
