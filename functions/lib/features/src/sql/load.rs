use jiff::Timestamp;

use super::tables::columns;
use super::{OUTCOMES, REPORTS, profiles, training_set};
use crate::{Definition, TrainingPeriod};

/// Takes the objects of a COPY manifest into a table: into a staging table, one row for each key,
/// then MERGE. Loading an object twice changes nothing. Run as one transaction. Empty for a table
/// that there is not.
pub fn load(
    definition: &Definition,
    table: &str,
    manifest_url: &str,
    iam_role: &str,
) -> Vec<String> {
    let Some(columns) = columns(definition, table) else {
        return Vec::new();
    };
    let names: Vec<&str> = columns.iter().map(|(name, _)| name.as_str()).collect();
    let list = names.join(", ");
    // Of several rows of one key the latest counts, as it would have if they had been loaded one by one.
    let latest = match table {
        REPORTS => "reported_at",
        OUTCOMES => "decided_at",
        _ => "decided_at, occurred_at",
    };
    let latest: String = latest
        .split(", ")
        .map(|column| format!("{column} DESC NULLS LAST"))
        .collect::<Vec<_>>()
        .join(", ");
    let set: Vec<String> = names
        .iter()
        .skip(1)
        .map(|name| format!("{name} = staged.{name}"))
        .collect();
    let values: Vec<String> = names.iter().map(|name| format!("staged.{name}")).collect();
    vec![
        format!("CREATE TEMP TABLE arriving (LIKE {table})"),
        format!(
            "COPY arriving FROM {} IAM_ROLE {} FORMAT JSON 'auto' GZIP MANIFEST TIMEFORMAT 'auto'",
            quoted(manifest_url),
            role(iam_role)
        ),
        format!(
            "CREATE TEMP TABLE staged AS SELECT {list} FROM (\n  SELECT {list}, ROW_NUMBER() OVER (PARTITION BY \
             transaction_id ORDER BY {latest}) AS _place FROM arriving\n) numbered WHERE _place = 1"
        ),
        format!(
            "MERGE INTO {table} USING staged ON {table}.transaction_id = staged.transaction_id\nWHEN MATCHED THEN \
             UPDATE SET {}\nWHEN NOT MATCHED THEN INSERT ({list}) VALUES ({})",
            set.join(", "),
            values.join(", ")
        ),
    ]
}

/// Writes [`training_set`] to `url` and what follows it, as gzipped CSV with a header.
pub fn training_export(
    definition: &Definition,
    period: &TrainingPeriod,
    url: &str,
    iam_role: &str,
) -> String {
    unload(&training_set(definition, period), url, iam_role)
}

/// Writes [`profiles`] likewise.
pub fn profiles_export(
    definition: &Definition,
    entity: usize,
    cut_off: Timestamp,
    url: &str,
    iam_role: &str,
) -> String {
    unload(&profiles(definition, entity, cut_off), url, iam_role)
}

fn unload(query: &str, url: &str, iam_role: &str) -> String {
    format!(
        "UNLOAD ({}) TO {} IAM_ROLE {} FORMAT CSV HEADER GZIP PARALLEL OFF ALLOWOVERWRITE",
        quoted(query),
        quoted(url),
        role(iam_role)
    )
}

/// A text in quotes, for the places of COPY and UNLOAD that take no parameter.
fn quoted(text: &str) -> String {
    format!("'{}'", text.replace('\'', "''"))
}

fn role(iam_role: &str) -> String {
    if iam_role == "default" {
        iam_role.to_owned()
    } else {
        quoted(iam_role)
    }
}
