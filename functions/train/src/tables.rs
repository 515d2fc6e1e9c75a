//! Whether the warehouse's tables have the columns that a definition needs.

use std::collections::BTreeSet;

use features::{Definition, sql};
use warehouse::Row;

/// The columns that the definition needs and the tables lack, as `table.column`. `rows` are those of
/// [`sql::table_columns`].
pub(crate) fn missing_columns(definition: &Definition, rows: &[Row]) -> Vec<String> {
    let found: BTreeSet<(&str, &str)> = rows
        .iter()
        .filter_map(|row| row.text("table_name").zip(row.text("column_name")))
        .collect();
    let mut missing = Vec::new();
    for table in sql::TABLES {
        for (column, _) in sql::columns(definition, table).unwrap_or_default() {
            if !found.contains(&(table, column.as_str())) {
                missing.push(format!("{table}.{column}"));
            }
        }
    }
    missing
}
