//! Runs a statement in a session of its own, and a batch in one transaction unless it has
//! AUTO_COMMIT.

use std::pin::pin;
use std::sync::Arc;
use std::time::{Duration, Instant};

use tokio_postgres::{Client, NoTls};

use crate::copy::{self, Copy};
use crate::load_errors::CopyQuery;
use crate::query::{self, SqlResult};
use crate::sql_error::text_of;
use crate::statements::{Statement, Status, SubStatement};
use crate::steps::{Step, steps};
use crate::storage::Storage;
use crate::unload;

#[derive(Debug)]
pub(crate) struct Engine {
    pub(crate) postgres: String,
    pub(crate) storage: Storage,
    /// The time after which a SQL statement is cancelled. Zero means never.
    pub(crate) statement_timeout: Duration,
}

/// The status and the error of a statement that was cancelled.
pub(crate) fn cancelled() -> (Status, Option<String>) {
    let error = "Query cancelled on user's request".to_owned();
    (Status::Aborted, Some(error))
}

impl Engine {
    /// Opens a session with the settings of Redshift: UTC, and its functions on the search path.
    pub(crate) async fn session(&self) -> Result<Client, String> {
        let (client, connection) = tokio_postgres::connect(&self.postgres, NoTls)
            .await
            .map_err(|e| text_of(&e))?;
        // The connection ends with its client.
        tokio::spawn(connection);
        // Redshift joins by hash. PostgreSQL would choose nested loops, because it has no
        // statistics of common table expressions.
        let setting = "SET search_path TO public, redshift_compat; SET TIME ZONE 'UTC'; \
                       SET jit TO off; SET enable_nestloop TO off";
        client
            .batch_execute(setting)
            .await
            .map_err(|e| text_of(&e))?;
        Ok(client)
    }

    /// A session with the timeout for statements.
    async fn session_with_timeout(&self) -> Result<Client, String> {
        let client = self.session().await?;
        let milliseconds = self.statement_timeout.as_millis();
        let setting = format!("SET statement_timeout TO {milliseconds}");
        let set = client.batch_execute(&setting).await;
        set.map_err(|error| text_of(&error))?;
        Ok(client)
    }

    /// Runs a statement until it ends or is cancelled. Returns its final status and the error. The
    /// session waits for `pause` before the last SQL.
    pub(crate) async fn run(
        &self,
        statement: &Statement,
        pause: Duration,
    ) -> (Status, Option<String>) {
        let client = match self.session_with_timeout().await {
            Ok(client) => client,
            Err(error) => return (Status::Failed, Some(error)),
        };
        let canceller = client.cancel_token();
        let mut running = pin!(self.all_sqls(&client, statement, pause));
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
            Err(_) if statement.is_cancelled() => cancelled(),
            Err(error) => (Status::Failed, Some(error)),
        }
    }

    /// Runs all SQL texts of a statement and records the status of each. The first error ends it.
    async fn all_sqls(
        &self,
        client: &Client,
        statement: &Statement,
        pause: Duration,
    ) -> Result<(), String> {
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
            let is_last = place + 1 == record.subs.len();
            let pause = if is_last { pause } else { Duration::ZERO };
            let ran = self.paused_sql(client, &sub.sql, &record.parameters, pause);
            let ran = ran.await;
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

    /// Runs a SQL text after a pause.
    async fn paused_sql(
        &self,
        client: &Client,
        sql: &str,
        values: &[(String, String)],
        pause: Duration,
    ) -> Result<SqlResult, String> {
        if !pause.is_zero() {
            sleep(client, pause).await?;
        }
        self.sql(client, sql, values).await
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
                    let rows = self.copy(client, &command).await;
                    result.touched = rows.map_err(|why| format!("ERROR: {why}"))? as i64;
                }
                Step::Unload(command) => {
                    let rows = unload::run(client, &self.storage, &command).await;
                    result.touched = rows.map_err(|why| format!("ERROR: {why}"))? as i64;
                }
                Step::Sql(sql) => {
                    let ran = query::run(client, &sql, values).await?;
                    if sql.returns_rows {
                        result = ran;
                    } else {
                        result.touched = ran.touched;
                    }
                }
            }
        }
        Ok(result)
    }

    /// Loads objects, and records refused rows even if the transaction fails later.
    async fn copy(&self, client: &Client, command: &Copy) -> Result<u64, String> {
        let query = CopyQuery::begin(client, &command.table).await?;
        let load = copy::run(client, &self.storage, command).await;
        if !load.refused.is_empty() {
            query.record(&self.session().await?, &load.refused).await?;
        }
        load.rows
    }
}

/// Lets the session wait, so that its locks and its timeout stay in force.
async fn sleep(client: &Client, pause: Duration) -> Result<(), String> {
    let slept = client
        .execute("SELECT pg_sleep($1)", &[&pause.as_secs_f64()])
        .await;
    slept.map_err(|error| text_of(&error))?;
    Ok(())
}
