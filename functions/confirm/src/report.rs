use std::ops::AddAssign;

use decision::{Action, Decision, SettledBy};
use serde::Serialize;

use crate::Error;

/// How many holds and ledger objects had which result.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize)]
pub struct SettleReport {
    /// Ledger objects that did not exist any more: their holds were already settled.
    pub absent: usize,
    /// Ledger objects that were deleted, because each of their holds was published.
    pub deleted: usize,
    pub released: usize,
    pub blocked: usize,
    pub review: usize,
    /// The part of `released`, `blocked` and `review` that was settled at the deadline.
    pub expired: usize,
    /// The settled holds without evidence, except those settled at their deadline.
    pub missing_evidence: usize,
    /// Ledger objects and outcomes that are unreadable. Their holds stay open.
    pub damaged: usize,
    /// Final decisions that the stream did not accept. Their ledger objects stay.
    pub refused: usize,
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
        } else if decision.evidence.is_none() {
            self.missing_evidence += 1;
        }
    }

    /// The number of published final decisions.
    pub const fn settled(&self) -> usize {
        self.released + self.blocked + self.review
    }

    /// An error if the stream refused decisions.
    pub(crate) fn checked(self) -> Result<Self, Error> {
        if self.refused == 0 {
            return Ok(self);
        }
        Err(Error::Refused {
            refused: self.refused,
            all: self.settled() + self.refused,
        })
    }
}

impl AddAssign for SettleReport {
    fn add_assign(&mut self, other: Self) {
        self.absent += other.absent;
        self.deleted += other.deleted;
        self.released += other.released;
        self.blocked += other.blocked;
        self.review += other.review;
        self.expired += other.expired;
        self.missing_evidence += other.missing_evidence;
        self.damaged += other.damaged;
        self.refused += other.refused;
    }
}
