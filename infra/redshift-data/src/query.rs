//! Runs one translated statement on PostgreSQL.

use std::sync::Arc;

use bytes::BytesMut;
use tokio_postgres::Client;
use tokio_postgres::types::{Format, IsNull, ToSql, Type, to_sql_checked};

use crate::results::type_name;
use crate::sql_error::text_of;
use crate::statements::{Column, Rows};
use crate::translate::Sql;

#[derive(Default)]
pub(crate) struct SqlResult {
    pub(crate) columns: Vec<Column>,
    pub(crate) rows: Arc<Rows>,
    /// The number of rows that a statement without a result inserted, changed or deleted.
    pub(crate) touched: i64,
}

/// Runs a statement. `values` are the parameters' names and values.
pub(crate) async fn run(
    client: &Client,
    sql: &Sql,
    values: &[(String, String)],
) -> Result<SqlResult, String> {
    let bound = bind(&sql.parameters, values)?;
    let bound: Vec<&(dyn ToSql + Sync)> = bound.iter().map(|value| value as _).collect();
    if sql.returns_rows {
        return rows(client, &sql.text, &bound).await;
    }
    let touched = client.execute(&sql.text, &bound).await;
    Ok(SqlResult {
        touched: touched.map_err(|error| text_of(&error))? as i64,
        ..SqlResult::default()
    })
}

/// The value of a parameter. PostgreSQL converts it to the type of its place, like a quoted
/// literal.
#[derive(Debug)]
struct Literal<'v>(&'v str);

impl ToSql for Literal<'_> {
    fn to_sql(
        &self,
        _: &Type,
        out: &mut BytesMut,
    ) -> Result<IsNull, Box<dyn std::error::Error + Sync + Send>> {
        out.extend_from_slice(self.0.as_bytes());
        Ok(IsNull::No)
    }

    fn accepts(_: &Type) -> bool {
        true
    }

    fn encode_format(&self, _: &Type) -> Format {
        Format::Text
    }

    to_sql_checked!();
}

fn bind<'v>(names: &[String], values: &'v [(String, String)]) -> Result<Vec<Literal<'v>>, String> {
    let value = |name: &String| {
        let found = values
            .iter()
            .find(|(other, _)| other == name)
            .map(|(_, value)| value.as_str());
        found
            .map(Literal)
            .ok_or_else(|| format!("ERROR: parameter {name} has no value"))
    };
    names.iter().map(value).collect()
}

/// Runs a query and reads all values as text, which PostgreSQL makes.
async fn rows(
    client: &Client,
    text: &str,
    bound: &[&(dyn ToSql + Sync)],
) -> Result<SqlResult, String> {
    let prepared = client.prepare(text).await.map_err(|e| text_of(&e))?;
    let columns: Vec<Column> = prepared
        .columns()
        .iter()
        .map(|column| Column {
            name: column.name().to_owned(),
            type_name: type_name(column.type_()).to_owned(),
        })
        .collect();
    if columns.is_empty() {
        let touched = client
            .execute(&prepared, bound)
            .await
            .map_err(|e| text_of(&e))? as i64;
        return Ok(SqlResult {
            touched,
            ..SqlResult::default()
        });
    }
    // SHOW and EXPLAIN return text, and are not allowed in FROM.
    let first = text
        .trim_start_matches(['(', ' ', '\n'])
        .split_whitespace()
        .next()
        .unwrap_or_default();
    let rows = if ["SHOW", "EXPLAIN"]
        .iter()
        .any(|word| first.eq_ignore_ascii_case(word))
    {
        client.query(&prepared, bound).await
    } else {
        let names: Vec<String> = (0..columns.len())
            .map(|place| format!("c{place}"))
            .collect();
        let typed = names.iter().zip(prepared.columns());
        let as_text: Vec<String> = typed
            .map(|(name, column)| as_text(name, column.type_()))
            .collect();
        let text = text.trim_end_matches([';', ' ', '\n']);
        let wrapped = format!(
            "SELECT {} FROM ({text}) AS result({})",
            as_text.join(", "),
            names.join(", ")
        );
        client.query(&wrapped, bound).await
    };
    let rows = rows.map_err(|e| text_of(&e))?;
    let rows: Rows = rows
        .iter()
        .map(|row| (0..columns.len()).map(|place| row.get(place)).collect())
        .collect();
    let rows = Arc::new(rows);
    Ok(SqlResult {
        columns,
        rows,
        touched: 0,
    })
}

/// The expression of a result column as text. A CHAR keeps its trailing blanks, as in Redshift.
fn as_text(name: &str, sql_type: &Type) -> String {
    if *sql_type == Type::BPCHAR {
        format!("CASE WHEN result.{name} IS NOT NULL THEN concat(result.{name}) END")
    } else {
        format!("result.{name}::text")
    }
}
