//! The held transactions as parameters of the evidence queries.

use std::collections::BTreeSet;

use decision::Hold;
use serde_json::{Map, Value, json};

use super::literal::timestamp_text;
use crate::{Definition, DistinctField, Measure, Quantity, Window};

/// Maximum bytes of one parameter. Redshift's longest text has 65,535 bytes.
const MAX_PARAMETER_BYTES: usize = 60_000;
/// Maximum number of held transactions in one parameter: the query counts with three digits.
const MAX_PARAMETER_HOLDS: usize = 1_000;
/// Maximum number of SQL texts in one statement: the Data API's limit.
const MAX_SQLS: usize = 40;

/// The held transactions as JSON arrays, with the names of the parameters in the queries of
/// [`super::evidence`]. A transaction that is held twice appears once, as the first hold has it:
/// the query groups by `transaction_id`.
pub fn evidence_parameters(definition: &Definition, holds: &[Hold]) -> Vec<(String, String)> {
    let mut arrays: Vec<String> = Vec::new();
    let mut holds_in_last = 0;
    let mut seen = BTreeSet::new();
    for hold in holds {
        if !seen.insert(&hold.transaction_id) {
            continue;
        }
        let item = item(definition, hold).to_string();
        match arrays.last_mut() {
            Some(array)
                if array.len() + item.len() + 2 <= MAX_PARAMETER_BYTES
                    && holds_in_last < MAX_PARAMETER_HOLDS =>
            {
                array.push(',');
                array.push_str(&item);
                holds_in_last += 1;
            }
            _ => {
                arrays.push(format!("[{item}"));
                holds_in_last = 1;
            }
        }
    }
    arrays
        .into_iter()
        .enumerate()
        .map(|(index, array)| (parameter_name(index), array + "]"))
        .collect()
}

/// Cuts the holds, in their order, into parts that fit one statement each. Equal holds give equal
/// parts, and no holds give no parts.
pub fn evidence_parts<'h>(definition: &Definition, holds: &'h [Hold]) -> Vec<&'h [Hold]> {
    match holds {
        [] => Vec::new(),
        [_] => vec![holds],
        _ if evidence_parameters(definition, holds).len() <= MAX_SQLS => vec![holds],
        _ => {
            let (first, second) = holds.split_at(holds.len() / 2);
            let mut parts = evidence_parts(definition, first);
            parts.extend(evidence_parts(definition, second));
            parts
        }
    }
}

pub(super) fn parameter_name(index: usize) -> String {
    format!("holds_{index}")
}

/// The numbers of a held transaction that its own windows include.
pub(super) fn held_numbers(definition: &Definition) -> BTreeSet<&str> {
    let mut names = BTreeSet::new();
    for window in windows_with_held(definition) {
        if let Some(quantity @ Quantity::Number(_)) = window.measure.quantity() {
            names.insert(quantity.name(definition.schema()));
        }
    }
    names
}

/// The categories of a held transaction that its own windows include.
pub(super) fn held_categories(definition: &Definition) -> BTreeSet<&str> {
    let mut names = BTreeSet::new();
    for window in windows_with_held(definition) {
        if let Measure::Distinct(field @ DistinctField::Category(_)) = window.measure {
            names.insert(field.name(definition.schema()));
        }
    }
    names
}

fn windows_with_held(definition: &Definition) -> impl Iterator<Item = &Window> {
    let windows = definition.windows(&definition.confirm).into_iter();
    windows
        .map(|(_, window)| window)
        .filter(|window| window.delay.is_zero())
}

fn item(definition: &Definition, hold: &Hold) -> Value {
    let mut item = Map::new();
    item.insert("transaction_id".to_owned(), json!(hold.transaction_id));
    item.insert(
        "occurred_at".to_owned(),
        json!(timestamp_text(hold.occurred_at)),
    );
    item.insert("amount".to_owned(), json!(hold.amount));
    for entity in &definition.schema().entities {
        item.insert(entity.clone(), json!(hold.entities.get(entity)));
    }
    for name in held_numbers(definition) {
        if let Some(number) = hold.numbers.get(name) {
            item.insert(name.to_owned(), json!(number));
        }
    }
    for name in held_categories(definition) {
        if let Some(category) = hold.categories.get(name) {
            item.insert(name.to_owned(), json!(category));
        }
    }
    Value::Object(item)
}
