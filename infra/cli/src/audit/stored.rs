//! Reads the bucket and the warehouse for an audit.

use std::collections::{BTreeMap, BTreeSet, HashMap, HashSet};
use std::fmt::Write as _;

use anyhow::{Context as _, Result};
use decision::Action;
use decision::keys;
use futures_util::{StreamExt as _, TryStreamExt as _, stream};
use jiff::civil::Date;
use jiff::tz::TimeZone;
use jiff::{SignedDuration, Timestamp};
use serde::Deserialize;
use store::{ObjectInfo, Objects as _, gunzip};

use super::AuditScope;
use crate::system::System;

/// How many objects are read at a time.
const AT_A_TIME: usize = 8;
/// A younger ledger entry may still be in progress, if the system handles other transactions too.
const UNDER_WAY: SignedDuration = SignedDuration::from_mins(15);
/// The time of a transaction is at most this long after its arrival: score rejects a later one.
const MAX_AHEAD: SignedDuration = SignedDuration::from_hours(24);
/// The prefix of the batches that failed in all attempts.
const GIVEN_UP_BATCHES: &str = "aws/lambda/";
/// The prefix of the lists whose load failed in all attempts.
const GIVEN_UP_LOADS: &str = "manifests/failed/";

/// The decisions and counts that an audit compares.
#[derive(Clone, Debug, Default)]
pub(super) struct StoredDecisions {
    /// Decisions in the bucket: the actions by transaction. More than one action is a
    /// contradiction.
    pub(super) decided: BTreeMap<String, BTreeSet<Action>>,
    /// Decisions in the warehouse, by transaction.
    pub(super) transactions: HashMap<String, WarehouseRows>,
    /// Transactions with a final decision in the bucket.
    pub(super) outcomes: HashSet<String>,
    /// Final decisions in the warehouse, by transaction.
    pub(super) ended: HashMap<String, WarehouseRows>,
    pub(super) rejected: usize,
    pub(super) pending: usize,
    pub(super) failed_batches: usize,
    pub(super) failed_loads: usize,
}

/// The rows of one transaction in a table.
#[derive(Clone, Debug)]
pub(super) struct WarehouseRows {
    pub(super) times: usize,
    pub(super) action: Option<Action>,
}

/// The fields of a line of a transactions object that the audit needs.
#[derive(Deserialize)]
struct Line {
    transaction_id: String,
    action: Option<Action>,
}

impl StoredDecisions {
    pub(super) async fn read(system: &System, scope: &AuditScope, now: Timestamp) -> Result<Self> {
        let days = scope
            .among_others
            .map(|(first, _)| (day(first - MAX_AHEAD), day(now)));
        let decided = decided(system, scope, days).await?;
        let holds = decided
            .iter()
            .filter(|(_, actions)| actions.contains(&Action::Hold))
            .map(|(id, _)| id);
        let outcomes = match scope.among_others {
            None => all_outcomes(system).await?,
            Some(_) => outcomes_of(system, holds).await?,
        };
        let old_enough = |listed: &ObjectInfo| {
            scope.among_others.is_none() || listed.modified + UNDER_WAY <= now
        };
        Ok(Self {
            transactions: in_table(system, scope, &transactions_query(scope)).await?,
            outcomes,
            ended: in_table(system, scope, &outcomes_query(scope)).await?,
            rejected: listed(system, keys::REJECTED, days).await?.len(),
            pending: system
                .objects
                .list(keys::PENDING)
                .await?
                .into_iter()
                .filter(old_enough)
                .count(),
            failed_batches: system.objects.list(GIVEN_UP_BATCHES).await?.len(),
            failed_loads: system.objects.list(GIVEN_UP_LOADS).await?.len(),
            decided,
        })
    }
}

fn day(timestamp: Timestamp) -> Date {
    TimeZone::UTC.to_datetime(timestamp).date()
}

/// The objects under `prefix` that arrived between these days, or all.
async fn listed(
    system: &System,
    prefix: &str,
    days: Option<(Date, Date)>,
) -> Result<Vec<ObjectInfo>> {
    let Some((first, last)) = days else {
        return Ok(system.objects.list(prefix).await?);
    };
    let prefixes = first
        .series(jiff::Span::new().days(1))
        .take_while(|day| *day <= last);
    let lists = stream::iter(prefixes.map(|day| format!("{prefix}dt={day}/")))
        .map(|prefix| async move { system.objects.list(&prefix).await })
        .buffer_unordered(AT_A_TIME);
    Ok(lists.try_concat().await?)
}

/// Reads object by object and keeps the decisions in the audit's scope.
async fn decided(
    system: &System,
    scope: &AuditScope,
    days: Option<(Date, Date)>,
) -> Result<BTreeMap<String, BTreeSet<Action>>> {
    let objects = stream::iter(listed(system, keys::TRANSACTIONS, days).await?)
        .map(|listed| async move {
            let bytes = system
                .objects
                .get(&listed.key)
                .await?
                .with_context(|| format!("{} is gone", listed.key))?;
            anyhow::Ok((listed.key, bytes))
        })
        .buffer_unordered(AT_A_TIME);
    let decided = objects.try_fold(BTreeMap::new(), |mut decided, (key, bytes)| async move {
        read(&gunzip(&key, &bytes)?, scope, &mut decided)
            .with_context(|| format!("{key} is not readable"))?;
        Ok(decided)
    });
    decided.await
}

fn read(
    lines: &[u8],
    scope: &AuditScope,
    decided: &mut BTreeMap<String, BTreeSet<Action>>,
) -> Result<()> {
    for line in lines
        .split(|byte| *byte == b'\n')
        .filter(|line| !line.is_empty())
    {
        let line: Line = serde_json::from_slice(line)?;
        // Rows of a loaded history have no decision.
        if let Some(action) = line.action
            && scope.is_about(&line.transaction_id)
        {
            decided
                .entry(line.transaction_id)
                .or_default()
                .insert(action);
        }
    }
    Ok(())
}

async fn all_outcomes(system: &System) -> Result<HashSet<String>> {
    let listed = system.objects.list(keys::OUTCOMES_BY_TRANSACTION).await?;
    Ok(listed
        .iter()
        .filter_map(|listed| keys::outcome_transaction(&listed.key))
        .map(decision::TransactionId::into_string)
        .collect())
}

/// The ids that have a final decision in the bucket, one GET for each.
async fn outcomes_of(
    system: &System,
    ids: impl Iterator<Item = &String>,
) -> Result<HashSet<String>> {
    let settled = stream::iter(ids)
        .map(|id| async move {
            Ok(system
                .objects
                .get(&keys::outcome(&id.as_str().into()))
                .await?
                .map(|_| id.clone()))
        })
        .buffer_unordered(AT_A_TIME);
    settled
        .try_filter_map(|id| async move { Ok(id) })
        .try_collect()
        .await
}

/// Times are rounded outward to seconds: the warehouse keeps fewer digits.
fn transactions_query(scope: &AuditScope) -> String {
    let mut query = counts_of("transactions");
    if let Some((first, last)) = scope.among_others {
        let (from, to) = (first.as_second(), last.as_second() + 1);
        let timestamp = |second| Timestamp::from_second(second).unwrap_or_default();
        let _ = write!(
            query,
            " AND occurred_at >= '{}' AND occurred_at <= '{}'",
            timestamp(from),
            timestamp(to)
        );
    }
    query + " GROUP BY transaction_id"
}

fn outcomes_query(scope: &AuditScope) -> String {
    let mut query = counts_of("outcomes");
    if let Some((first, _)) = scope.among_others {
        let _ = write!(query, " AND decided_at >= '{}'", day(first - MAX_AHEAD));
    }
    query + " GROUP BY transaction_id"
}

/// Rows without a decision belong to a loaded history.
fn counts_of(table: &str) -> String {
    format!(
        "SELECT transaction_id, MIN(action) AS action, COUNT(*) AS times FROM {table} WHERE decision_id IS NOT NULL"
    )
}

async fn in_table(
    system: &System,
    scope: &AuditScope,
    query: &str,
) -> Result<HashMap<String, WarehouseRows>> {
    let rows = system.query(vec![query.to_owned()]).await?;
    let row = |row: &warehouse::Row| {
        let id = row.text("transaction_id").filter(|id| scope.is_about(id))?;
        let action = row
            .text("action")
            .and_then(|text| serde_json::from_value(text.into()).ok());
        Some((
            id.to_owned(),
            WarehouseRows {
                times: row.number("times").unwrap_or_default() as usize,
                action,
            },
        ))
    };
    Ok(rows.iter().filter_map(row).collect())
}
