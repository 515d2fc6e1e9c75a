//! Clients of a deployed system.

use std::process::Command;
use std::time::Duration;

use anyhow::{Context as _, Result, bail};
use features::Definition;
use jiff::{SignedDuration, Timestamp};
use local::Local;
use serde::Deserialize;
use startup::Clients;
use store::{KinesisStream, S3};
use warehouse::{
    Database, RedshiftData, Row, Statement, StatementId, Status, Target, Warehouse as _,
};

/// How long one query may take.
const PATIENCE: Duration = Duration::from_secs(180);

/// The part of a stack's description that is needed.
#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Stack {
    #[serde(default)]
    outputs: Vec<StackOutput>,
    #[serde(default)]
    parameters: Vec<StackParameter>,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct StackOutput {
    output_key: String,
    output_value: String,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct StackParameter {
    parameter_key: String,
    parameter_value: String,
}

impl Stack {
    fn output(&self, name: &str) -> Result<&str> {
        let found = self.outputs.iter().find(|output| output.output_key == name);
        let found = found.with_context(|| {
            format!("the stack has no output {name}: expected a stack of infra/template.yaml")
        })?;
        Ok(&found.output_value)
    }

    /// The value of a parameter, unless it is empty.
    fn parameter(&self, name: &str) -> Option<&str> {
        let found = self
            .parameters
            .iter()
            .find(|parameter| parameter.parameter_key == name)?;
        Some(found.parameter_value.as_str()).filter(|value| !value.is_empty())
    }

    fn seconds(&self, name: &str) -> Result<SignedDuration> {
        let seconds = self.parameter(name).map(str::parse).transpose();
        let seconds = seconds.with_context(|| format!("the parameter {name} is not a number"))?;
        Ok(SignedDuration::from_secs(seconds.unwrap_or_default()))
    }
}

fn described(name: &str) -> Result<Stack> {
    #[derive(Deserialize)]
    #[serde(rename_all = "PascalCase")]
    struct Described {
        stacks: Vec<Stack>,
    }
    let output = Command::new("aws")
        .args([
            "cloudformation",
            "describe-stacks",
            "--output",
            "json",
            "--stack-name",
            name,
        ])
        .output()
        .context("can't start aws: install the AWS CLI")?;
    if !output.status.success() {
        bail!(
            "can't describe stack {name}: {}",
            String::from_utf8_lossy(&output.stderr).trim()
        );
    }
    let described: Described = serde_json::from_slice(&output.stdout)
        .context("the answer of the AWS CLI is not the expected JSON")?;
    described
        .stacks
        .into_iter()
        .next()
        .with_context(|| format!("there is no stack {name}"))
}

/// Clients of one deployed stack.
#[derive(Debug)]
pub struct System {
    pub objects: S3,
    pub bucket: String,
    pub kinesis: aws_sdk_kinesis::Client,
    pub transactions: KinesisStream,
    /// The name of the stream of decisions.
    pub decisions_stream: String,
    pub warehouse: RedshiftData,
    /// Whether approvals are published on the stream of decisions.
    pub approvals_published: bool,
    /// The name of the model bundle in use.
    pub bundle: String,
    /// How long batches without holds wait for their load.
    pub load_wait: SignedDuration,
}

impl System {
    /// The system that runs on this machine.
    pub async fn of_local(local: &Local) -> Result<Self> {
        let clients = Clients::at(local.aws_endpoint(), local.redshift_data_endpoint()).await;
        let outputs = local.outputs();
        let database = Database {
            target: Target::Workgroup("local".to_owned()),
            name: "dev".to_owned(),
            secret_arn: None,
        };
        Ok(Self {
            objects: clients.objects(outputs.bucket()?),
            bucket: outputs.bucket()?.to_owned(),
            kinesis: aws_sdk_kinesis::Client::new(clients.config()),
            transactions: clients.decisions(outputs.transactions_stream()?),
            decisions_stream: outputs.decisions_stream()?.to_owned(),
            warehouse: clients.warehouse(database),
            // As set in `local::Parameters`.
            approvals_published: true,
            load_wait: SignedDuration::from_secs(2),
            bundle: outputs.get("BundleName")?.to_owned(),
        })
    }

    /// A deployed stack. AWS's own configuration (environment, profile) says where it is. The
    /// program `aws` describes it.
    pub async fn of_stack(name: &str) -> Result<Self> {
        let stack = described(name)?;
        let output = |name: &str| stack.output(name);
        let parameter = |name: &str| stack.parameter(name).map(str::to_owned);
        let seconds = |name: &str| stack.seconds(name);
        let target = match (
            parameter("WarehouseWorkgroup"),
            parameter("WarehouseCluster"),
        ) {
            (Some(workgroup), _) => Target::Workgroup(workgroup),
            (None, Some(identifier)) => Target::Cluster {
                identifier,
                db_user: parameter("WarehouseDbUser"),
            },
            (None, None) => {
                bail!("stack {name}: expected the parameter WarehouseWorkgroup or WarehouseCluster")
            }
        };
        let database = Database {
            target,
            name: parameter("WarehouseDatabase").with_context(|| {
                format!("stack {name}: the parameter WarehouseDatabase is empty")
            })?,
            secret_arn: parameter("WarehouseSecretArn"),
        };
        let clients = Clients::load().await;
        Ok(Self {
            objects: clients.objects(output("Bucket")?),
            bucket: output("Bucket")?.to_owned(),
            kinesis: aws_sdk_kinesis::Client::new(clients.config()),
            transactions: clients.decisions(output("TransactionsStream")?),
            decisions_stream: output("DecisionsStream")?.to_owned(),
            warehouse: clients.warehouse(database),
            approvals_published: parameter("PublishApprovals").as_deref() == Some("true"),
            load_wait: seconds("LoadIntervalSeconds")? + seconds("TurnIntervalSeconds")?,
            bundle: output("BundleName")?.to_owned(),
        })
    }

    /// The deployed definition of the bundle in use.
    pub async fn definition(&self) -> Result<Definition> {
        let text = startup::definition_text(&self.bundle, &self.objects).await?;
        Ok(Definition::parse(&text)?)
    }

    /// Runs SQL texts as one transaction and returns their rows. A single text must have a result.
    pub async fn query(&self, sqls: Vec<String>) -> Result<Vec<Row>> {
        let count = sqls.len();
        let id = self.finished(sqls, Vec::new()).await?;
        Ok(self.warehouse.rows(&id, count).await?)
    }

    /// Runs one query with parameters, by name, and returns its rows.
    pub async fn query_with(
        &self,
        sql: String,
        parameters: Vec<(String, String)>,
    ) -> Result<Vec<Row>> {
        let id = self.finished(vec![sql], parameters).await?;
        Ok(self.warehouse.rows(&id, 1).await?)
    }

    /// Runs SQL texts as one transaction.
    pub async fn execute(&self, sqls: Vec<String>) -> Result<()> {
        self.finished(sqls, Vec::new()).await.map(|_| ())
    }

    async fn finished(
        &self,
        sqls: Vec<String>,
        parameters: Vec<(String, String)>,
    ) -> Result<StatementId> {
        // A new name gives a new token: each call runs its statement.
        let name = format!("look-{}", Timestamp::now().as_nanosecond());
        let statement = Statement::new(name, 1, sqls, parameters);
        let id = self
            .warehouse
            .submit(&statement)
            .await
            .context("the warehouse refused a statement")?;
        match self.warehouse.wait(&id, PATIENCE).await? {
            Status::Finished => Ok(id),
            Status::Failed { error } => bail!("a statement failed: {error}"),
            Status::Aborted | Status::Running => {
                bail!("the warehouse did not finish {}", statement.name)
            }
        }
    }

    pub async fn count(&self, sql: &str) -> Result<u64> {
        let rows = self
            .query(vec![format!("SELECT CAST(({sql}) AS BIGINT) AS n")])
            .await?;
        let number = rows
            .first()
            .and_then(|row| row.number("n"))
            .context("the count query returned no number")?;
        Ok(number as u64)
    }
}
