//! What follows a failed attempt: rules 8 to 10 of turns, without any call.

use crate::{Attempt, Claim, ClaimedEntry, Failure, Lane, OnBadRows, Plan, WaitingEntry};

/// The first plan of a turn.
pub(crate) fn first(lane: Lane, claim: &Claim) -> Plan {
    if lane.loads() {
        Plan::Load {
            entries: (0..claim.entries.len()).collect(),
            on_bad_rows: OnBadRows::Fail,
            quarantined: Vec::new(),
        }
    } else {
        Plan::Evidence
    }
}

/// What comes after a failed attempt.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Next {
    /// The same again, after a pause.
    Again,
    /// Another plan at once. The objects of these entries go to quarantine before it is written.
    Plan { plan: Plan, quarantine: Vec<usize> },
}

/// The plan after an attempt failed with `text`.
///
/// INVARIANT: each plan for a reason of the data loads less than the one before, or leaves bad rows
/// out where the one before did not. So a turn ends however bad its objects are.
pub(crate) fn after(attempt: &Attempt, claim: &Claim, text: &str) -> Next {
    let plan = &attempt.plan;
    match (Failure::from_text(text), plan) {
        (Failure::Timeout, Plan::Load { entries, .. })
            if attempt.after_timeout && entries.len() > 1 =>
        {
            half(plan)
        }
        (Failure::Timeout, Plan::Evidence) if attempt.after_timeout && !is_single_hold(claim) => {
            split()
        }
        // A warehouse that hangs must not send good objects to quarantine.
        (Failure::Transient | Failure::Timeout, _) => Next::Again,
        (
            Failure::Data,
            Plan::Load {
                entries,
                on_bad_rows: OnBadRows::Fail,
                quarantined,
            },
        ) => Next::Plan {
            plan: Plan::Load {
                entries: entries.clone(),
                on_bad_rows: OnBadRows::LeaveOut,
                quarantined: quarantined.clone(),
            },
            quarantine: Vec::new(),
        },
        (
            Failure::Data,
            Plan::Load {
                entries,
                quarantined,
                ..
            },
        ) => match blamed(entries, claim, text) {
            bad if bad.is_empty() => half(plan),
            bad => without(&bad, entries, quarantined),
        },
        (Failure::Data, Plan::Evidence) if is_single_hold(claim) => Next::Plan {
            plan: Plan::WithoutEvidence,
            quarantine: Vec::new(),
        },
        (Failure::Data, Plan::Evidence) => split(),
        // These have no statement, so they can't fail.
        (Failure::Data, Plan::NothingToLoad { .. } | Plan::Split | Plan::WithoutEvidence) => {
            Next::Again
        }
    }
}

const fn split() -> Next {
    Next::Plan {
        plan: Plan::Split,
        quarantine: Vec::new(),
    }
}

/// The same load with the older half of its entries. They are in the claim's order, so each shard's
/// part of the half is a prefix.
fn half(plan: &Plan) -> Next {
    let Plan::Load {
        entries,
        on_bad_rows,
        quarantined,
    } = plan
    else {
        return Next::Again;
    };
    Next::Plan {
        plan: Plan::Load {
            entries: entries
                .iter()
                .copied()
                .take(entries.len().div_ceil(2))
                .collect(),
            on_bad_rows: *on_bad_rows,
            quarantined: quarantined.clone(),
        },
        quarantine: Vec::new(),
    }
}

/// The entries with an object that the error names. The only entry of a load is to blame without.
fn blamed(entries: &[usize], claim: &Claim, text: &str) -> Vec<usize> {
    if entries.len() == 1 {
        return entries.to_vec();
    }
    let is_named = |place: &usize| {
        let entry = claim.entries.get(*place);
        entry
            .and_then(ClaimedEntry::object_key)
            .is_some_and(|key| text.contains(&key))
    };
    entries.iter().copied().filter(is_named).collect()
}

/// The load without these entries, after their objects went to quarantine.
fn without(bad: &[usize], entries: &[usize], quarantined: &[usize]) -> Next {
    let rest: Vec<usize> = entries
        .iter()
        .copied()
        .filter(|place| !bad.contains(place))
        .collect();
    let quarantined = [quarantined, bad].concat();
    let plan = if rest.is_empty() {
        Plan::NothingToLoad { quarantined }
    } else {
        Plan::Load {
            entries: rest,
            on_bad_rows: OnBadRows::LeaveOut,
            quarantined,
        }
    };
    Next::Plan {
        plan,
        quarantine: bad.to_vec(),
    }
}

fn is_single_hold(claim: &Claim) -> bool {
    let holds = |entry: WaitingEntry| entry.holds();
    let all = claim
        .entries
        .iter()
        .filter_map(ClaimedEntry::entry)
        .map(holds);
    all.sum::<u64>() <= 1
}

/// The places in the claim that a successful plan has dealt with: loaded or in quarantine.
pub(crate) fn covered(plan: &Plan, claim: &Claim) -> Vec<usize> {
    match plan {
        Plan::Load {
            entries,
            quarantined,
            ..
        } => {
            let mut places = [&entries[..], quarantined].concat();
            places.sort_unstable();
            places
        }
        Plan::NothingToLoad { quarantined } => quarantined.clone(),
        Plan::Evidence | Plan::Split | Plan::WithoutEvidence => (0..claim.entries.len()).collect(),
    }
}

#[cfg(test)]
mod tests;
