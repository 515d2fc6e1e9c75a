//! The service as its clients know it: the AWS SDK for Rust here, boto3 and the AWS CLI at the end.

#![expect(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    reason = "a test fails by panicking, and says where it is"
)]

use std::path::Path;
use std::process::Command;

use aws_config::{BehaviorVersion, Region};
use aws_sdk_redshiftdata::Client;
use aws_sdk_redshiftdata::config::Credentials;
use aws_sdk_redshiftdata::error::ProvideErrorMetadata as _;
use aws_sdk_redshiftdata::operation::describe_statement::DescribeStatementOutput;
use aws_sdk_redshiftdata::types::{Field, SqlParameter, StatusString};
use local::{Postgres, Venv};
use redshift_data::{Events, Options, Quotas, Server, Storage};
use tempfile::TempDir;

struct Service {
    client: Client,
    server: Server,
    _postgres: Postgres,
    folder: TempDir,
}

impl Service {
    async fn start(quotas: Quotas) -> Self {
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

    fn execute(
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

    fn batch(
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
    async fn ended(&self, id: &str) -> DescribeStatementOutput {
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
    async fn run(&self, sql: &str) -> String {
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

    async fn count(&self, table: &str) -> i64 {
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

fn parameter(name: &str, value: &str) -> SqlParameter {
    SqlParameter::builder()
        .name(name)
        .value(value)
        .build()
        .unwrap()
}

fn code<E: aws_sdk_redshiftdata::error::ProvideErrorMetadata, R>(
    error: &aws_sdk_redshiftdata::error::SdkError<E, R>,
) -> &str {
    error.code().unwrap_or_default()
}

#[tokio::test]
async fn values_come_back_with_their_types_page_by_page() {
    let service = Service::start(Quotas {
        page_rows: 2,
        ..Quotas::default()
    })
    .await;
    let client = &service.client;
    service.run("CREATE TABLE t (n INTEGER, x DOUBLE PRECISION, b BOOLEAN, s VARCHAR(9), d DECIMAL(8,2))").await;
    let rows = "INSERT INTO t VALUES (1, 0.5, TRUE, 'one', 1.10), (2, NULL, FALSE, '', 2), (3, -1e300, NULL, 'three', 0)";
    let inserted = service.ended(&service.run(rows).await).await;
    assert_eq!(
        (inserted.result_rows(), inserted.has_result_set()),
        (3, Some(false))
    );

    let id = service.run("SELECT n, x, b, s, d FROM t ORDER BY n").await;
    let ended = service.ended(&id).await;
    assert_eq!(
        (ended.result_rows(), ended.has_result_set()),
        (3, Some(true))
    );
    let first = client.get_statement_result().id(&id).send().await.unwrap();
    let types: Vec<_> = first
        .column_metadata()
        .iter()
        .map(|c| c.type_name().unwrap_or_default())
        .collect();
    assert_eq!(types, ["int4", "float8", "bool", "varchar", "numeric"]);
    let field = |text: &str| Field::StringValue(text.to_owned());
    let expected = [
        Field::LongValue(1),
        Field::DoubleValue(0.5),
        Field::BooleanValue(true),
        field("one"),
        field("1.10"),
    ];
    assert_eq!(first.records()[0], expected);
    assert_eq!(first.records()[1][1], Field::IsNull(true));
    assert_eq!((first.records().len(), first.total_num_rows()), (2, 3));
    let second = client
        .get_statement_result()
        .id(&id)
        .next_token(first.next_token().unwrap())
        .send()
        .await
        .unwrap();
    assert_eq!((second.records().len(), second.next_token()), (1, None));
    assert_eq!(second.records()[0][1], Field::DoubleValue(-1e300));
    let refused = client
        .get_statement_result()
        .id(&id)
        .next_token("x")
        .send()
        .await
        .unwrap_err();
    assert_eq!(code(&refused), "ValidationException");

    for (sql, found) in [
        ("SHOW search_path", "public"),
        ("EXPLAIN SELECT 1", "Result"),
    ] {
        let shown = client
            .get_statement_result()
            .id(service.run(sql).await)
            .send()
            .await
            .unwrap();
        assert!(
            shown.records()[0][0]
                .as_string_value()
                .unwrap()
                .contains(found),
            "{sql}: {shown:?}"
        );
    }
}

#[tokio::test]
async fn csv_results_have_an_operation_of_their_own() {
    let service = Service::start(Quotas::default()).await;
    let client = &service.client;
    let sql = "SELECT 1 AS a, 'x,\"y\"' AS b, NULL::INTEGER AS c";
    let format = aws_sdk_redshiftdata::types::ResultFormatString::Csv;
    let id = service
        .execute(sql)
        .result_format(format)
        .send()
        .await
        .unwrap()
        .id
        .unwrap();
    service.ended(&id).await;
    let page = client
        .get_statement_result_v2()
        .id(&id)
        .send()
        .await
        .unwrap();
    let text: String = page
        .records()
        .iter()
        .filter_map(|record| record.as_csv_records().ok())
        .cloned()
        .collect();
    assert_eq!(text, "\"a\",\"b\",\"c\"\r\n\"1\",\"x,\"\"y\"\"\",\r\n");
    assert_eq!(
        code(
            &client
                .get_statement_result()
                .id(&id)
                .send()
                .await
                .unwrap_err()
        ),
        "ValidationException"
    );
}

#[tokio::test]
async fn parameters_are_bound_and_checked_as_the_real_service_does() {
    let service = Service::start(Quotas::default()).await;
    let client = &service.client;
    let hostile = "'; DROP TABLE t; --";
    let id = service
        .execute("SELECT :a AS a, :b || :a AS b")
        .parameters(parameter("a", hostile));
    let id = id
        .parameters(parameter("b", ":a"))
        .send()
        .await
        .unwrap()
        .id
        .unwrap();
    assert_eq!(
        service.ended(&id).await.status(),
        Some(&StatusString::Finished)
    );
    let answer = client.get_statement_result().id(&id).send().await.unwrap();
    assert_eq!(answer.records()[0][0].as_string_value().unwrap(), hostile);
    assert_eq!(
        answer.records()[0][1].as_string_value().unwrap(),
        &format!(":a{hostile}")
    );

    let empty = service
        .execute("SELECT :a")
        .parameters(parameter("a", ""))
        .send()
        .await
        .unwrap()
        .id
        .unwrap();
    assert_eq!(
        service.ended(&empty).await.status(),
        Some(&StatusString::Failed),
        "an empty string fails, later"
    );
    let missing = service
        .execute("SELECT :a")
        .send()
        .await
        .unwrap()
        .id
        .unwrap();
    assert_eq!(
        service.ended(&missing).await.status(),
        Some(&StatusString::Failed)
    );
    let unused = service
        .execute("SELECT 1")
        .parameters(parameter("a", "1"))
        .send()
        .await
        .unwrap_err();
    let twice = service
        .execute("SELECT :a")
        .parameters(parameter("a", "1"))
        .parameters(parameter("a", "2"));
    let twice = twice.send().await.unwrap_err();
    assert_eq!(
        (code(&unused), code(&twice)),
        ("ValidationException", "ValidationException")
    );

    // As large as the request may be where ours are largest, far above a web framework's usual limit.
    let large = "x".repeat(3_000_000);
    let id = service
        .execute("SELECT LEN(:a) AS n")
        .parameters(parameter("a", &large))
        .send()
        .await
        .unwrap()
        .id
        .unwrap();
    assert_eq!(
        service.ended(&id).await.status(),
        Some(&StatusString::Finished)
    );
}

#[tokio::test]
async fn a_batch_is_one_transaction_unless_told_otherwise() {
    let service = Service::start(Quotas::default()).await;
    let client = &service.client;
    service.run("CREATE TABLE t (n INTEGER)").await;
    let sqls = [
        "INSERT INTO t VALUES (1)",
        "SELECT 7 AS seven",
        "INSERT INTO no_such_table VALUES (1)",
        "SELECT 8",
    ];
    let id = service.batch(&sqls).send().await.unwrap().id.unwrap();
    let ended = service.ended(&id).await;
    assert_eq!(ended.status(), Some(&StatusString::Failed));
    assert!(
        ended.error().unwrap().contains("no_such_table"),
        "{ended:?}"
    );
    let statuses: Vec<_> = ended
        .sub_statements()
        .iter()
        .map(|sub| sub.status().unwrap().as_str())
        .collect();
    assert_eq!(statuses, ["FINISHED", "FINISHED", "FAILED", "ABORTED"]);
    assert_eq!(service.count("t").await, 0, "what failed leaves nothing");

    let mode = aws_sdk_redshiftdata::types::ExecutionMode::AutoCommit;
    let id = service
        .batch(&sqls)
        .execution_mode(mode)
        .send()
        .await
        .unwrap()
        .id
        .unwrap();
    assert_eq!(
        service.ended(&id).await.status(),
        Some(&StatusString::Failed)
    );
    assert_eq!(service.count("t").await, 1, "what was committed stays");
    let seven = client
        .get_statement_result()
        .id(format!("{id}:2"))
        .send()
        .await
        .unwrap();
    assert_eq!(seven.records()[0], [Field::LongValue(7)]);
    let whole = client
        .get_statement_result()
        .id(&id)
        .send()
        .await
        .unwrap_err();
    assert_eq!(code(&whole), "ValidationException");
    let absent = client
        .describe_statement()
        .id(format!("{id}:5"))
        .send()
        .await
        .unwrap_err();
    assert_eq!(code(&absent), "ResourceNotFoundException");
}

#[tokio::test]
async fn a_token_runs_a_statement_once() {
    let service = Service::start(Quotas::default()).await;
    service.run("CREATE TABLE t (n INTEGER)").await;
    let mut ids = Vec::new();
    for _ in 0..3 {
        let request = service
            .execute("INSERT INTO t VALUES (1)")
            .client_token("once")
            .statement_name("insert-once");
        ids.push(request.send().await.unwrap().id.unwrap());
    }
    ids.dedup();
    assert_eq!(ids.len(), 1);
    service.ended(&ids[0]).await;
    assert_eq!(service.count("t").await, 1);
    let listed = service
        .client
        .list_statements()
        .statement_name("insert-")
        .send()
        .await
        .unwrap();
    assert_eq!(listed.statements().len(), 1);
    assert_eq!(listed.statements()[0].id(), ids[0]);
}

/// Again and again, for PostgreSQL forgets a cancellation that finds it idle, as just before an SQL that is on its way.
#[tokio::test]
async fn what_is_cancelled_writes_nothing_more() {
    let service = Service::start(Quotas {
        submissions_per_second: 1000,
        ..Quotas::default()
    })
    .await;
    let client = &service.client;
    service.run("CREATE TABLE t (n INTEGER)").await;
    let mode = aws_sdk_redshiftdata::types::ExecutionMode::AutoCommit;
    let sqls = [
        "INSERT INTO t VALUES (1)",
        "SELECT pg_sleep(60)",
        "INSERT INTO t VALUES (2)",
    ];
    for round in 0..60 {
        let mode = (round >= 30).then(|| mode.clone());
        let rows = (round - 29).max(0);
        let id = service
            .batch(&sqls)
            .set_execution_mode(mode)
            .send()
            .await
            .unwrap()
            .id
            .unwrap();
        loop {
            let now = client.describe_statement().id(&id).send().await.unwrap();
            if now.sub_statements()[1].status()
                == Some(&aws_sdk_redshiftdata::types::StatementStatusString::Started)
            {
                break;
            }
            tokio::task::yield_now().await;
        }
        assert_eq!(
            client
                .cancel_statement()
                .id(&id)
                .send()
                .await
                .unwrap()
                .status(),
            Some(true)
        );
        assert_eq!(
            service.ended(&id).await.status(),
            Some(&StatusString::Aborted)
        );
        let sleeping = "(SELECT 1 FROM pg_stat_activity WHERE query LIKE '%pg_sleep(60)' AND state = 'active') AS s";
        assert_eq!(service.count(sleeping).await, 0, "PostgreSQL works on");
        assert_eq!(service.count("t").await, rows);
        let again = client.cancel_statement().id(&id).send().await.unwrap_err();
        assert_eq!(code(&again), "ValidationException");
    }
}

#[tokio::test]
async fn quotas_refuse_by_name() {
    let quotas = Quotas {
        active_statements: 2,
        submissions_per_second: 1000,
        concurrency: 1,
        ..Quotas::default()
    };
    let service = Service::start(quotas).await;
    let client = &service.client;
    let first = service
        .execute("SELECT pg_sleep(60)")
        .send()
        .await
        .unwrap()
        .id
        .unwrap();
    let second = service
        .execute("SELECT 2")
        .send()
        .await
        .unwrap()
        .id
        .unwrap();
    let third = service.execute("SELECT 3").send().await.unwrap_err();
    assert_eq!(code(&third), "ActiveStatementsExceededException");
    let waiting = client
        .describe_statement()
        .id(&second)
        .send()
        .await
        .unwrap();
    assert_eq!(
        waiting.status(),
        Some(&StatusString::Submitted),
        "one slot, and it is taken"
    );
    let early = client
        .get_statement_result()
        .id(&second)
        .send()
        .await
        .unwrap_err();
    assert_eq!(code(&early), "ResourceNotFoundException");
    client.cancel_statement().id(&second).send().await.unwrap();
    assert_eq!(
        service.ended(&second).await.status(),
        Some(&StatusString::Aborted),
        "cancelled before it had begun"
    );
    client.cancel_statement().id(&first).send().await.unwrap();

    let quotas = Quotas {
        submissions_per_second: 1,
        ..Quotas::default()
    };
    let service = Service::start(quotas).await;
    service.execute("SELECT 1").send().await.unwrap();
    let refused = service.execute("SELECT 1").send().await.unwrap_err();
    assert_eq!(code(&refused), "ThrottlingException");
}

#[tokio::test]
async fn what_is_malformed_is_refused_at_once() {
    let service = Service::start(Quotas::default()).await;
    let client = &service.client;
    let both = service
        .execute("SELECT 1")
        .cluster_identifier("c")
        .send()
        .await
        .unwrap_err();
    let neither = client
        .execute_statement()
        .database("dev")
        .sql("SELECT 1")
        .send()
        .await
        .unwrap_err();
    let long = service
        .execute(&format!("SELECT '{}'", "x".repeat(100_000)))
        .send()
        .await
        .unwrap_err();
    let blank = service.execute(" ").send().await.unwrap_err();
    for refused in [both, neither, long, blank] {
        assert_eq!(code(&refused), "ValidationException", "{refused:?}");
    }
    let many = service.batch(&["SELECT 1"; 41]).send().await.unwrap_err();
    assert_eq!(code(&many), "ValidationException");
    let unknown = client
        .describe_statement()
        .id("2b3dc0a0-0000-4000-8000-000000000000")
        .send()
        .await
        .unwrap_err();
    assert_eq!(code(&unknown), "ResourceNotFoundException");
    let id = service
        .execute("SELEKT 1")
        .send()
        .await
        .unwrap()
        .id
        .unwrap();
    let failed = service.ended(&id).await;
    assert_eq!(failed.status(), Some(&StatusString::Failed));
    assert!(failed.error().unwrap().contains("SELEKT"), "{failed:?}");
    let tables = client
        .list_tables()
        .workgroup_name("local")
        .database("dev")
        .send()
        .await
        .unwrap_err();
    assert_eq!(code(&tables), "UnknownOperationException");
}

/// What engineers have at hand talks to it as to the real one.
#[tokio::test(flavor = "multi_thread")]
async fn boto3_and_the_aws_cli_talk_to_it() {
    let service = Service::start(Quotas {
        page_rows: 3,
        ..Quotas::default()
    })
    .await;
    let venv = Venv::ensure(&local::root(), service.folder.path()).unwrap();
    let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/talk.py");
    let output = Command::new(venv.python())
        .args([script.as_path(), venv.aws().as_ref()])
        .env(
            "AWS_ENDPOINT_URL_REDSHIFT_DATA",
            format!("http://{}", service.server.address()),
        )
        .envs([
            ("AWS_ACCESS_KEY_ID", "test"),
            ("AWS_SECRET_ACCESS_KEY", "test"),
            ("AWS_DEFAULT_REGION", "us-east-1"),
        ])
        .env("NO_PROXY", "127.0.0.1")
        .output()
        .unwrap();
    let (out, err) = (
        String::from_utf8_lossy(&output.stdout),
        String::from_utf8_lossy(&output.stderr),
    );
    assert!(output.status.success(), "{out}\n{err}");
    assert_eq!(out.trim(), "boto3 and the AWS CLI agree");
}
