//! What is there: bucket and warehouse read for an audit.

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

use super::Asked;
use crate::system::System;

/// Objects that are read at a time.
const AT_A_TIME: usize = 8;
/// A ledger entry of less than this age is under way, where the system is at work for others.
const UNDER_WAY: SignedDuration = SignedDuration::from_mins(15);
/// A transaction happened at most this long after its arrival; score rejects all else.
const MAX_AHEAD: SignedDuration = SignedDuration::from_hours(24);
/// Where Lambda puts the batches that it gives up.
const GIVEN_UP_BATCHES: &str = "aws/lambda/";
/// Where load puts the lists that it gives up.
const GIVEN_UP_LOADS: &str = "manifests/failed/";

/// All that an audit asks bucket and warehouse.
#[derive(Clone, Debug, Default)]
pub(super) struct Found {
    /// Transactions decided on, by the bucket, and their actions: more than one is a contradiction.
    pub(super) decided: BTreeMap<String, BTreeSet<Action>>,
    /// Transactions decided on, by the warehouse.
    pub(super) transactions: HashMap<String, InWarehouse>,
    /// Transactions with a final decision in the bucket.
    pub(super) outcomes: HashSet<String>,
    /// Transactions with a final decision in the warehouse.
    pub(super) ended: HashMap<String, InWarehouse>,
    pub(super) rejected: usize,
    pub(super) pending: usize,
    pub(super) given_up_batches: usize,
    pub(super) given_up_loads: usize,
}

/// A transaction's rows in a table.
#[derive(Clone, Debug)]
pub(super) struct InWarehouse {
    pub(super) times: usize,
    pub(super) action: Option<Action>,
}

/// One line of a transactions object, as far as the audit needs it.
#[derive(Deserialize)]
struct Line {
    transaction_id: String,
    action: Option<Action>,
}

impl Found {
    pub(super) async fn gather(system: &System, asked: &Asked, now: Timestamp) -> Result<Self> {
        let days = asked
            .among_others
            .map(|(first, _)| (day(first - MAX_AHEAD), day(now)));
        let decided = decided(system, asked, days).await?;
        let holds = decided
            .iter()
            .filter(|(_, actions)| actions.contains(&Action::Hold))
            .map(|(id, _)| id);
        let outcomes = match asked.among_others {
            None => all_outcomes(system).await?,
            Some(_) => outcomes_of(system, holds).await?,
        };
        let old_enough = |listed: &ObjectInfo| {
            asked.among_others.is_none() || listed.modified + UNDER_WAY <= now
        };
        Ok(Self {
            transactions: in_table(system, asked, &transactions_query(asked)).await?,
            outcomes,
            ended: in_table(system, asked, &outcomes_query(asked)).await?,
            rejected: listed(system, keys::REJECTED, days).await?.len(),
            pending: system
                .objects
                .list(keys::PENDING)
                .await?
                .into_iter()
                .filter(old_enough)
                .count(),
            given_up_batches: system.objects.list(GIVEN_UP_BATCHES).await?.len(),
            given_up_loads: system.objects.list(GIVEN_UP_LOADS).await?.len(),
            decided,
        })
    }
}

fn day(moment: Timestamp) -> Date {
    TimeZone::UTC.to_datetime(moment).date()
}

/// The objects under `prefix` that arrived on one of these days, or on any.
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

/// Reads object by object, and keeps what is asked about.
async fn decided(
    system: &System,
    asked: &Asked,
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
        read(&gunzip(&key, &bytes)?, asked, &mut decided)
            .with_context(|| format!("{key} is not readable"))?;
        Ok(decided)
    });
    decided.await
}

fn read(
    lines: &[u8],
    asked: &Asked,
    decided: &mut BTreeMap<String, BTreeSet<Action>>,
) -> Result<()> {
    for line in lines
        .split(|byte| *byte == b'\n')
        .filter(|line| !line.is_empty())
    {
        let line: Line = serde_json::from_slice(line)?;
        // A history that was put there by hand was never decided on.
        if let Some(action) = line.action
            && asked.is_about(&line.transaction_id)
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

/// Those of `ids` that have a final decision in the bucket, each asked for by its key.
async fn outcomes_of(
    system: &System,
    ids: impl Iterator<Item = &String>,
) -> Result<HashSet<String>> {
    let found = stream::iter(ids)
        .map(|id| async move {
            Ok(system
                .objects
                .get(&keys::outcome(&id.as_str().into()))
                .await?
                .map(|_| id.clone()))
        })
        .buffer_unordered(AT_A_TIME);
    found
        .try_filter_map(|found| async move { Ok(found) })
        .try_collect()
        .await
}

/// Whole seconds around the moments asked about: the warehouse keeps fewer digits than they may have.
fn transactions_query(asked: &Asked) -> String {
    let mut query = counts_of("transactions");
    if let Some((first, last)) = asked.among_others {
        let (from, to) = (first.as_second(), last.as_second() + 1);
        let moment = |second| Timestamp::from_second(second).unwrap_or_default();
        let _ = write!(
            query,
            " AND occurred_at >= '{}' AND occurred_at <= '{}'",
            moment(from),
            moment(to)
        );
    }
    query + " GROUP BY transaction_id"
}

fn outcomes_query(asked: &Asked) -> String {
    let mut query = counts_of("outcomes");
    if let Some((first, _)) = asked.among_others {
        let _ = write!(query, " AND decided_at >= '{}'", day(first - MAX_AHEAD));
    }
    query + " GROUP BY transaction_id"
}

/// Rows without a decision are a history that was put there by hand.
fn counts_of(table: &str) -> String {
    format!(
        "SELECT transaction_id, MIN(action) AS action, COUNT(*) AS times FROM {table} WHERE decision_id IS NOT NULL"
    )
}

async fn in_table(
    system: &System,
    asked: &Asked,
    query: &str,
) -> Result<HashMap<String, InWarehouse>> {
    let rows = system.query(vec![query.to_owned()]).await?;
    let row = |row: &warehouse::Row| {
        let id = row.text("transaction_id").filter(|id| asked.is_about(id))?;
        let action = row
            .text("action")
            .and_then(|text| serde_json::from_value(text.into()).ok());
        Some((
            id.to_owned(),
            InWarehouse {
                times: row.number("times").unwrap_or_default() as usize,
                action,
            },
        ))
    };
    Ok(rows.iter().filter_map(row).collect())
}
