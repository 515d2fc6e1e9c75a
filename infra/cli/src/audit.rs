//! The promises, checked on a running system: what was sent against what lies in the bucket, what
//! the warehouse holds, and what came out on the stream. Nothing is taken on trust.

mod found;
#[cfg(test)]
mod tests;

use std::collections::{BTreeSet, HashSet};

use anyhow::Result;
use decision::Action;
use found::{Found, InWarehouse};
use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use crate::consume::Seen;
use crate::system::System;

/// Which transactions are asked about.
#[derive(Clone, Debug)]
pub struct Asked {
    /// The ones that were sent.
    pub ids: HashSet<String>,
    /// When the first and the last of them happened, where others were sent too: those are nobody's
    /// business then, and what is under way is not left behind yet. None where nothing else was sent.
    pub among_others: Option<(Timestamp, Timestamp)>,
}

impl Asked {
    /// These, and nothing else was ever sent to this system.
    pub fn nothing_but(ids: HashSet<String>) -> Self {
        Self {
            ids,
            among_others: None,
        }
    }

    /// Whether the audit has to do with this transaction.
    fn is_about(&self, id: &str) -> bool {
        self.among_others.is_none() || self.ids.contains(id)
    }
}

/// What was found. All but the first five must be 0.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Audit {
    /// Different transactions that were sent.
    pub sent: usize,
    /// Of them, decided on in the bucket.
    pub decided: usize,
    pub held: usize,
    /// Holds with a final decision in the bucket.
    pub settled: usize,
    pub rejected: usize,
    /// Sent, but without a decision in the bucket or on the stream, or without its row in the warehouse.
    pub lost: usize,
    /// Holds without a final decision in the bucket, on the stream, or in the warehouse.
    pub unsettled: usize,
    /// Rows of the warehouse that are there twice.
    pub twice: usize,
    /// Transactions in the bucket or the warehouse that were never sent, and final decisions of what was
    /// never held.
    pub strangers: usize,
    /// Transactions whose decisions are not the same everywhere.
    pub contradictory: usize,
    pub pending: usize,
    /// Batches that Lambda gave up, under `aws/lambda/`.
    pub given_up_batches: usize,
    /// Lists of objects that load gave up, under `manifests/failed/`.
    pub given_up_loads: usize,
}

impl Audit {
    /// Whether every promise was kept.
    pub fn is_clean(&self) -> bool {
        self.lines().iter().all(|(_, _, fine)| *fine)
    }

    /// Names and counts, and whether each is as it should be.
    pub fn lines(&self) -> Vec<(&'static str, usize, bool)> {
        let figure = |name, count| (name, count, true);
        let must_be_none = |name, count| (name, count, count == 0);
        vec![
            figure("sent", self.sent),
            figure("decided", self.decided),
            figure("held", self.held),
            figure("settled", self.settled),
            figure("rejected", self.rejected),
            must_be_none("lost", self.lost),
            must_be_none("unsettled", self.unsettled),
            must_be_none("twice in the warehouse", self.twice),
            must_be_none("never sent or never held", self.strangers),
            must_be_none("contradictory", self.contradictory),
            must_be_none("left in the ledger", self.pending),
            must_be_none("batches given up", self.given_up_batches),
            must_be_none("loads given up", self.given_up_loads),
        ]
    }
}

/// Compares what was sent with what is there. `seen` is what came out on the stream, if someone
/// listened.
pub async fn audit(system: &System, asked: &Asked, seen: Option<&Seen>) -> Result<Audit> {
    let found = Found::gather(system, asked, Timestamp::now()).await?;
    Ok(judge(asked, &found, seen, system.approvals_published))
}

/// `approvals_published` says whether the stream has approvals too, or holds and final decisions alone.
fn judge(asked: &Asked, found: &Found, seen: Option<&Seen>, approvals_published: bool) -> Audit {
    let Found {
        decided,
        transactions,
        outcomes,
        ended,
        ..
    } = found;
    let sent = &asked.ids;
    let holds: BTreeSet<&String> = decided
        .iter()
        .filter(|(_, actions)| actions.contains(&Action::Hold))
        .map(|(id, _)| id)
        .collect();

    let first_told = |id: &String| {
        let expected = approvals_published || holds.contains(id);
        !expected || seen.is_none_or(|seen| seen.provisional.contains_key(id))
    };
    let lost = |id: &&String| {
        !decided.contains_key(*id) || !transactions.contains_key(*id) || !first_told(id)
    };

    let settled = |id: &&&String| outcomes.contains(**id);
    let end_told = |id: &String| seen.is_none_or(|seen| seen.finals.contains_key(id));
    let unsettled = |id: &&&String| !settled(id) || !end_told(id) || !ended.contains_key(**id);

    let same_first = |id: &String, actions: &BTreeSet<Action>| {
        let stored = transactions.get(id).and_then(|row| row.action);
        let heard = seen
            .and_then(|seen| seen.provisional.get(id))
            .map(|(first, _)| first.action);
        actions.len() == 1
            && stored
                .into_iter()
                .chain(heard)
                .all(|action| actions.contains(&action))
    };
    let same_end = |(id, row): &(&String, &InWarehouse)| {
        let heard = seen
            .and_then(|seen| seen.finals.get(*id))
            .map(|(last, _)| last.action);
        heard.is_none() || row.action.is_none() || heard == row.action
    };
    let said_twice = seen
        .into_iter()
        .flat_map(|seen| &seen.contradictions)
        .filter(|id| asked.is_about(id));

    let finals = seen
        .into_iter()
        .flat_map(|seen| seen.finals.keys())
        .filter(|id| asked.is_about(id));
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
        rejected: found.rejected,
        lost: sent.iter().filter(lost).count(),
        unsettled: holds.iter().filter(unsettled).count(),
        twice: transactions
            .values()
            .chain(ended.values())
            .map(|row| row.times.saturating_sub(1))
            .sum(),
        strangers: never_sent.count() + never_held.count(),
        contradictory: decided
            .iter()
            .filter(|(id, actions)| !same_first(id, actions))
            .count()
            + ended.iter().filter(|end| !same_end(end)).count()
            + said_twice.count(),
        pending: found.pending,
        given_up_batches: found.given_up_batches,
        given_up_loads: found.given_up_loads,
    }
}
