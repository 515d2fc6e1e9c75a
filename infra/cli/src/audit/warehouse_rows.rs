//! Reads the warehouse for an audit.

use std::collections::HashMap;
use std::fmt::Write as _;

use anyhow::Result;
use decision::{Action, Identity};
use jiff::{SignedDuration, Timestamp};
use warehouse::Row;

use super::AuditScope;
use super::stored::MAX_AHEAD;
use crate::system::System;

/// The rows of one identity in `transactions`.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct TransactionRows {
    pub(super) times: usize,
    pub(super) transaction_id: String,
    pub(super) decision_id: String,
    pub(super) action: Option<Action>,
    pub(super) score: Option<f64>,
    pub(super) amount: Option<f64>,
    /// The entities in the schema's order.
    pub(super) entities: Vec<Option<String>>,
}

/// The rows of one decision id in `outcomes`.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct OutcomeRows {
    pub(super) times: usize,
    pub(super) transaction_id: String,
    pub(super) action: Option<Action>,
    pub(super) score: Option<f64>,
}

/// The rows of the table `transactions`. Rows without a decision belong to a loaded history.
pub(super) async fn transactions(
    system: &System,
    scope: &AuditScope,
    entities: &[String],
) -> Result<HashMap<Identity, TransactionRows>> {
    let rows = system
        .query(vec![transactions_query(scope, entities)])
        .await?;
    let row = |row: &Row| {
        let transaction_id = row
            .text("transaction_id")
            .filter(|id| scope.is_about(id))?
            .to_owned();
        let identity = Identity::parse(row.text("identity_hash")?)?;
        let entity = |place| row.text(&entity_column(place)).map(str::to_owned);
        let rows = TransactionRows {
            times: times(row),
            transaction_id,
            decision_id: row.text("decision_id").unwrap_or_default().to_owned(),
            action: action(row),
            score: row.number("score"),
            amount: row.number("amount"),
            entities: (0..entities.len()).map(entity).collect(),
        };
        Some((identity, rows))
    };
    Ok(rows.iter().filter_map(row).collect())
}

/// The rows of the table `outcomes`.
pub(super) async fn outcomes(
    system: &System,
    scope: &AuditScope,
) -> Result<HashMap<String, OutcomeRows>> {
    let rows = system.query(vec![outcomes_query(scope)]).await?;
    let row = |row: &Row| {
        let transaction_id = row
            .text("transaction_id")
            .filter(|id| scope.is_about(id))?
            .to_owned();
        let rows = OutcomeRows {
            times: times(row),
            transaction_id,
            action: action(row),
            score: row.number("score"),
        };
        Some((row.text("decision_id")?.to_owned(), rows))
    };
    Ok(rows.iter().filter_map(row).collect())
}

fn times(row: &Row) -> usize {
    row.number("times").unwrap_or_default() as usize
}

fn action(row: &Row) -> Option<Action> {
    serde_json::from_value(row.text("action")?.into()).ok()
}

fn entity_column(place: usize) -> String {
    format!("entity_{place}")
}

/// Times are rounded outward to seconds: the warehouse keeps fewer digits.
fn transactions_query(scope: &AuditScope, entities: &[String]) -> String {
    let mut query = "SELECT identity_hash, MIN(transaction_id) AS transaction_id, \
                     COUNT(*) AS times, MIN(decision_id) AS decision_id, \
                     MIN(action) AS action, MIN(score) AS score, MIN(amount) AS amount"
        .to_owned();
    for (place, name) in entities.iter().enumerate() {
        // INVARIANT: writing into a String cannot fail.
        let _ = write!(query, ", MIN({name}) AS {}", entity_column(place));
    }
    query.push_str(" FROM transactions WHERE decision_id IS NOT NULL");
    if let Some((first, last)) = scope.among_others {
        let from = Timestamp::from_second(first.as_second()).unwrap_or_default();
        let to = Timestamp::from_second(last.as_second() + 1).unwrap_or_default();
        let _ = write!(
            query,
            " AND occurred_at >= '{from}' AND occurred_at <= '{to}'"
        );
    }
    query + " GROUP BY identity_hash"
}

fn outcomes_query(scope: &AuditScope) -> String {
    let mut query = "SELECT decision_id, MIN(transaction_id) AS transaction_id, \
                     COUNT(*) AS times, MIN(action) AS action, MIN(score) AS score FROM outcomes"
        .to_owned();
    if let Some((first, _)) = scope.among_others {
        let from = first.saturating_sub(MAX_AHEAD + SignedDuration::from_hours(24));
        let from = from.unwrap_or(Timestamp::MIN);
        let _ = write!(query, " WHERE decided_at >= '{from}'");
    }
    query + " GROUP BY decision_id"
}
