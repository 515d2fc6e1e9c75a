//! Prepares a deployed stack for its first event: uploads the definition and creates the tables.

use std::collections::BTreeMap;

use anyhow::{Context as _, Result, ensure};
use features::Definition;
use features::sql::{self, TABLES};
use store::Objects as _;

use crate::system::System;

/// Columns of an earlier layout: the former name and today's.
const RENAMED: [(&str, &str); 1] = [("model_version", "bundle_version")];

/// Uploads the definition and creates the tables. Existing tables get missing columns, and renamed
/// columns get their new names. A table with a column of another type is refused, because COPY
/// would fail on it.
///
/// Transactions that were loaded before identities existed have none. They still count as history,
/// each identified by its id.
pub async fn init(system: &System, definition_text: &str) -> Result<Definition> {
    let definition = Definition::parse(definition_text)?;
    system
        .execute(sql::schema_ddl(&definition))
        .await
        .context("can't create the tables")?;
    let found = columns(system)
        .await
        .context("can't read the tables' columns")?;
    let changes = changes(&definition, &found)?;
    if !changes.is_empty() {
        system
            .execute(changes)
            .await
            .context("can't change the tables' columns")?;
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
    let rows = system.query(vec![sql::table_columns()]).await?;
    let column = |row: &warehouse::Row| {
        let text = |name| row.text(name).map(str::to_owned);
        Some((
            (text("table_name")?, text("column_name")?),
            text("data_type")?,
        ))
    };
    Ok(rows.iter().filter_map(column).collect())
}

/// The statements that add missing columns and rename those of an earlier layout.
fn changes(definition: &Definition, found: &Columns) -> Result<Vec<String>> {
    let mut changes = Vec::new();
    for table in TABLES {
        for (column, sql_type) in sql::columns(definition, table).unwrap_or_default() {
            let wanted = Wanted {
                table,
                column: &column,
                sql_type,
            };
            changes.extend(wanted.change(found)?);
        }
    }
    Ok(changes)
}

/// A column that a table must have.
struct Wanted<'a> {
    table: &'a str,
    column: &'a str,
    sql_type: &'a str,
}

impl Wanted<'_> {
    /// The statement that makes this column, if it does not exist.
    fn change(&self, found: &Columns) -> Result<Option<String>> {
        let Self {
            table,
            column,
            sql_type,
        } = *self;
        if let Some(found) = type_of(found, table, column) {
            self.check(column, found)?;
            return Ok(None);
        }
        let mut renamed = RENAMED.iter().filter(|(_, name)| *name == column);
        let former = renamed.find_map(|(name, _)| Some((*name, type_of(found, table, name)?)));
        let Some((former, found)) = former else {
            return Ok(Some(format!(
                "ALTER TABLE {table} ADD COLUMN {column} {sql_type}"
            )));
        };
        self.check(former, found)?;
        Ok(Some(format!(
            "ALTER TABLE {table} RENAME COLUMN {former} TO {column}"
        )))
    }

    /// Refuses a column of another type.
    fn check(&self, column: &str, found: &str) -> Result<()> {
        let wanted = in_words(self.sql_type);
        ensure!(
            found == wanted,
            "column {column} of table {} is {found}, expected {wanted}: rename the field, or \
             rename the table",
            self.table
        );
        Ok(())
    }
}

fn type_of<'c>(columns: &'c Columns, table: &str, column: &str) -> Option<&'c str> {
    let key = (table.to_owned(), column.to_owned());
    columns.get(&key).map(String::as_str)
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
    use features::sql::{OUTCOMES, TRANSACTIONS};

    use super::*;

    const SHIPPED: &str = include_str!("../../bundles/card-fraud/bundle.toml");

    /// The shipped definition and the columns of its tables.
    fn shipped() -> (Definition, Columns) {
        let definition = Definition::parse(SHIPPED).unwrap();
        let mut there = Columns::new();
        for table in TABLES {
            let columns = sql::columns(&definition, table).unwrap();
            assert!(!columns.is_empty(), "{table}");
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
            let id = type_of(&there, table, "transaction_id");
            assert_eq!(id, Some("character varying"));
        }
        assert_eq!(changes(&definition, &there).unwrap(), [""; 0]);
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
        assert_eq!(changes(&definition, &there).unwrap(), expected);
    }

    #[test]
    fn tables_of_the_earlier_layout_are_migrated() {
        let (definition, mut there) = shipped();
        for table in [TRANSACTIONS, OUTCOMES] {
            let version = (table.to_owned(), "bundle_version".to_owned());
            let sql_type = there.remove(&version).unwrap();
            there.insert((table.to_owned(), "model_version".to_owned()), sql_type);
        }
        for column in ["identity_hash", "arrived_at"] {
            there.remove(&(TRANSACTIONS.to_owned(), column.to_owned()));
        }
        let expected = [
            "ALTER TABLE transactions ADD COLUMN identity_hash VARCHAR(64)",
            "ALTER TABLE transactions ADD COLUMN arrived_at TIMESTAMPTZ",
            "ALTER TABLE transactions RENAME COLUMN model_version TO bundle_version",
            "ALTER TABLE outcomes RENAME COLUMN model_version TO bundle_version",
        ];
        assert_eq!(changes(&definition, &there).unwrap(), expected);
    }

    #[test]
    fn a_column_of_another_type_is_refused_by_name() {
        let (definition, mut there) = shipped();
        there.insert(
            ("transactions".to_owned(), "terminal_id".to_owned()),
            "bigint".to_owned(),
        );
        let error = changes(&definition, &there).unwrap_err().to_string();
        assert!(
            error.starts_with("column terminal_id of table transactions is bigint"),
            "{error}"
        );
    }
}
