//! The same features in Redshift's SQL, and the tables they are read from.
//!
//! All identifiers come from a checked [`Definition`], so they are plain words; all values of
//! transactions come as bound parameters.

mod load;
mod tables;

pub use load::{load, training_export};
pub use tables::{OUTCOMES, REPORTS, TRANSACTIONS, schema_ddl};

use std::fmt::Write as _;

use decision::Hold;
use jiff::Timestamp;
use serde_json::{Map, Value, json};

use crate::{Definition, Look, Measure, Window};

/// How long the JSON text of one parameter may be. Redshift's longest text is 65,535 bytes.
const MAX_PARAMETER: usize = 60_000;
/// How many held transactions one parameter may have: what three digits count.
const MAX_HOLDS: usize = 1_000;

/// One query for each parameter of [`evidence_parameters`]: a row for each held transaction, with
/// `transaction_id` and a double for each window that the confirming look needs.
pub fn evidence(definition: &Definition, parameters: usize) -> Vec<String> {
    let query = |k: usize| {
        let text = format!("CAST(:{} AS VARCHAR(65535))", parameter_name(k));
        let schema = definition.schema();
        let mut columns = String::new();
        let mut column = |name: &str, sql_type: &str| {
            let _ = write!(columns, ",\n    CAST(JSON_EXTRACT_PATH_TEXT(hold, '{name}') AS {sql_type}) AS {name}");
        };
        column("occurred_at", "TIMESTAMPTZ");
        column("amount", "DOUBLE PRECISION");
        schema.entities.iter().for_each(|entity| column(entity, "VARCHAR(256)"));
        let digits: Vec<String> = (1..10).map(|d| format!("UNION ALL SELECT {d}")).collect();
        let digits = digits.join(" ");
        let held = format!(
            "digit AS (
  SELECT 0 AS d {digits}
), counter AS (
  SELECT a.d + 10 * b.d + 100 * c.d AS i FROM digit a CROSS JOIN digit b CROSS JOIN digit c
), item AS (
  SELECT JSON_EXTRACT_ARRAY_ELEMENT_TEXT({text}, i) AS hold FROM counter WHERE i < JSON_ARRAY_LENGTH({text})
), held AS (
  SELECT
    CAST(JSON_EXTRACT_PATH_TEXT(hold, 'transaction_id') AS VARCHAR(256)) AS transaction_id{columns}
  FROM item
)"
        );
        with_windows(definition, &definition.confirm, &held, "h.transaction_id", "")
    };
    (0..parameters).map(query).collect()
}

fn parameter_name(k: usize) -> String {
    format!("holds_{k}")
}

/// The held transactions as JSON arrays, as many as their length asks for; names go with the queries
/// of [`evidence`].
pub fn evidence_parameters(definition: &Definition, holds: &[Hold]) -> Vec<(String, String)> {
    let mut chunks: Vec<String> = Vec::new();
    let mut in_last = 0;
    for hold in holds {
        let mut item = Map::new();
        item.insert("transaction_id".to_owned(), json!(hold.transaction_id));
        item.insert("occurred_at".to_owned(), json!(moment(hold.occurred_at)));
        item.insert("amount".to_owned(), json!(hold.amount));
        for entity in &definition.schema().entities {
            item.insert(entity.clone(), json!(hold.entities.get(entity)));
        }
        let item = Value::Object(item).to_string();
        match chunks.last_mut() {
            Some(chunk) if chunk.len() + item.len() + 2 <= MAX_PARAMETER && in_last < MAX_HOLDS => {
                chunk.push(',');
                chunk.push_str(&item);
                in_last += 1;
            }
            _ => {
                chunks.push(format!("[{item}"));
                in_last = 1;
            }
        }
    }
    chunks.into_iter().enumerate().map(|(k, chunk)| (parameter_name(k), chunk + "]")).collect()
}

/// The transactions that happened in `[from, to)` as rows to learn from: `transaction_id`,
/// `occurred_at` (seconds since 1970), `amount`, entities, numbers, categories, the windows of the
/// confirming look, and `label`: 1 for what was reported as fraud by `as_of`, else 0.
pub fn training_set(definition: &Definition, from: Timestamp, to: Timestamp, as_of: Timestamp) -> String {
    let schema = definition.schema();
    let declared: String = schema.declared().fold(String::new(), |columns, name| columns + ", " + name);
    let (from, to, as_of) = (moment(from), moment(to), moment(as_of));
    let held = format!(
        "held AS (
  SELECT transaction_id, occurred_at, amount{declared} FROM {TRANSACTIONS}
  WHERE occurred_at >= CAST('{from}' AS TIMESTAMPTZ) AND occurred_at < CAST('{to}' AS TIMESTAMPTZ)
)"
    );
    let mut columns =
        "h.transaction_id,\n  CAST(EXTRACT(EPOCH FROM h.occurred_at) AS DOUBLE PRECISION) AS occurred_at,\n  h.amount"
            .to_owned();
    for name in schema.declared() {
        let _ = write!(columns, ",\n  h.{name}");
    }
    let label = format!(
        "LEFT JOIN {REPORTS} l ON l.transaction_id = h.transaction_id AND l.reported_at <= CAST('{as_of}' AS TIMESTAMPTZ)"
    );
    let columns = columns + ",\n  CASE WHEN l.is_fraud THEN 1 ELSE 0 END AS label";
    with_windows(definition, &definition.confirm, &held, &columns, &label)
}

/// A moment as both engines read it, to the microsecond, which is all that a warehouse keeps.
fn moment(moment: Timestamp) -> String {
    format!("{moment:.6}")
}

/// A query over `held`: its `columns`, and a column for each window of the look.
///
/// A held transaction may lie in the table or not yet: it is left out of the join by its id and
/// counted from `held`, so that it counts once.
fn with_windows(definition: &Definition, look: &Look, held: &str, columns: &str, joins: &str) -> String {
    let windows = definition.windows(look);
    let mut query = format!("WITH {held}");
    let mut selected = columns.to_owned();
    let mut joined = String::new();
    for (place, entity) in definition.schema().entities.iter().enumerate() {
        let ours: Vec<_> = windows.iter().filter(|(_, window)| window.entity == place).collect();
        if ours.is_empty() {
            continue;
        }
        let longest = ours.iter().map(|(_, w)| w.delay + w.length).max().unwrap_or_default();
        let latest = ours.iter().map(|(_, w)| w.delay).min().unwrap_or_default();
        let mut sums = String::new();
        for (name, window) in &ours {
            sums.push_str(&aggregates(definition, name, window));
        }
        let reports = if ours.iter().any(|(_, w)| w.measure == Measure::FraudRate) {
            format!(
                "\n  LEFT JOIN {REPORTS} r ON r.transaction_id = t.transaction_id AND r.reported_at <= h.occurred_at"
            )
        } else {
            String::new()
        };
        let _ = write!(
            query,
            ", by_{entity} AS (
  SELECT h.transaction_id AS held_id{sums}
  FROM held h
  LEFT JOIN {TRANSACTIONS} t ON t.{entity} = h.{entity} AND t.transaction_id <> h.transaction_id
    AND t.occurred_at > h.occurred_at - {} AND t.occurred_at <= h.occurred_at - {}{reports}
  GROUP BY h.transaction_id
)",
            interval(longest),
            interval(latest),
        );
        for (name, window) in &ours {
            let _ = write!(selected, ",\n  CAST({} AS DOUBLE PRECISION) AS {name}", whole(entity, name, window));
        }
        let _ = write!(joined, "\nJOIN by_{entity} ON by_{entity}.held_id = h.transaction_id");
    }
    if !joins.is_empty() {
        joined = format!("{joined}\n{joins}");
    }
    format!("{query}\nSELECT\n  {selected}\nFROM held h{joined}")
}

fn interval(seconds: u64) -> String {
    format!("INTERVAL '{seconds} seconds'")
}

/// What the join must sum up for a window, of the other transactions.
fn aggregates(definition: &Definition, name: &str, window: &Window) -> String {
    let from = interval(window.delay + window.length);
    let to = interval(window.delay);
    let inside = format!("t.occurred_at > h.occurred_at - {from} AND t.occurred_at <= h.occurred_at - {to}");
    let count = format!(",\n    COUNT(CASE WHEN {inside} THEN 1 END) AS {name}_n");
    let sum = format!(",\n    COALESCE(SUM(CASE WHEN {inside} THEN t.amount END), 0) AS {name}_s");
    match window.measure {
        Measure::Count => count,
        Measure::Sum => sum,
        Measure::Mean => count + &sum,
        Measure::Deviation => {
            let squares =
                format!(",\n    COALESCE(SUM(CASE WHEN {inside} THEN t.amount * t.amount END), 0) AS {name}_q");
            count + &sum + &squares
        }
        Measure::Distinct(entity) => {
            let other = definition.schema().entities.get(entity).map_or("", String::as_str);
            format!(
                ",\n    COUNT(DISTINCT CASE WHEN {inside} THEN t.{other} END) AS {name}_n,
    COALESCE(MAX(CASE WHEN {inside} AND t.{other} = h.{other} THEN 1 ELSE 0 END), 0) AS {name}_o"
            )
        }
        Measure::FraudRate => {
            format!("{count},\n    COUNT(CASE WHEN {inside} AND r.is_fraud THEN 1 END) AS {name}_f")
        }
    }
}

/// A window's value, the held transaction itself included where the window has no delay.
fn whole(entity: &str, name: &str, window: &Window) -> String {
    let part = |suffix: &str| format!("by_{entity}.{name}_{suffix}");
    let own = window.delay == 0;
    let (one, amount, square) = if own { (" + 1", " + h.amount", " + h.amount * h.amount") } else { ("", "", "") };
    let count = format!("({}{one})", part("n"));
    let sum = format!("({}{amount})", part("s"));
    match window.measure {
        Measure::Count => count,
        Measure::Sum => sum,
        Measure::Mean => format!("{sum} / NULLIF({count}, 0)"),
        Measure::Deviation => {
            // Rounding can leave the difference a hair below 0. NULL, for no transactions, stays NULL.
            let mean = format!("({sum} / NULLIF({count}, 0))");
            let variance = format!("(({}{square}) / NULLIF({count}, 0) - {mean} * {mean})", part("q"));
            format!("SQRT(CASE WHEN {variance} < 0 THEN 0 ELSE {variance} END)")
        }
        Measure::Distinct(_) if own => format!("({} + 1 - {})", part("n"), part("o")),
        Measure::Distinct(_) => part("n"),
        // CAST first: a whole number over a whole number is a whole number.
        Measure::FraudRate => {
            format!("COALESCE(CAST({} AS DOUBLE PRECISION) / NULLIF({count}, 0), 0)", part("f"))
        }
    }
}
