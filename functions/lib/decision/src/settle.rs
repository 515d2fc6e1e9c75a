//! The next step for a pending evidence statement, as a total function.
//!
//! Confirm and sweep read the ledger and the warehouse first and then call it. So a wrong, repeated
//! or lost event only changes when the next step is taken.

use crate::Policy;

/// The progress of a statement in the warehouse.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[cfg_attr(test, derive(serde::Deserialize))]
#[cfg_attr(test, serde(rename_all = "snake_case"))]
pub enum Progress {
    /// In the ledger, but the warehouse has not answered with an id.
    NeverSubmitted,
    Running,
    /// The result can be read.
    Finished,
    /// Failed, aborted or no longer known to the warehouse.
    Failed,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[cfg_attr(test, derive(serde::Deserialize))]
#[cfg_attr(test, serde(rename_all = "snake_case"))]
pub enum Step {
    /// Settle every hold with its evidence.
    UseEvidence,
    /// Submit the statement as the next attempt.
    Submit,
    /// Settle overdue holds by `on_expiry`, then continue with the others as for [`Step::Submit`]
    /// or [`Step::Wait`].
    Expire,
    /// Settle every hold by `on_failure`.
    GiveUp,
    Wait,
}

/// The next step for a statement after `attempts` submissions. `overdue`: at least one of its holds has
/// passed the deadline.
///
/// Evidence is used even if it is late. An overdue hold does not wait for another attempt.
pub fn next_step(progress: Progress, attempts: u32, overdue: bool, policy: &Policy) -> Step {
    match progress {
        Progress::Finished => Step::UseEvidence,
        _ if overdue => Step::Expire,
        Progress::Running => Step::Wait,
        // The current attempt was not submitted, or the answer was lost. The client token is
        // derived from the attempt, so another submission can't run it twice.
        Progress::NeverSubmitted => Step::Submit,
        Progress::Failed if attempts < policy.max_attempts => Step::Submit,
        Progress::Failed => Step::GiveUp,
    }
}

#[cfg(test)]
mod tests {
    use serde::Deserialize;

    use super::*;
    use crate::Action;

    #[derive(Deserialize)]
    #[serde(deny_unknown_fields)]
    struct Case {
        progress: Progress,
        attempts: u32,
        overdue: bool,
        step: Step,
    }

    #[test]
    fn each_case_of_the_table_has_its_step() {
        let policy = Policy {
            hold_at: 0.5,
            release_below: 0.2,
            block_at: 0.8,
            hold_deadline_seconds: 600,
            max_attempts: 3,
            on_expiry: Action::Review,
            on_failure: Action::Review,
            on_missing_evidence: Action::Review,
        };
        let cases: Vec<Case> = serde_json::from_str(include_str!("settle_cases.json")).unwrap();
        assert_eq!(cases.len(), 16);
        for Case {
            progress,
            attempts,
            overdue,
            step,
        } in cases
        {
            assert_eq!(
                next_step(progress, attempts, overdue, &policy),
                step,
                "{progress:?} after {attempts} attempts, overdue: {overdue}"
            );
        }
    }
}
