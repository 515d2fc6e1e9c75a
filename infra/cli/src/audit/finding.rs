//! The broken guarantees that an audit reports, and how to repair them.

use serde::{Deserialize, Serialize};

/// How many findings of one problem an audit names. All of them are counted.
const NAMED: usize = 20;

/// A guarantee that does not hold.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Problem {
    /// A transaction was sent, but has no decision in the bucket or on the stream, or no row in the
    /// warehouse.
    Lost,
    /// A hold has no final decision in the bucket, on the stream or in the warehouse.
    Unsettled,
    /// A row in the warehouse repeats an earlier one.
    Duplicate,
    /// A transaction was never sent, or a final decision has no hold.
    Unknown,
    /// One decision id has different actions in the bucket, the warehouse or the stream.
    Contradictory,
    /// A final decision was made later than one sweep interval after its deadline.
    Late,
    /// An outcome object differs from the final decision that was published.
    ChangedOutcome,
    /// A row of `transactions` differs from its batch.
    ChangedRow,
    /// The warehouse gives another evidence, score or action for a final decision than it did.
    ChangedEvidence,
    /// A waiting entry waits longer than the usual time of its lane.
    WaitsTooLong,
    /// The warehouse does not have the reports of a file of fraud reports.
    NotLoaded,
    /// An object is left in the ledger.
    LeftInLedger,
    /// An object is not as this version writes it.
    Damaged,
    /// A batch failed in all attempts.
    FailedBatch,
    /// The warehouse refused rows or an object.
    Quarantined,
}

impl Problem {
    pub const ALL: [Self; 15] = [
        Self::Lost,
        Self::Unsettled,
        Self::Duplicate,
        Self::Unknown,
        Self::Contradictory,
        Self::Late,
        Self::ChangedOutcome,
        Self::ChangedRow,
        Self::ChangedEvidence,
        Self::WaitsTooLong,
        Self::NotLoaded,
        Self::LeftInLedger,
        Self::Damaged,
        Self::FailedBatch,
        Self::Quarantined,
    ];

    /// As a line of an audit names it.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Lost => "lost",
            Self::Unsettled => "unsettled",
            Self::Duplicate => "duplicate rows in the warehouse",
            Self::Unknown => "never sent or never held",
            Self::Contradictory => "contradictory decisions",
            Self::Late => "final after its deadline",
            Self::ChangedOutcome => "changed outcomes",
            Self::ChangedRow => "changed rows in the warehouse",
            Self::ChangedEvidence => "other evidence than before",
            Self::WaitsTooLong => "waiting for too long",
            Self::NotLoaded => "files of reports not loaded",
            Self::LeftInLedger => "left in the ledger",
            Self::Damaged => "damaged objects",
            Self::FailedBatch => "failed batches",
            Self::Quarantined => "in quarantine",
        }
    }
}

/// One thing that is broken.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Finding {
    pub problem: Problem,
    /// An object's key, or an id and where it is missing or differs. Never a transaction's value.
    pub subject: String,
    pub repair: String,
}

/// The findings of an audit, the first [`NAMED`] of each problem, and how many there are.
#[derive(Clone, Debug, Default)]
pub(super) struct Findings {
    pub(super) named: Vec<Finding>,
    counts: [usize; Problem::ALL.len()],
}

impl Findings {
    pub(super) fn add(
        &mut self,
        problem: Problem,
        subject: impl Into<String>,
        repair: impl Into<String>,
    ) {
        if let Some(count) = self.counts.get_mut(problem as usize) {
            *count += 1;
            if *count > NAMED {
                return;
            }
        }
        self.named.push(Finding {
            problem,
            subject: subject.into(),
            repair: repair.into(),
        });
    }

    pub(super) fn count(&self, problem: Problem) -> usize {
        self.counts
            .get(problem as usize)
            .copied()
            .unwrap_or_default()
    }
}
