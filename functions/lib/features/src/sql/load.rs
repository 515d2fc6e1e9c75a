use super::tables::columns;
use super::{OUTCOMES, REPORTS, literal};
use crate::Definition;

/// Loads the objects of a COPY manifest into a table. The statements run as one transaction: COPY
/// into a temporary table, keep the latest row of each key, MERGE. Loading an object again changes
/// nothing. Empty for an unknown table.
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
    let column_list = names.join(", ");
    // The latest row of a key must win, as if the rows had been loaded one by one.
    let latest_first = match table {
        REPORTS => "reported_at DESC NULLS LAST",
        OUTCOMES => "decided_at DESC NULLS LAST",
        _ => "decided_at DESC NULLS LAST, occurred_at DESC NULLS LAST",
    };
    let assignments: Vec<String> = names
        .iter()
        .skip(1)
        .map(|name| format!("{name} = latest.{name}"))
        .collect();
    let values: Vec<String> = names.iter().map(|name| format!("latest.{name}")).collect();
    vec![
        format!("CREATE TEMP TABLE incoming (LIKE {table})"),
        format!(
            "COPY incoming
FROM {}
IAM_ROLE {}
FORMAT JSON 'auto' GZIP MANIFEST TIMEFORMAT 'auto'",
            literal::text(manifest_url),
            literal::iam_role(iam_role)
        ),
        format!(
            "CREATE TEMP TABLE latest AS
SELECT {column_list}
FROM (
  SELECT
    {column_list},
    ROW_NUMBER() OVER (PARTITION BY transaction_id ORDER BY {latest_first}) AS _rank
  FROM incoming
) ranked
WHERE _rank = 1"
        ),
        format!(
            "MERGE INTO {table}
USING latest ON {table}.transaction_id = latest.transaction_id
WHEN MATCHED THEN UPDATE SET
  {}
WHEN NOT MATCHED THEN INSERT ({column_list})
VALUES ({})",
            assignments.join(",\n  "),
            values.join(", ")
        ),
    ]
}
