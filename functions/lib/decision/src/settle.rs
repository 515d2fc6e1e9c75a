//! What to do next about a pending evidence query: a total function of what is known.
//!
//! Both confirm and sweep ask it, after re-reading the ledger and the warehouse, so that an event
//! which lies, repeats or never comes changes nothing but the time of the next step.

use crate::Policy;

/// How far a statement has come, as the warehouse says.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[cfg_attr(test, derive(serde::Deserialize))]
#[cfg_attr(test, serde(rename_all = "snake_case"))]
pub enum Progress {
    /// Written in the ledger, but the warehouse never answered with an id.
    NeverSubmitted,
    Running,
    /// Its result can be read.
    Finished,
    /// Failed or aborted, or the warehouse no longer knows it.
    Failed,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[cfg_attr(test, derive(serde::Deserialize))]
#[cfg_attr(test, serde(rename_all = "snake_case"))]
pub enum Step {
    /// Settle every hold by its evidence.
    UseEvidence,
    /// Submit the query (again), as the next attempt.
    Submit,
    /// Settle the holds whose deadline has passed by `on_expiry`, then go on as [`Step::Submit`]
    /// or [`Step::Wait`] would for the rest.
    Expire,
    /// Settle every hold by `on_failure`.
    GiveUp,
    Wait,
}

/// The next step for a query after `attempts` submissions, of whose holds some are `overdue`.
///
/// Evidence that is there is used, however late. What is overdue is not kept waiting for another
/// attempt.
pub fn next_step(progress: Progress, attempts: u32, overdue: bool, policy: &Policy) -> Step {
    match progress {
        Progress::Finished => Step::UseEvidence,
        _ if overdue => Step::Expire,
        Progress::Running => Step::Wait,
        // The entry's own attempt has not been made, or its answer was lost: the client token is
        // derived from the attempt, so submitting it once more cannot run it twice.
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
