use std::ops::AddAssign;

use decision::{Action, Decision, SettledBy};
use serde::Serialize;

/// What was done, in counts. The answer of the function, and of the sweep for all its entries.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize)]
pub struct SettleReport {
    /// Ledger entries that were gone: their holds were settled before.
    pub absent: usize,
    /// Ledger entries whose statement still runs.
    pub waiting: usize,
    /// Statements submitted, again or at last.
    pub submitted: usize,
    /// Final decisions to release, published by us.
    pub released: usize,
    /// Final decisions to block, published by us.
    pub blocked: usize,
    /// Final decisions for a person to review, published by us.
    pub review: usize,
    /// How many of these were settled by their deadline.
    pub expired: usize,
    /// Holds that the evidence had no row for.
    pub missing_rows: usize,
    /// Evidence rows that no hold of the entry asked for, or that came twice.
    pub ignored_rows: usize,
    /// Evidence rows that could not be read; their holds had no row.
    pub undecodable_rows: usize,
    /// Evidence rows that lack what the confirming model asks for.
    pub partial_rows: usize,
    /// Ledger entries whose overdue holds the warehouse did not answer about in time.
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

    /// How many final decisions were published.
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
