//! The promises, checked on a running system: what was sent against what lies in the bucket, what
//! the warehouse holds, and what came out on the stream. Nothing is taken on trust.

use std::collections::{BTreeMap, BTreeSet, HashMap, HashSet};

use anyhow::{Context as _, Result};
use decision::Action;
use futures_util::{StreamExt as _, TryStreamExt as _, stream};
use outlet::{Objects as _, gunzip, keys};
use serde::{Deserialize, Serialize};

use crate::consume::Seen;
use crate::system::System;

/// What was found. All but the first five must be 0.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Audit {
    /// Different transactions that were sent.
    pub sent: usize,
    /// Of them, decided on in the bucket.
    pub decided: usize,
    /// Of them, held.
    pub held: usize,
    /// Holds with a final decision in the bucket.
    pub settled: usize,
    /// Items under `rejected/`.
    pub rejected: usize,
    /// Sent, but without a decision in the bucket, or without its row in the warehouse.
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
    /// Ledger entries left.
    pub pending: usize,
}

impl Audit {
    /// Whether every promise was kept.
    pub fn is_clean(&self) -> bool {
        let bad = [self.lost, self.unsettled, self.twice, self.strangers, self.contradictory, self.pending];
        bad.iter().all(|count| *count == 0)
    }

    /// Names and counts, the wrong ones marked.
    pub fn lines(&self) -> Vec<(&'static str, usize, bool)> {
        vec![
            ("sent", self.sent, true),
            ("decided", self.decided, true),
            ("held", self.held, true),
            ("settled", self.settled, true),
            ("rejected", self.rejected, true),
            ("lost", self.lost, self.lost == 0),
            ("unsettled", self.unsettled, self.unsettled == 0),
            ("twice in the warehouse", self.twice, self.twice == 0),
            ("never sent or never held", self.strangers, self.strangers == 0),
            ("contradictory", self.contradictory, self.contradictory == 0),
            ("left in the ledger", self.pending, self.pending == 0),
        ]
    }
}

/// One line of a transactions object, as far as the audit needs it.
#[derive(Deserialize)]
struct Line {
    transaction_id: String,
    action: Option<Action>,
}

/// Compares what was sent with what is there. `seen` is what came out on the stream, if someone
/// listened.
pub async fn audit(system: &System, sent: &HashSet<String>, seen: Option<&Seen>) -> Result<Audit> {
    let decided = decided(system).await?;
    let in_warehouse = in_table(system, "transactions").await?;
    let ended = in_table(system, "outcomes").await?;
    let outcomes: HashSet<String> = system
        .objects
        .list(keys::OUTCOMES_BY_TRANSACTION)
        .await?
        .iter()
        .filter_map(|listed| keys::outcome_transaction(&listed.key))
        .collect();
    let holds: BTreeSet<&String> =
        decided.iter().filter(|(_, actions)| actions.contains(&Action::Hold)).map(|(id, _)| id).collect();
    let lost = |id: &&String| !decided.contains_key(*id) || !in_warehouse.contains_key(*id);
    let settled = |id: &&&String| outcomes.contains(**id);
    let finals = seen.into_iter().flat_map(|seen| seen.finals.keys());
    let told = |id: &String| seen.is_none_or(|seen| seen.finals.contains_key(id));
    let same_end = |(id, row): &(&String, &InWarehouse)| {
        let heard = seen.and_then(|seen| seen.finals.get(*id)).map(|(last, _)| last.action);
        heard.is_none() || row.action.is_none() || heard == row.action
    };
    let same = |id: &String, actions: &BTreeSet<Action>| {
        let there = in_warehouse.get(id).is_none_or(|row| row.action.is_none_or(|action| actions.contains(&action)));
        let heard = seen.and_then(|seen| seen.provisional.get(id)).is_none_or(|(d, _)| actions.contains(&d.action));
        actions.len() == 1 && there && heard
    };
    let contradictory = decided.iter().filter(|(id, actions)| !same(id, actions)).count()
        + ended.iter().filter(|end| !same_end(end)).count();
    Ok(Audit {
        sent: sent.len(),
        decided: sent.iter().filter(|id| decided.contains_key(*id)).count(),
        held: holds.len(),
        settled: holds.iter().filter(settled).count(),
        rejected: system.objects.list(keys::REJECTED).await?.len(),
        lost: sent.iter().filter(lost).count(),
        unsettled: holds.iter().filter(|id| !settled(id) || !told(id) || !ended.contains_key(**id)).count(),
        twice: in_warehouse.values().chain(ended.values()).map(|row| row.times.saturating_sub(1)).sum(),
        strangers: decided.keys().chain(in_warehouse.keys()).filter(|id| !sent.contains(*id)).count()
            + outcomes.iter().chain(finals).chain(ended.keys()).filter(|id| !holds.contains(*id)).count(),
        contradictory: contradictory + seen.map_or(0, |seen| seen.contradictions.len()),
        pending: system.objects.list(keys::PENDING).await?.len(),
    })
}

/// Every transaction that was decided on, by the bucket, and its actions: more than one is a contradiction.
async fn decided(system: &System) -> Result<BTreeMap<String, BTreeSet<Action>>> {
    let listed = system.objects.list(keys::TRANSACTIONS).await?;
    let objects: Vec<Vec<u8>> = stream::iter(listed)
        .map(|listed| async move {
            let bytes = system.objects.get(&listed.key).await?.with_context(|| format!("{} is gone", listed.key))?;
            anyhow::Ok(gunzip(&listed.key, &bytes)?)
        })
        .buffer_unordered(8)
        .try_collect()
        .await?;
    let mut decided: BTreeMap<String, BTreeSet<Action>> = BTreeMap::new();
    for line in objects.iter().flat_map(|object| object.split(|byte| *byte == b'\n')).filter(|line| !line.is_empty()) {
        let line: Line = serde_json::from_slice(line).context("a line under transactions/ is not readable")?;
        // A history that was put there by hand was never decided on.
        if let Some(action) = line.action {
            decided.entry(line.transaction_id).or_default().insert(action);
        }
    }
    Ok(decided)
}

struct InWarehouse {
    times: usize,
    action: Option<Action>,
}

/// Every transaction with a decision in this table of the warehouse.
async fn in_table(system: &System, table: &str) -> Result<HashMap<String, InWarehouse>> {
    let query = format!(
        "SELECT transaction_id, MIN(action) AS action, COUNT(*) AS times FROM {table} \
         WHERE decision_id IS NOT NULL GROUP BY transaction_id"
    );
    let rows = system.query(vec![query]).await?;
    let row = |row: &warehouse::Row| {
        let action = row.text("action").and_then(|text| serde_json::from_value(text.into()).ok());
        let times = row.number("times").unwrap_or_default() as usize;
        Some((row.text("transaction_id")?.to_owned(), InWarehouse { times, action }))
    };
    Ok(rows.iter().filter_map(row).collect())
}
