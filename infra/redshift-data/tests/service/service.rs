//! A stand-in over a database of its own, and a client of it.

use std::io::Write as _;

use aws_config::{BehaviorVersion, Region};
use aws_sdk_redshiftdata::Client;
use aws_sdk_redshiftdata::config::Credentials;
use aws_sdk_redshiftdata::error::ProvideErrorMetadata as _;
use aws_sdk_redshiftdata::operation::describe_statement::DescribeStatementOutput;
use aws_sdk_redshiftdata::types::{Field, SqlParameter, StatusString};
use flate2::Compression;
use flate2::write::GzEncoder;
use local::Postgres;
use redshift_data::{Events, Options, Quotas, Rates, Server, Storage};
use tempfile::TempDir;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;

/// Quotas that no test reaches by chance.
pub(crate) fn unlimited() -> Quotas {
    const MANY: usize = 100_000;
    Quotas {
        rates: Rates {
            execute: MANY,
            batch_execute: MANY,
            describe: MANY,
            get_result: MANY,
            cancel: MANY,
            list: MANY,
        },
        ..Quotas::default()
    }
}

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
            // A test looks at a refusal. It must not be retried.
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

    /// Runs a batch to its end in one transaction, and expects it to succeed. Returns its id.
    pub(crate) async fn run_batch(&self, sqls: &[&str]) -> String {
        let id = self.batch(sqls).send().await.unwrap().id.unwrap();
        let ended = self.ended(&id).await;
        let is_finished = ended.status() == Some(&StatusString::Finished);
        assert!(is_finished, "{sqls:?}: {ended:?}");
        id
    }

    /// Runs a statement that has to fail. Returns its error.
    pub(crate) async fn failure(&self, sql: &str) -> String {
        let id = self.execute(sql).send().await.unwrap().id.unwrap();
        let ended = self.ended(&id).await;
        assert_eq!(ended.status(), Some(&StatusString::Failed), "{sql}");
        ended.error().unwrap().to_owned()
    }

    /// The rows of a result. Values are separated by `|`, without trailing blanks.
    pub(crate) async fn rows(&self, id: &str) -> Vec<String> {
        let result = self.client.get_statement_result().id(id).send().await;
        let result = result.unwrap();
        let row_text = |row: &Vec<Field>| row.iter().map(field_text).collect::<Vec<_>>().join("|");
        result.records().iter().map(row_text).collect()
    }

    /// Replaces the faults of the stand-in.
    pub(crate) async fn inject(&self, faults: &str) {
        let address = self.server.address();
        let mut stream = TcpStream::connect(address).await.unwrap();
        let request = format!(
            "POST /_stand-in/faults HTTP/1.1\r\nHost: {address}\r\n\
             Content-Type: application/json\r\nContent-Length: {}\r\n\
             Connection: close\r\n\r\n{faults}",
            faults.len()
        );
        stream.write_all(request.as_bytes()).await.unwrap();
        let mut answer = String::new();
        stream.read_to_string(&mut answer).await.unwrap();
        assert!(answer.starts_with("HTTP/1.1 200"), "{answer}");
    }

    /// Stores an object in the bucket `b`.
    pub(crate) fn put(&self, key: &str, body: &[u8]) {
        let path = self.folder.path().join("s3/b").join(key);
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::fs::write(path, body).unwrap();
    }

    /// Stores a manifest of objects in the bucket `b`, all mandatory.
    pub(crate) fn put_manifest(&self, key: &str, objects: &[&str]) {
        let entry = |key: &&str| format!(r#"{{"url":"s3://b/{key}","mandatory":true}}"#);
        let entries = objects.iter().map(entry).collect::<Vec<_>>().join(",");
        self.put(key, format!(r#"{{"entries":[{entries}]}}"#).as_bytes());
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

fn field_text(field: &Field) -> String {
    match field {
        Field::StringValue(text) => text.trim_end().to_owned(),
        Field::LongValue(number) => number.to_string(),
        Field::DoubleValue(number) => number.to_string(),
        Field::BooleanValue(value) => value.to_string(),
        _ => "NULL".to_owned(),
    }
}

pub(crate) fn gzip(body: &str) -> Vec<u8> {
    let mut encoder = GzEncoder::new(Vec::new(), Compression::fast());
    encoder.write_all(body.as_bytes()).unwrap();
    encoder.finish().unwrap()
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
