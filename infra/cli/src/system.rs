//! A deployed system, as the commands talk to it.

use std::time::Duration;

use anyhow::{Context as _, Result, bail};
use host::Clients;
use jiff::Timestamp;
use local::Local;
use outlet::{Kinesis, S3};
use warehouse::{Database, RedshiftData, Row, Statement, Status, Target, Warehouse as _};

/// How long one query of ours may take.
const PATIENCE: Duration = Duration::from_secs(180);

/// Clients of one deployed stack.
#[derive(Debug)]
pub struct System {
    /// Its bucket.
    pub objects: S3,
    /// The bucket's name.
    pub bucket: String,
    /// For reading streams.
    pub kinesis: aws_sdk_kinesis::Client,
    /// The stream that transactions go to.
    pub transactions: Kinesis,
    /// The name of the stream that decisions come from.
    pub decisions_stream: String,
    /// Its warehouse.
    pub warehouse: RedshiftData,
}

impl System {
    /// The system that runs on this machine.
    pub async fn of_local(local: &Local) -> Result<Self> {
        let clients = Clients::at(local.aws_endpoint(), local.redshift_data_endpoint()).await;
        let outputs = local.outputs();
        let database =
            Database { target: Target::Workgroup("local".to_owned()), name: "dev".to_owned(), secret_arn: None };
        Ok(Self {
            objects: clients.objects(outputs.bucket()?),
            bucket: outputs.bucket()?.to_owned(),
            kinesis: aws_sdk_kinesis::Client::new(clients.config()),
            transactions: clients.decisions(outputs.transactions_stream()?),
            decisions_stream: outputs.decisions_stream()?.to_owned(),
            warehouse: clients.warehouse(database),
        })
    }

    /// Runs SQLs as one transaction and returns the rows of those that have some.
    pub async fn query(&self, sqls: Vec<String>) -> Result<Vec<Row>> {
        // A token of its own each time: asking again is meant.
        let name = format!("look-{}", Timestamp::now().as_nanosecond());
        let count = sqls.len();
        let statement = Statement::new(name, 1, sqls, Vec::new());
        let id = self.warehouse.submit(&statement).await.context("the warehouse takes no statement")?;
        match self.warehouse.wait(&id, PATIENCE).await? {
            Status::Finished => Ok(self.warehouse.rows(&id, count).await?),
            Status::Failed { error } => bail!("the warehouse says: {error}"),
            Status::Aborted | Status::Running => bail!("the warehouse did not finish {}", statement.name),
        }
    }

    /// One number.
    pub async fn count(&self, sql: &str) -> Result<u64> {
        let rows = self.query(vec![format!("SELECT CAST(({sql}) AS BIGINT) AS n")]).await?;
        let number = rows.first().and_then(|row| row.number("n")).context("the warehouse gave no count")?;
        Ok(number as u64)
    }
}
