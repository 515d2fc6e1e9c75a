//! What a deployed stack needs before its first event: the bundle's definition and the tables.

use std::collections::BTreeMap;

use anyhow::{Context as _, Result, ensure};
use model::Definition;
use outlet::{Objects as _, keys};

use crate::system::System;

/// Uploads the definition and makes the tables. Tables that are there get the columns they lack; one
/// that has a column of another type is refused, for COPY would fail on it.
pub async fn init(system: &System, definition_text: &str) -> Result<Definition> {
    let definition = Definition::parse(definition_text)?;
    let tables = model::sql::schema_ddl(&definition);
    system.execute(tables.clone()).await.context("can't make the tables")?;
    let there = columns(system).await.context("can't read the tables' columns")?;
    let missing = missing(&tables, &there)?;
    if !missing.is_empty() {
        system.execute(missing).await.context("can't add columns to the tables")?;
    }
    // Last: from then on load asks for the definition's columns.
    let key = keys::bundle_definition(&definition.name);
    system.objects.put(&key, definition_text.as_bytes().to_vec()).await.context("can't upload the definition")?;
    Ok(definition)
}

/// The tables' columns: (table, column) and type, in the words of `information_schema`.
type Columns = BTreeMap<(String, String), String>;

async fn columns(system: &System) -> Result<Columns> {
    let query = "SELECT table_name, column_name, data_type FROM information_schema.columns \
                 WHERE table_schema = current_schema() AND table_name IN ('transactions', 'fraud_reports', 'outcomes')";
    let rows = system.query(vec![query.to_owned()]).await?;
    let column = |row: &warehouse::Row| {
        let text = |name| row.text(name).map(str::to_owned);
        Some(((text("table_name")?, text("column_name")?), text("data_type")?))
    };
    Ok(rows.iter().filter_map(column).collect())
}

/// What adds the columns of these `CREATE TABLE`s that are not there.
fn missing(tables: &[String], there: &Columns) -> Result<Vec<String>> {
    let mut add = Vec::new();
    for ddl in tables {
        let (table, columns) = parts(ddl).context("the definition's tables are not as expected")?;
        for (column, sql_type) in columns {
            let Some(found) = there.get(&(table.to_owned(), column.to_owned())) else {
                add.push(format!("ALTER TABLE {table} ADD COLUMN {column} {sql_type}"));
                continue;
            };
            let wanted = in_words(sql_type);
            ensure!(
                *found == wanted,
                "column {column} of table {table} is {found} and would have to be {wanted}: name the field \
                 differently, or move the table away"
            );
        }
    }
    Ok(add)
}

/// Table, and each column's name and type, of a `CREATE TABLE` of ours: one column a line.
fn parts(ddl: &str) -> Option<(&str, Vec<(&str, &str)>)> {
    let (head, rest) = ddl.split_once(" (\n")?;
    let (list, _) = rest.split_once("\n)")?;
    let columns: Option<Vec<_>> = list.lines().map(|line| line.trim().trim_end_matches(',').split_once(' ')).collect();
    let columns = columns?.into_iter().map(|(name, sql_type)| (name, sql_type.trim_end_matches(" NOT NULL")));
    Some((head.rsplit(' ').next()?, columns.collect()))
}

/// A type of ours as `information_schema` calls it.
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

    /// The shipped definition's tables, and the columns they have once they are made.
    fn made() -> (Vec<String>, Columns) {
        let tables = model::sql::schema_ddl(&Definition::parse(SHIPPED).unwrap());
        let mut there = Columns::new();
        for ddl in &tables {
            let (table, columns) = parts(ddl).unwrap();
            assert!(columns.len() >= 3, "{ddl}");
            for (column, sql_type) in columns {
                there.insert((table.to_owned(), column.to_owned()), in_words(sql_type));
            }
        }
        (tables, there)
    }

    #[test]
    fn tables_as_they_should_be_are_left_alone() {
        let (tables, there) = made();
        for table in ["transactions", "fraud_reports", "outcomes"] {
            assert_eq!(there[&(table.to_owned(), "transaction_id".to_owned())], "character varying");
        }
        assert_eq!(missing(&tables, &there).unwrap(), [""; 0]);
    }

    #[test]
    fn columns_that_are_not_there_are_added() {
        let (tables, mut there) = made();
        there.remove(&("transactions".to_owned(), "score".to_owned()));
        there.remove(&("outcomes".to_owned(), "decided_at".to_owned()));
        let expected = [
            "ALTER TABLE transactions ADD COLUMN score DOUBLE PRECISION",
            "ALTER TABLE outcomes ADD COLUMN decided_at TIMESTAMPTZ",
        ];
        assert_eq!(missing(&tables, &there).unwrap(), expected);
    }

    #[test]
    fn a_column_of_another_type_is_refused_by_name() {
        let (tables, mut there) = made();
        there.insert(("transactions".to_owned(), "terminal_id".to_owned()), "bigint".to_owned());
        let error = missing(&tables, &there).unwrap_err().to_string();
        assert!(error.starts_with("column terminal_id of table transactions is bigint"), "{error}");
    }
}
