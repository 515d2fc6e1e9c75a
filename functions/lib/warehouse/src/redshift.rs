use std::time::{Duration, Instant};

use aws_sdk_redshiftdata::Client;
use aws_sdk_redshiftdata::config::retry::RetryConfig;
use aws_sdk_redshiftdata::error::ProvideErrorMetadata;
use aws_sdk_redshiftdata::operation::describe_statement::DescribeStatementOutput;
use aws_sdk_redshiftdata::types::{SqlParameter, StatusString};
use fastrand::Rng;
use retry::{pause, retry};

use crate::{Error, Row, Statement, StatementId, Status, Value, Warehouse};

/// The Data API waits at most this long for the end of a statement.
const LONG_POLL: Duration = Duration::from_secs(30);
/// The shortest wait that it takes. If less time is left, we ask without waiting.
const SHORT_POLL: Duration = Duration::from_secs(1);

#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Target {
    /// The name of a serverless workgroup.
    Workgroup(String),
    Cluster {
        identifier: String,
        /// Must be `None` if the database has a secret.
        db_user: Option<String>,
    },
}

/// Which database, and how to sign in.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Database {
    pub target: Target,
    pub name: String,
    /// The secret with the user and password; without one, IAM credentials are used.
    pub secret_arn: Option<String>,
}

/// A warehouse behind the Redshift Data API.
#[derive(Clone, Debug)]
pub struct RedshiftData {
    client: Client,
    database: Database,
}

/// One page of a result.
struct Page {
    rows: Vec<Row>,
    next: Option<String>,
}

impl RedshiftData {
    /// Turns the client's own retries off: see the crate `retry`.
    pub fn new(client: Client, database: Database) -> Self {
        let config = client.config().to_builder();
        let config = config.retry_config(RetryConfig::disabled());
        Self {
            client: Client::from_conf(config.build()),
            database,
        }
    }

    fn workgroup(&self) -> Option<String> {
        match &self.database.target {
            Target::Workgroup(name) => Some(name.clone()),
            Target::Cluster { .. } => None,
        }
    }

    fn cluster(&self) -> Option<String> {
        match &self.database.target {
            Target::Workgroup(_) => None,
            Target::Cluster { identifier, .. } => Some(identifier.clone()),
        }
    }

    fn db_user(&self) -> Option<String> {
        match &self.database.target {
            Target::Workgroup(_) => None,
            Target::Cluster { db_user, .. } => db_user.clone(),
        }
    }

    /// Submits a statement of one SQL. Returns the id, if the answer has one.
    async fn try_execute(&self, statement: &Statement, sql: &str) -> Result<Option<String>, Error> {
        let call = self.client.execute_statement().sql(sql);
        let call = call
            .set_workgroup_name(self.workgroup())
            .set_cluster_identifier(self.cluster())
            .set_db_user(self.db_user())
            .set_secret_arn(self.database.secret_arn.clone())
            .database(&self.database.name)
            .set_parameters(parameters(statement))
            .statement_name(&statement.name)
            .client_token(&statement.token)
            .with_event(true);
        match call.send().await {
            Ok(answer) => Ok(answer.id),
            Err(error) => Err(Error::call("ExecuteStatement", &statement.name, error)),
        }
    }

    /// Submits a statement of several SQLs. Returns the id, if the answer has one.
    async fn try_execute_batch(&self, statement: &Statement) -> Result<Option<String>, Error> {
        let sqls = statement.sqls.clone();
        let call = self.client.batch_execute_statement().set_sqls(Some(sqls));
        let call = call
            .set_workgroup_name(self.workgroup())
            .set_cluster_identifier(self.cluster())
            .set_db_user(self.db_user())
            .set_secret_arn(self.database.secret_arn.clone())
            .database(&self.database.name)
            .set_parameters(parameters(statement))
            .statement_name(&statement.name)
            .client_token(&statement.token)
            .with_event(true);
        match call.send().await {
            Ok(answer) => Ok(answer.id),
            Err(error) => Err(Error::call("BatchExecuteStatement", &statement.name, error)),
        }
    }

    /// Waits up to `wait` for the end of the statement, in one call.
    async fn describe(
        &self,
        id: &StatementId,
        wait: Option<Duration>,
    ) -> Result<DescribeStatementOutput, Error> {
        let seconds = wait.and_then(|wait| i32::try_from(wait.as_secs()).ok());
        retry("DescribeStatement", id, || self.try_describe(id, seconds)).await
    }

    async fn try_describe(
        &self,
        id: &StatementId,
        wait_seconds: Option<i32>,
    ) -> Result<DescribeStatementOutput, Error> {
        let call = self.client.describe_statement().id(&id.0);
        let sent = call.set_wait_time_seconds(wait_seconds).send().await;
        sent.map_err(|error| match error.code() {
            Some("ResourceNotFoundException") => Error::Unknown(id.clone()),
            _ => Error::call("DescribeStatement", &id.0, error),
        })
    }

    /// Appends all pages of one result to `rows`.
    async fn result(&self, id: &str, rows: &mut Vec<Row>) -> Result<(), Error> {
        let mut token = None;
        loop {
            let page = || self.try_page(id, token.clone());
            let page = retry("GetStatementResult", id, page).await?;
            rows.extend(page.rows);
            token = page.next;
            if token.is_none() {
                return Ok(());
            }
        }
    }

    async fn try_cancel(&self, id: &StatementId) -> Result<(), Error> {
        let Err(error) = self.client.cancel_statement().id(&id.0).send().await else {
            return Ok(());
        };
        // A statement that has ended can't be cancelled. Its status says how it ended.
        let has_ended = error
            .message()
            .is_some_and(|text| text.contains("already in"));
        if has_ended {
            return Ok(());
        }
        Err(Error::call("CancelStatement", &id.0, error))
    }

    async fn try_page(&self, id: &str, token: Option<String>) -> Result<Page, Error> {
        let call = self.client.get_statement_result().id(id);
        let sent = call.set_next_token(token).send().await;
        let page = sent.map_err(|error| Error::call("GetStatementResult", id, error))?;
        let columns: Vec<String> = page
            .column_metadata()
            .iter()
            .map(|c| c.label().or(c.name()).unwrap_or_default().to_owned())
            .collect();
        let mut rows = Vec::with_capacity(page.records.len());
        for record in page.records {
            let values = record.into_iter().map(Value::of);
            rows.push(Row(columns.iter().cloned().zip(values).collect()));
        }
        Ok(Page {
            rows,
            next: page.next_token.filter(|token| !token.is_empty()),
        })
    }
}

/// `None` if there are none: the service refuses an empty list.
fn parameters(statement: &Statement) -> Option<Vec<SqlParameter>> {
    let mut parameters = Vec::with_capacity(statement.parameters.len());
    for (name, value) in &statement.parameters {
        parameters.extend(SqlParameter::builder().name(name).value(value).build());
    }
    Some(parameters).filter(|parameters| !parameters.is_empty())
}

impl Warehouse for RedshiftData {
    async fn submit(&self, statement: &Statement) -> Result<StatementId, Error> {
        let name = &statement.name;
        let id = match statement.sqls.as_slice() {
            [sql] => {
                let call = || self.try_execute(statement, sql);
                retry("ExecuteStatement", name, call).await?
            }
            _ => {
                let call = || self.try_execute_batch(statement);
                retry("BatchExecuteStatement", name, call).await?
            }
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
        // Some SQLs of a batch have no result. The service refuses to return one for these.
        let described = self.describe(id, None).await?;
        for sub in described.sub_statements() {
            if sub.has_result_set() != Some(false) {
                self.result(sub.id(), &mut rows).await?;
            }
        }
        Ok(rows)
    }

    async fn cancel(&self, id: &StatementId) -> Result<(), Error> {
        retry("CancelStatement", &id.0, || self.try_cancel(id)).await
    }

    async fn wait(&self, id: &StatementId, at_most: Duration) -> Result<Status, Error> {
        let until = Instant::now() + at_most;
        let mut rng = Rng::new();
        let mut asked: u32 = 0;
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
                // The service may answer at once although it was asked to wait.
                Status::Running => tokio::time::sleep(pause(asked, &mut rng).min(left)).await,
                ended => return Ok(ended),
            }
            asked += 1;
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
            what: "a known status",
        }),
    }
}
