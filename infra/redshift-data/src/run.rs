//! Runs a statement in a session of its own, and a batch in one transaction unless it has
//! AUTO_COMMIT.

use std::pin::pin;
use std::sync::Arc;
use std::time::{Duration, Instant};

use bytes::BytesMut;
use tokio_postgres::types::{Format, IsNull, ToSql, Type, to_sql_checked};
use tokio_postgres::{Client, NoTls};

use crate::results::type_name;
use crate::statements::{Column, Rows, Statement, Status, SubStatement};
use crate::steps::{Step, steps};
use crate::storage::Storage;
use crate::translate::Sql;
use crate::{copy, unload};

#[derive(Debug)]
pub(crate) struct Engine {
    pub(crate) postgres: String,
    pub(crate) storage: Storage,
}

#[derive(Default)]
struct SqlResult {
    columns: Vec<Column>,
    rows: Arc<Rows>,
    touched: i64,
}

impl Engine {
    /// Opens a session with the settings of Redshift: UTC, and its functions on the search path.
    pub(crate) async fn session(&self) -> Result<Client, String> {
        let (client, connection) = tokio_postgres::connect(&self.postgres, NoTls)
            .await
            .map_err(|e| text_of(&e))?;
        // The connection ends with its client.
        tokio::spawn(connection);
        let setting =
            "SET search_path TO public, redshift_compat; SET TIME ZONE 'UTC'; SET jit TO off";
        client
            .batch_execute(setting)
            .await
            .map_err(|e| text_of(&e))?;
        Ok(client)
    }

    /// Runs a statement until it ends or is cancelled. Returns its final status and the error.
    pub(crate) async fn run(&self, statement: &Statement) -> (Status, Option<String>) {
        let client = match self.session().await {
            Ok(client) => client,
            Err(error) => return (Status::Failed, Some(error)),
        };
        statement.change(|record| record.status = Status::Started);
        let canceller = client.cancel_token();
        let mut running = pin!(self.all_sqls(&client, statement));
        let ended = tokio::select! {
            ended = &mut running => ended,
            () = statement.cancellation() => {
                // The query in PostgreSQL has to end first: a client that reads ABORTED relies on
                // no further writes. PostgreSQL ignores a request while it is idle, also if a query
                // is on its way. So the request is repeated until the query ends.
                loop {
                    let _ = canceller.cancel_query(NoTls).await;
                    tokio::select! {
                        ended = &mut running => break ended,
                        () = tokio::time::sleep(Duration::from_millis(50)) => {}
                    }
                }
            }
        };
        match ended {
            Ok(()) => (Status::Finished, None),
            Err(_) if statement.is_cancelled() => (
                Status::Aborted,
                Some("Query cancelled on user's request".to_owned()),
            ),
            Err(error) => (Status::Failed, Some(error)),
        }
    }

    /// Runs all SQL texts of a statement and records the status of each. The first error ends it.
    async fn all_sqls(&self, client: &Client, statement: &Statement) -> Result<(), String> {
        let record = statement.snapshot();
        if let Some((name, _)) = record.parameters.iter().find(|(_, value)| value.is_empty()) {
            return Err(format!(
                "ERROR: the value of parameter {name} is an empty string"
            ));
        }
        let check_cancelled = || {
            if statement.is_cancelled() {
                Err("ERROR: cancelled".to_owned())
            } else {
                Ok(())
            }
        };
        let one_transaction = !record.auto_commit;
        if one_transaction {
            client
                .batch_execute("BEGIN")
                .await
                .map_err(|e| text_of(&e))?;
        }
        for (place, sub) in record.subs.iter().enumerate() {
            check_cancelled()?;
            let change = |change: &dyn Fn(&mut SubStatement)| {
                statement.change(|record| record.subs.get_mut(place).map_or((), change));
            };
            change(&|sub| sub.status = Status::Started);
            let started = Instant::now();
            let ran = self.sql(client, &sub.sql, &record.parameters).await;
            change(&|sub| {
                sub.duration = started.elapsed();
                sub.updated = crate::statements::now();
                match &ran {
                    Err(_) if statement.is_cancelled() => sub.status = Status::Aborted,
                    Err(error) => {
                        sub.status = Status::Failed;
                        sub.error = Some(error.clone());
                    }
                    Ok(result) => {
                        sub.status = Status::Finished;
                        sub.result_rows = if result.columns.is_empty() {
                            result.touched
                        } else {
                            result.rows.len() as i64
                        };
                        sub.size = result
                            .rows
                            .iter()
                            .flatten()
                            .flatten()
                            .map(|text| text.len() as i64)
                            .sum();
                        sub.columns.clone_from(&result.columns);
                        sub.rows = Arc::clone(&result.rows);
                    }
                }
            });
            // An error ends the session, which rolls back an open transaction.
            ran?;
        }
        if one_transaction {
            check_cancelled()?;
            client
                .batch_execute("COMMIT")
                .await
                .map_err(|e| text_of(&e))?;
        }
        Ok(())
    }

    async fn sql(
        &self,
        client: &Client,
        sql: &str,
        values: &[(String, String)],
    ) -> Result<SqlResult, String> {
        let mut result = SqlResult::default();
        for step in steps(sql).map_err(|why| format!("ERROR: not supported: {why}"))? {
            match step {
                Step::Copy(command) => {
                    let rows = copy::run(client, &self.storage, &command).await;
                    result.touched = rows.map_err(|why| format!("ERROR: {why}"))? as i64;
                }
                Step::Unload(command) => {
                    let rows = unload::run(client, &self.storage, &command).await;
                    result.touched = rows.map_err(|why| format!("ERROR: {why}"))? as i64;
                }
                Step::Sql(Sql {
                    text,
                    parameters,
                    returns_rows,
                }) => {
                    let bound = bind(&parameters, values)?;
                    let bound: Vec<&(dyn ToSql + Sync)> =
                        bound.iter().map(|value| value as _).collect();
                    if returns_rows {
                        result = query(client, &text, &bound).await?;
                    } else {
                        result.touched = client
                            .execute(&text, &bound)
                            .await
                            .map_err(|e| text_of(&e))?
                            as i64;
                    }
                }
            }
        }
        Ok(result)
    }
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
async fn query(
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
        let as_text: Vec<String> = names
            .iter()
            .map(|name| format!("result.{name}::text"))
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

/// The error message as Redshift writes it. Its error 1023 is a conflict of serializable
/// transactions.
pub(crate) fn text_of(error: &tokio_postgres::Error) -> String {
    let Some(db) = error.as_db_error() else {
        return format!("ERROR: {error}");
    };
    match db.code().code() {
        "40001" | "40P01" => format!(
            "ERROR: 1023 DETAIL: Serializable isolation violation: {}",
            db.message()
        ),
        _ => format!("ERROR: {}", db.message()),
    }
}
