use std::time::{Duration, Instant};

use aws_sdk_redshiftdata::Client;
use aws_sdk_redshiftdata::error::ProvideErrorMetadata;
use aws_sdk_redshiftdata::operation::describe_statement::DescribeStatementOutput;
use aws_sdk_redshiftdata::types::{SqlParameter, StatusString};

use crate::error::is_busy;
use crate::{Error, Row, Statement, StatementId, Status, Value, Warehouse};

/// How often a call is repeated that the warehouse was too busy for.
const REPEATS: u32 = 6;
/// The longest that one call may wait for a statement's end.
const LONG_POLL: Duration = Duration::from_secs(30);
/// The shortest; where less is left to wait, we look without waiting.
const SHORT_POLL: Duration = Duration::from_secs(1);

/// Which Redshift.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Target {
    /// A serverless workgroup.
    Workgroup(String),
    /// A provisioned cluster.
    Cluster {
        /// Its identifier.
        identifier: String,
        /// Whom to connect as; not with a secret.
        db_user: Option<String>,
    },
}

/// Which database, and how to sign in.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Database {
    /// Where it is.
    pub target: Target,
    /// Its name.
    pub name: String,
    /// The secret with its user; without one, IAM's own credentials are used.
    pub secret_arn: Option<String>,
}

/// A warehouse behind the Redshift Data API.
#[derive(Clone, Debug)]
pub struct RedshiftData {
    client: Client,
    database: Database,
}

/// Calls `$call` again, after a pause, while the warehouse is too busy. The SDK's own retries don't
/// know all the ways in which it says so.
macro_rules! unless_busy {
    ($operation:literal, $name:expr, $call:expr) => {{
        let mut attempt = 0;
        loop {
            match $call.await {
                Err(error) if attempt < REPEATS && is_busy(error.code(), error.message()) => {
                    tracing::warn!(operation = $operation, name = %$name, attempt, code = error.code(), "warehouse is busy");
                    tokio::time::sleep(pause(attempt)).await;
                    attempt += 1;
                }
                other => break other,
            }
        }
    }};
}

impl RedshiftData {
    /// The warehouse that is this database.
    pub fn new(client: Client, database: Database) -> Self {
        Self { client, database }
    }

    /// One call of DescribeStatement that waits for the end for `wait` at the most.
    async fn describe(
        &self,
        id: &StatementId,
        wait: Option<Duration>,
    ) -> Result<DescribeStatementOutput, Error> {
        let seconds = wait.and_then(|wait| i32::try_from(wait.as_secs()).ok());
        let call = || {
            self.client
                .describe_statement()
                .id(&id.0)
                .set_wait_time_seconds(seconds)
                .send()
        };
        unless_busy!("DescribeStatement", id, call()).map_err(|error| match error.code() {
            Some("ResourceNotFoundException") => Error::Unknown(id.clone()),
            _ => Error::call("DescribeStatement", &id.0, error),
        })
    }

    /// All pages of one result.
    async fn result(&self, id: &str, rows: &mut Vec<Row>) -> Result<(), Error> {
        let mut next = None;
        loop {
            let call = || {
                self.client
                    .get_statement_result()
                    .id(id)
                    .set_next_token(next.clone())
                    .send()
            };
            let page = unless_busy!("GetStatementResult", id, call());
            let page = page.map_err(|error| Error::call("GetStatementResult", id, error))?;
            let columns: Vec<String> = page
                .column_metadata()
                .iter()
                .map(|c| c.label().or(c.name()).unwrap_or_default().to_owned())
                .collect();
            rows.extend(page.records.into_iter().map(|record| {
                Row(columns
                    .iter()
                    .cloned()
                    .zip(record.into_iter().map(Value::of))
                    .collect())
            }));
            next = page.next_token.filter(|token| !token.is_empty());
            if next.is_none() {
                return Ok(());
            }
        }
    }
}

impl Warehouse for RedshiftData {
    async fn submit(&self, statement: &Statement) -> Result<StatementId, Error> {
        let Database {
            target,
            name: database,
            secret_arn,
        } = &self.database;
        let (workgroup, cluster, db_user) = match target {
            Target::Workgroup(name) => (Some(name.clone()), None, None),
            Target::Cluster {
                identifier,
                db_user,
            } => (None, Some(identifier.clone()), db_user.clone()),
        };
        let parameters: Vec<SqlParameter> = statement
            .parameters
            .iter()
            .filter_map(|(name, value)| {
                SqlParameter::builder().name(name).value(value).build().ok()
            })
            .collect();
        let parameters = Some(parameters).filter(|parameters| !parameters.is_empty());
        let name = &statement.name;
        let id = if let [sql] = statement.sqls.as_slice() {
            let call = || {
                let call = self
                    .client
                    .execute_statement()
                    .sql(sql)
                    .set_parameters(parameters.clone());
                let call = call
                    .set_workgroup_name(workgroup.clone())
                    .set_cluster_identifier(cluster.clone());
                let call = call
                    .set_db_user(db_user.clone())
                    .set_secret_arn(secret_arn.clone())
                    .database(database);
                call.statement_name(name)
                    .client_token(&statement.token)
                    .with_event(true)
                    .send()
            };
            let answer = unless_busy!("ExecuteStatement", name, call());
            answer
                .map_err(|error| Error::call("ExecuteStatement", name, error))?
                .id
        } else {
            let call = || {
                let call = self
                    .client
                    .batch_execute_statement()
                    .set_sqls(Some(statement.sqls.clone()));
                let call = call.set_parameters(parameters.clone());
                let call = call
                    .set_workgroup_name(workgroup.clone())
                    .set_cluster_identifier(cluster.clone());
                let call = call
                    .set_db_user(db_user.clone())
                    .set_secret_arn(secret_arn.clone())
                    .database(database);
                call.statement_name(name)
                    .client_token(&statement.token)
                    .with_event(true)
                    .send()
            };
            let answer = unless_busy!("BatchExecuteStatement", name, call());
            answer
                .map_err(|error| Error::call("BatchExecuteStatement", name, error))?
                .id
        };
        id.map(StatementId).ok_or(Error::Incomplete {
            name: name.clone(),
            what: "an id",
        })
    }

    async fn status(&self, id: &StatementId) -> Result<Status, Error> {
        status(&self.describe(id, None).await?)
    }

    async fn rows(&self, id: &StatementId, sqls: usize) -> Result<Vec<Row>, Error> {
        let mut rows = Vec::new();
        if sqls <= 1 {
            self.result(&id.0, &mut rows).await?;
            return Ok(rows);
        }
        // Only now and then does a SQL of a batch have no result; asking for one would be an error.
        let described = self.describe(id, None).await?;
        for sub in described
            .sub_statements()
            .iter()
            .filter(|sub| sub.has_result_set() != Some(false))
        {
            self.result(sub.id(), &mut rows).await?;
        }
        Ok(rows)
    }

    async fn wait(&self, id: &StatementId, at_most: Duration) -> Result<Status, Error> {
        let until = Instant::now() + at_most;
        let mut looked: u32 = 0;
        loop {
            let left = until.saturating_duration_since(Instant::now());
            let poll = Some(left.min(LONG_POLL)).filter(|poll| *poll >= SHORT_POLL);
            match status(&self.describe(id, poll).await?)? {
                Status::Running if left.is_zero() => {
                    return Err(Error::StillRunning {
                        id: id.clone(),
                        waited: at_most,
                    });
                }
                // For the case that the service answers at once although it was asked to wait.
                Status::Running => tokio::time::sleep(pause(looked).min(left)).await,
                ended => return Ok(ended),
            }
            looked += 1;
        }
    }
}

fn status(described: &DescribeStatementOutput) -> Result<Status, Error> {
    match described.status() {
        Some(StatusString::Finished) => Ok(Status::Finished),
        Some(StatusString::Failed) => Ok(Status::Failed {
            error: described.error().unwrap_or("no error was given").to_owned(),
        }),
        Some(StatusString::Aborted) => Ok(Status::Aborted),
        Some(StatusString::Submitted | StatusString::Picked | StatusString::Started) => {
            Ok(Status::Running)
        }
        _ => Err(Error::Incomplete {
            name: described.id().to_owned(),
            what: "a status that is known",
        }),
    }
}

/// Doubling, with an upper end, spread by the clock so that many functions do not come back together.
fn pause(attempt: u32) -> Duration {
    const FIRST_MS: u64 = 100;
    const LONGEST_MS: u64 = 3_000;
    let longest = (FIRST_MS << attempt.min(10)).min(LONGEST_MS);
    let spread = std::time::SystemTime::UNIX_EPOCH
        .elapsed()
        .map_or(0, |since| u64::from(since.subsec_micros()) % 1024);
    Duration::from_millis(longest / 2 + longest / 2 * spread / 1024)
}
