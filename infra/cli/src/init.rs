//! Prepares a deployed stack for its first event: uploads the definition and creates the tables.

use std::collections::BTreeMap;

use anyhow::{Context as _, Result, ensure};
use features::Definition;
use features::sql::{self, OUTCOMES, REPORTS, TRANSACTIONS};
use store::Objects as _;

use crate::system::System;

const TABLES: [&str; 3] = [TRANSACTIONS, REPORTS, OUTCOMES];

/// Uploads the definition and creates the tables. Existing tables get missing columns. A table with
/// a column of another type is refused, because COPY would fail on it.
pub async fn init(system: &System, definition_text: &str) -> Result<Definition> {
    let definition = Definition::parse(definition_text)?;
    system
        .execute(sql::schema_ddl(&definition))
        .await
        .context("can't create the tables")?;
    let there = columns(system)
        .await
        .context("can't read the tables' columns")?;
    let missing = missing(&definition, &there)?;
    if !missing.is_empty() {
        system
            .execute(missing)
            .await
            .context("can't add columns to the tables")?;
    }
    // The definition is uploaded last: from then on, load expects its columns.
    let key = bundle::keys::definition(&definition.name);
    system
        .objects
        .put(&key, definition_text.as_bytes().to_vec())
        .await
        .context("can't upload the definition")?;
    Ok(definition)
}

/// The types of columns by table and column, as `information_schema` names them.
type Columns = BTreeMap<(String, String), String>;

async fn columns(system: &System) -> Result<Columns> {
    let query = format!(
        "SELECT table_name, column_name, data_type FROM information_schema.columns \
         WHERE table_schema = current_schema() AND table_name IN ('{}')",
        TABLES.join("', '")
    );
    let rows = system.query(vec![query]).await?;
    let column = |row: &warehouse::Row| {
        let text = |name| row.text(name).map(str::to_owned);
        Some((
            (text("table_name")?, text("column_name")?),
            text("data_type")?,
        ))
    };
    Ok(rows.iter().filter_map(column).collect())
}

/// The statements that add the missing columns.
fn missing(definition: &Definition, there: &Columns) -> Result<Vec<String>> {
    let mut add = Vec::new();
    for table in TABLES {
        for (column, sql_type) in sql::columns(definition, table).unwrap_or_default() {
            let Some(found) = there.get(&(table.to_owned(), column.clone())) else {
                add.push(format!(
                    "ALTER TABLE {table} ADD COLUMN {column} {sql_type}"
                ));
                continue;
            };
            let wanted = in_words(sql_type);
            ensure!(
                *found == wanted,
                "column {column} of table {table} is {found}, expected {wanted}: rename the field, or rename \
                 the table"
            );
        }
    }
    Ok(add)
}

/// The name of a SQL type in `information_schema`.
fn in_words(sql_type: &str) -> String {
    match sql_type.split('(').next().unwrap_or(sql_type) {
        "VARCHAR" => "character varying".to_owned(),
        "TIMESTAMPTZ" => "timestamp with time zone".to_owned(),
        other => other.to_lowercase(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const SHIPPED: &str = include_str!("../../bundles/card-fraud/bundle.toml");

    /// The shipped definition and the columns of its tables.
    fn shipped() -> (Definition, Columns) {
        let definition = Definition::parse(SHIPPED).unwrap();
        let mut there = Columns::new();
        for table in TABLES {
            let columns = sql::columns(&definition, table).unwrap();
            assert!(columns.len() >= 3, "{table}");
            for (column, sql_type) in columns {
                there.insert((table.to_owned(), column), in_words(sql_type));
            }
        }
        (definition, there)
    }

    #[test]
    fn complete_tables_are_not_changed() {
        let (definition, there) = shipped();
        for table in TABLES {
            assert_eq!(
                there[&(table.to_owned(), "transaction_id".to_owned())],
                "character varying"
            );
        }
        assert_eq!(missing(&definition, &there).unwrap(), [""; 0]);
    }

    #[test]
    fn missing_columns_are_added() {
        let (definition, mut there) = shipped();
        there.remove(&("transactions".to_owned(), "score".to_owned()));
        there.remove(&("outcomes".to_owned(), "decided_at".to_owned()));
        let expected = [
            "ALTER TABLE transactions ADD COLUMN score DOUBLE PRECISION",
            "ALTER TABLE outcomes ADD COLUMN decided_at TIMESTAMPTZ",
        ];
        assert_eq!(missing(&definition, &there).unwrap(), expected);
    }

    #[test]
    fn a_column_of_another_type_is_refused_by_name() {
        let (definition, mut there) = shipped();
        there.insert(
            ("transactions".to_owned(), "terminal_id".to_owned()),
            "bigint".to_owned(),
        );
        let error = missing(&definition, &there).unwrap_err().to_string();
        assert!(
            error.starts_with("column terminal_id of table transactions is bigint"),
            "{error}"
        );
    }
}
