use std::fmt::Write as _;

use super::evidence_parameters::{held_categories, held_numbers, parameter_name};
use super::window_query::WindowQuery;
use crate::Definition;

/// One query for each parameter of [`super::evidence_parameters`]. One row for each held
/// transaction: `transaction_id`, and one double for each window that the second look needs.
pub fn evidence(definition: &Definition, parameters: usize) -> Vec<String> {
    (0..parameters)
        .map(|index| query(definition, &parameter_name(index)))
        .collect()
}

fn query(definition: &Definition, parameter: &str) -> String {
    WindowQuery {
        definition,
        looks: &[&definition.confirm],
        held: &held_ctes(definition, parameter),
        columns: &["held.transaction_id".to_owned()],
        joins: "",
        period: None,
    }
    .text()
}

/// From the parameter, a JSON array, to the table `held`. Redshift can't unnest an array that is a
/// text, so its indexes come from a table of numbers.
fn held_ctes(definition: &Definition, parameter: &str) -> String {
    let mut columns = String::new();
    let mut push = |name: &str, value: String, sql_type: &str| {
        let _ = write!(columns, ",\n    CAST({value} AS {sql_type}) AS {name}");
    };
    push("occurred_at", json_value("occurred_at"), "TIMESTAMPTZ");
    push("amount", json_value("amount"), "DOUBLE PRECISION");
    for entity in &definition.schema().entities {
        push(entity, json_value(entity), "VARCHAR(256)");
    }
    // A missing field is an empty text, which is no double.
    for number in held_numbers(definition) {
        let value = format!("NULLIF({}, '')", json_value(number));
        push(number, value, "DOUBLE PRECISION");
    }
    for category in held_categories(definition) {
        let value = format!("NULLIF({}, '')", json_value(category));
        push(category, value, "VARCHAR(256)");
    }
    let transaction_id = json_value("transaction_id");
    let digits: String = (1..10).map(|n| format!(" UNION ALL SELECT {n}")).collect();
    let array = format!("CAST(:{parameter} AS VARCHAR(65535))");
    format!(
        "digit AS (
  SELECT 0 AS n{digits}
), number AS (
  SELECT ones.n + 10 * tens.n + 100 * hundreds.n AS n
  FROM digit ones CROSS JOIN digit tens CROSS JOIN digit hundreds
), item AS (
  SELECT JSON_EXTRACT_ARRAY_ELEMENT_TEXT({array}, n) AS hold
  FROM number
  WHERE n < JSON_ARRAY_LENGTH({array})
), held AS (
  SELECT
    CAST({transaction_id} AS VARCHAR(256)) AS transaction_id{columns}
  FROM item
)"
    )
}

fn json_value(name: &str) -> String {
    format!("JSON_EXTRACT_PATH_TEXT(hold, '{name}')")
}
