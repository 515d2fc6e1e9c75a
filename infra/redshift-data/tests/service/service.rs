//! A stand-in over a database of its own, and a client of it.

use aws_config::{BehaviorVersion, Region};
use aws_sdk_redshiftdata::Client;
use aws_sdk_redshiftdata::config::Credentials;
use aws_sdk_redshiftdata::error::ProvideErrorMetadata as _;
use aws_sdk_redshiftdata::operation::describe_statement::DescribeStatementOutput;
use aws_sdk_redshiftdata::types::{SqlParameter, StatusString};
use local::Postgres;
use redshift_data::{Events, Options, Quotas, Server, Storage};
use tempfile::TempDir;

pub(crate) struct Service {
    pub(crate) client: Client,
    pub(crate) server: Server,
    pub(crate) _postgres: Postgres,
    pub(crate) folder: TempDir,
}

impl Service {
    pub(crate) async fn start(quotas: Quotas) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let postgres = Postgres::start(&folder.path().join("postgres")).unwrap();
        let server = Server::start(Options {
            port: 0,
            postgres: postgres.connection().to_owned(),
            storage: Storage::Folder(folder.path().join("s3")),
            events: Events::Nowhere,
            region: "us-east-1".to_owned(),
            quotas,
        });
        let server = server.await.unwrap();
        let config = aws_sdk_redshiftdata::Config::builder()
            .behavior_version(BehaviorVersion::latest())
            .region(Region::new("us-east-1"))
            .credentials_provider(Credentials::new("test", "test", None, None, "test"))
            .endpoint_url(format!("http://{}", server.address()))
            // What is refused is looked at, not tried again.
            .retry_config(aws_sdk_redshiftdata::config::retry::RetryConfig::disabled());
        Self {
            client: Client::from_conf(config.build()),
            server,
            _postgres: postgres,
            folder,
        }
    }

    pub(crate) fn execute(
        &self,
        sql: &str,
    ) -> aws_sdk_redshiftdata::operation::execute_statement::builders::ExecuteStatementFluentBuilder
    {
        self.client
            .execute_statement()
            .workgroup_name("local")
            .database("dev")
            .sql(sql)
    }

    pub(crate) fn batch(
        &self,
        sqls: &[&str],
    ) -> aws_sdk_redshiftdata::operation::batch_execute_statement::builders::BatchExecuteStatementFluentBuilder{
        let request = self
            .client
            .batch_execute_statement()
            .workgroup_name("local")
            .database("dev");
        request.set_sqls(Some(sqls.iter().map(|sql| (*sql).to_owned()).collect()))
    }

    /// The statement, once it has ended.
    pub(crate) async fn ended(&self, id: &str) -> DescribeStatementOutput {
        let ended = self
            .client
            .describe_statement()
            .id(id)
            .wait_time_seconds(30)
            .send()
            .await
            .unwrap();
        assert!(
            !["SUBMITTED", "PICKED", "STARTED"].contains(&ended.status().unwrap().as_str()),
            "{ended:?}"
        );
        ended
    }

    /// Runs it to its end; its id.
    pub(crate) async fn run(&self, sql: &str) -> String {
        let id = self.execute(sql).send().await.unwrap().id.unwrap();
        let ended = self.ended(&id).await;
        assert_eq!(
            ended.status(),
            Some(&StatusString::Finished),
            "{sql}: {:?}",
            ended.error()
        );
        id
    }

    pub(crate) async fn count(&self, table: &str) -> i64 {
        let id = self.run(&format!("SELECT COUNT(*) FROM {table}")).await;
        *self
            .client
            .get_statement_result()
            .id(id)
            .send()
            .await
            .unwrap()
            .records()[0][0]
            .as_long_value()
            .unwrap()
    }
}

pub(crate) fn parameter(name: &str, value: &str) -> SqlParameter {
    SqlParameter::builder()
        .name(name)
        .value(value)
        .build()
        .unwrap()
}

pub(crate) fn code<E: aws_sdk_redshiftdata::error::ProvideErrorMetadata, R>(
    error: &aws_sdk_redshiftdata::error::SdkError<E, R>,
) -> &str {
    error.code().unwrap_or_default()
}
