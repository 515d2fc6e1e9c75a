use std::fmt::Write as _;

use jiff::Timestamp;

use super::known_frauds::{column_list, latest_first};
use super::profile_columns::ProfileColumns;
use super::tables::PAST_ARRIVED_AT;
use super::window_columns::Column;
use super::{KNOWN_FRAUDS, TRANSACTIONS, literal};
use crate::Definition;

/// The profiles of an entity as of a cut-off. One row for each value of the entity with transactions
/// or known frauds in the windows: `entity`, the value, and one double for each number of
/// [`crate::Parts`], named by [`super::profile_column`].
///
/// `None` if the definition has no profiles.
pub fn profiles(definition: &Definition, entity: usize, cut_off: Timestamp) -> Option<String> {
    let cut_off = literal::timestamp(cut_off);
    let profile = ProfileColumns {
        definition,
        cut_offs: definition.cut_offs?,
        entity,
        cut_off: &cut_off,
    };
    let name = definition.schema().entities.get(entity)?;
    let mut sources = Vec::new();
    let transactions = profile.of_transactions();
    if !transactions.is_empty() {
        sources.push(Source {
            name: "_transactions",
            cte: transactions_cte(&profile, name, &transactions),
            columns: transactions,
        });
    }
    let frauds = profile.of_frauds();
    if !frauds.is_empty() {
        sources.push(Source {
            name: "_frauds",
            cte: frauds_cte(&profile, name, &frauds),
            columns: frauds,
        });
    }
    Some(joined(&sources))
}

/// A common table expression with one row for each value `entity`.
struct Source {
    name: &'static str,
    cte: String,
    columns: Vec<Column>,
}

fn transactions_cte(profile: &ProfileColumns<'_>, name: &str, columns: &[Column]) -> String {
    let mut conditions = format!("past.{name} IS NOT NULL");
    if let Some(reach) = profile.reach() {
        let first = literal::before(profile.cut_off, reach.start);
        let last = literal::before(profile.cut_off, reach.end);
        let _ = write!(
            conditions,
            "\n    AND past.occurred_at > {first} AND past.occurred_at <= {last}"
        );
    }
    let arrived = profile.has_arrived("past.occurred_at", PAST_ARRIVED_AT);
    let aggregates = column_list(columns);
    format!(
        "_transactions AS (
  SELECT
    past.{name} AS entity{aggregates}
  FROM {TRANSACTIONS} past
  WHERE {conditions}
    AND {arrived}
  GROUP BY past.{name}
)"
    )
}

fn frauds_cte(profile: &ProfileColumns<'_>, name: &str, columns: &[Column]) -> String {
    let aggregates = column_list(columns);
    let latest = latest_first("");
    let known = profile.report_known();
    format!(
        "_frauds AS (
  SELECT
    fraud.entity{aggregates}
  FROM (
    SELECT
      report.{name} AS entity, report.occurred_at, report.is_fraud,
      {latest} AS _rank
    FROM {KNOWN_FRAUDS} report
    WHERE report.{name} IS NOT NULL
      AND {known}
  ) fraud
  WHERE fraud._rank = 1 AND fraud.is_fraud
  GROUP BY fraud.entity
)"
    )
}

fn joined(sources: &[Source]) -> String {
    let ctes: Vec<&str> = sources.iter().map(|source| source.cte.as_str()).collect();
    let mut columns = String::new();
    for Source {
        name,
        columns: of_source,
        ..
    } in sources
    {
        for Column { name: column, .. } in of_source {
            let _ = write!(
                columns,
                ",\n  CAST({name}.{column} AS DOUBLE PRECISION) AS {column}"
            );
        }
    }
    let keys: Vec<String> = sources
        .iter()
        .map(|source| format!("SELECT entity FROM {}", source.name))
        .collect();
    let joins: String = sources
        .iter()
        .map(|Source { name, .. }| format!("\nLEFT JOIN {name} ON {name}.entity = _values.entity"))
        .collect();
    format!(
        "WITH {}, _values AS (
  {}
)
SELECT
  _values.entity{columns}
FROM _values{joins}",
        ctes.join(", "),
        keys.join("\n  UNION\n  ")
    )
}
