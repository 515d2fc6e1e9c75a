//! Running a statement: a session of its own, one transaction for a batch unless told otherwise.

use std::sync::Arc;
use std::time::Instant;

use tokio_postgres::types::ToSql;
use tokio_postgres::{Client, NoTls};

use crate::results::type_name;
use crate::statements::{Column, Rows, Statement, Status};
use crate::storage::Storage;
use crate::translate::{self, Step};
use crate::{copy, unload};

/// What a statement runs on.
#[derive(Debug)]
pub(crate) struct Engine {
    pub(crate) postgres: String,
    pub(crate) storage: Storage,
}

/// What one SQL gave.
#[derive(Default)]
struct Gave {
    columns: Vec<Column>,
    rows: Rows,
    touched: i64,
}

impl Engine {
    /// A session as Redshift's would be: UTC, its functions in sight.
    pub(crate) async fn session(&self) -> Result<Client, String> {
        let (client, connection) = tokio_postgres::connect(&self.postgres, NoTls).await.map_err(|e| text_of(&e))?;
        // The connection ends with its client.
        tokio::spawn(connection);
        let setting = "SET search_path TO public, redshift_compat; SET TIME ZONE 'UTC'; SET jit TO off";
        client.batch_execute(setting).await.map_err(|e| text_of(&e))?;
        Ok(client)
    }

    /// Runs all SQLs of a statement and writes down how each ended. The first error ends it.
    pub(crate) async fn run(&self, statement: &Statement) -> Result<(), String> {
        let record = statement.snapshot();
        if let Some((name, _)) = record.parameters.iter().find(|(_, value)| value.is_empty()) {
            return Err(format!("ERROR: parameter {name} is an empty string"));
        }
        let client = self.session().await?;
        let one_transaction = !record.auto_commit;
        let begin = |on| if on { "BEGIN" } else { "" };
        client.batch_execute(begin(one_transaction)).await.map_err(|e| text_of(&e))?;
        for (place, sub) in record.subs.iter().enumerate() {
            statement.change(|record| {
                if let Some(sub) = record.subs.get_mut(place) {
                    sub.status = Status::Started;
                }
            });
            let started = Instant::now();
            let ran = self.sql(&client, &sub.sql, &record.parameters).await;
            statement.change(|record| {
                let Some(sub) = record.subs.get_mut(place) else { return };
                sub.duration = started.elapsed();
                sub.updated = crate::statements::now();
                match &ran {
                    Err(error) => {
                        sub.status = Status::Failed;
                        sub.error = Some(error.clone());
                    }
                    Ok(gave) => {
                        sub.status = Status::Finished;
                        sub.result_rows = if gave.columns.is_empty() { gave.touched } else { gave.rows.len() as i64 };
                        sub.size = gave.rows.iter().flatten().flatten().map(|text| text.len() as i64).sum();
                        sub.columns.clone_from(&gave.columns);
                        sub.rows = Arc::new(gave.rows.clone());
                    }
                }
            });
            // The session ends here, and with it whatever its transaction had begun.
            ran?;
        }
        if one_transaction {
            client.batch_execute("COMMIT").await.map_err(|e| text_of(&e))?;
        }
        Ok(())
    }

    async fn sql(&self, client: &Client, sql: &str, values: &[(String, String)]) -> Result<Gave, String> {
        let mut gave = Gave::default();
        for step in translate::steps(sql).map_err(|why| format!("ERROR: {why}"))? {
            match step {
                Step::Copy(command) => {
                    let rows = copy::run(client, &self.storage, &command).await;
                    gave.touched = rows.map_err(|why| format!("ERROR: {why}"))? as i64;
                }
                Step::Unload(command) => {
                    let rows = unload::run(client, &self.storage, &command).await;
                    gave.touched = rows.map_err(|why| format!("ERROR: {why}"))? as i64;
                }
                Step::Sql { text, parameters, returns_rows } => {
                    let bound = bind(&parameters, values)?;
                    let bound: Vec<&(dyn ToSql + Sync)> = bound.iter().map(|value| value as _).collect();
                    if returns_rows {
                        gave = query(client, &text, &bound).await?;
                    } else {
                        gave.touched = client.execute(&text, &bound).await.map_err(|e| text_of(&e))? as i64;
                    }
                }
            }
        }
        Ok(gave)
    }
}

fn bind<'v>(names: &[String], values: &'v [(String, String)]) -> Result<Vec<&'v str>, String> {
    let value = |name: &String| {
        let found = values.iter().find(|(other, _)| other == name).map(|(_, value)| value.as_str());
        found.ok_or_else(|| format!("ERROR: there is no value for parameter {name}"))
    };
    names.iter().map(value).collect()
}

/// Rows as text, whatever their types: PostgreSQL itself writes them out.
async fn query(client: &Client, text: &str, bound: &[&(dyn ToSql + Sync)]) -> Result<Gave, String> {
    let prepared = client.prepare(text).await.map_err(|e| text_of(&e))?;
    let columns: Vec<Column> = prepared
        .columns()
        .iter()
        .map(|column| Column { name: column.name().to_owned(), type_name: type_name(column.type_()).to_owned() })
        .collect();
    if columns.is_empty() {
        let touched = client.execute(&prepared, bound).await.map_err(|e| text_of(&e))? as i64;
        return Ok(Gave { touched, ..Gave::default() });
    }
    let names: Vec<String> = (0..columns.len()).map(|place| format!("c{place}")).collect();
    let as_text: Vec<String> = names.iter().map(|name| format!("result.{name}::text")).collect();
    let text = text.trim_end_matches([';', ' ', '\n']);
    let wrapped = format!("SELECT {} FROM ({text}) AS result({})", as_text.join(", "), names.join(", "));
    let rows = client.query(&wrapped, bound).await.map_err(|e| text_of(&e))?;
    let rows = rows.iter().map(|row| (0..columns.len()).map(|place| row.get(place)).collect()).collect();
    Ok(Gave { columns, rows, touched: 0 })
}

/// An error as Redshift would say it; a conflict of serialisable transactions is its 1023.
pub(crate) fn text_of(error: &tokio_postgres::Error) -> String {
    let Some(db) = error.as_db_error() else { return format!("ERROR: {error}") };
    match db.code().code() {
        "40001" | "40P01" => format!("ERROR: 1023 DETAIL: Serializable isolation violation: {}", db.message()),
        _ => format!("ERROR: {}", db.message()),
    }
}
