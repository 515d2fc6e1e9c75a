//! The adapter of the Data API against throttling, refusals and results in pages.

use std::time::Duration;

use aws_credential_types::credential_fn::provide_credentials_fn;
use aws_credential_types::provider::error::CredentialsError;
use aws_sdk_redshiftdata::config::{
    BehaviorVersion, Credentials, Region, SharedCredentialsProvider,
};
use harness::http::{Response, Service};
use retry::MAX_TRIES;
use warehouse::{
    Database, Error, RedshiftData, Statement, StatementId, Status, Target, Value, Warehouse,
};

fn warehouse(service: &Service) -> RedshiftData {
    let credentials = Credentials::builder()
        .access_key_id("none")
        .secret_access_key("none")
        .provider_name("test");
    warehouse_as(service, SharedCredentialsProvider::new(credentials.build()))
}

fn warehouse_as(service: &Service, credentials: SharedCredentialsProvider) -> RedshiftData {
    let config = aws_sdk_redshiftdata::Config::builder()
        .behavior_version(BehaviorVersion::latest())
        .region(Region::new("us-east-1"))
        .credentials_provider(credentials)
        .endpoint_url(service.url());
    let target = Target::Workgroup("group".to_owned());
    let database = Database {
        target,
        name: "dev".to_owned(),
        secret_arn: None,
    };
    RedshiftData::new(
        aws_sdk_redshiftdata::Client::from_conf(config.build()),
        database,
    )
}

fn statement(sqls: &[&str]) -> Statement {
    let parameters = vec![("holds_0".to_owned(), "[]".to_owned())];
    Statement::new(
        "second-look-confirm-0-1-2".to_owned(),
        1,
        sqls.iter().map(|s| (*s).to_owned()).collect(),
        parameters,
    )
}

fn id() -> StatementId {
    StatementId::from("d9b6c0c9-0747-4bf4-b142-e8883122f766")
}

fn taken() -> Response {
    Response::new(200, format!("{{\"Id\":\"{}\",\"CreatedAt\":1.5}}", id()))
}

fn refused(code: &str, message: &str) -> Response {
    Response::new(
        400,
        format!("{{\"__type\":\"{code}\",\"Message\":\"{message}\"}}"),
    )
}

#[tokio::test]
async fn a_submission_has_name_token_and_parameters_and_requests_an_event() {
    let service = Service::start([taken(), taken()]);
    let one = statement(&["SELECT :holds_0"]);
    assert_eq!(warehouse(&service).submit(&one).await.unwrap(), id());
    let two = statement(&["SELECT :holds_0", "SELECT 2"]);
    assert_eq!(warehouse(&service).submit(&two).await.unwrap(), id());
    for ((request, operation), token) in service
        .requests()
        .iter()
        .zip(["ExecuteStatement", "BatchExecuteStatement"])
        .zip([one.token, two.token])
    {
        assert_eq!(
            request.header("x-amz-target"),
            Some(&*format!("RedshiftData.{operation}"))
        );
        for part in [
            r#""WithEvent":true"#,
            r#""StatementName":"second-look-confirm-0-1-2""#,
            r#""WorkgroupName":"group""#,
            r#""Database":"dev""#,
            r#"{"name":"holds_0","value":"[]"}"#,
            &format!(r#""ClientToken":"{token}""#),
        ] {
            assert!(
                request.body.contains(part),
                "{part} is not in {}",
                request.body
            );
        }
    }
}

#[tokio::test]
async fn throttling_is_retried_in_every_form() {
    let service = Service::start([
        refused(
            "ActiveStatementsExceededException",
            "Active statements exceeded the allowed quota (500).",
        ),
        refused("ValidationException", "ThrottlingException: Rate exceeded"),
        taken(),
    ]);
    assert_eq!(
        warehouse(&service)
            .submit(&statement(&["SELECT 1"]))
            .await
            .unwrap(),
        id()
    );
    assert_eq!(service.requests().len(), 3);
}

#[tokio::test]
async fn a_warehouse_that_stays_busy_is_called_seven_times() {
    let busy = || refused("ActiveStatementsExceededException", "Too many statements.");
    let service = Service::start((0..20).map(|_| busy()));
    let error = warehouse(&service)
        .submit(&statement(&["SELECT 1"]))
        .await
        .unwrap_err();
    assert!(error.is_transient());
    assert_eq!(service.requests().len(), MAX_TRIES as usize);
}

#[tokio::test]
async fn a_wrong_statement_is_not_retried() {
    let service = Service::start([refused(
        "ValidationException",
        "Parameters list contains unused parameters.",
    )]);
    let error = warehouse(&service)
        .submit(&statement(&["SELECT 1"]))
        .await
        .unwrap_err();
    assert!(!error.is_transient());
    assert_eq!(
        error.to_string(),
        "ExecuteStatement failed for second-look-confirm-0-1-2: ValidationException"
    );
    assert_eq!(service.requests().len(), 1);
}

#[tokio::test]
async fn refused_credentials_are_a_permanent_error() {
    for code in [
        "AccessDeniedException",
        "ExpiredTokenException",
        "InvalidSignatureException",
        "UnrecognizedClientException",
    ] {
        let service = Service::start([refused(code, "no")]);
        let error = warehouse(&service).status(&id()).await.unwrap_err();
        assert!(!error.is_transient(), "{error}");
        assert_eq!(service.requests().len(), 1, "{code}");
    }
}

#[tokio::test]
async fn missing_credentials_are_a_permanent_error() {
    let not_loaded = || async { Err(CredentialsError::not_loaded("no provider has any")) };
    let none = SharedCredentialsProvider::new(provide_credentials_fn(not_loaded));
    let service = Service::start([]);
    let warehouse = warehouse_as(&service, none);
    let error = warehouse.status(&id()).await.unwrap_err();
    assert!(!error.is_transient(), "{error}");
    assert_eq!(service.requests().len(), 0);
}

#[tokio::test]
async fn rows_come_from_all_pages_and_all_statements_of_a_batch() {
    let page = |value: &str, next: &str| {
        Response::new(
            200,
            format!(
                r#"{{"ColumnMetadata":[{{"name":"x","label":"n"}},{{"name":"t"}}],"Records":[[{value},{{"stringValue":"s"}}]]{next}}}"#
            ),
        )
    };
    let described = format!(
        r#"{{"Id":"{0}","Status":"FINISHED","SubStatements":[{{"Id":"{0}:1","HasResultSet":true}},{{"Id":"{0}:2","HasResultSet":false}},{{"Id":"{0}:3","HasResultSet":true}}]}}"#,
        id()
    );
    let service = Service::start([
        Response::new(200, described),
        page(r#"{"longValue":1}"#, r#","NextToken":"next""#),
        page(r#"{"doubleValue":2.5}"#, ""),
        page(r#"{"isNull":true}"#, ""),
    ]);
    let rows = warehouse(&service).rows(&id(), 3).await.unwrap();
    let numbers: Vec<_> = rows.iter().map(|row| row.0["n"].clone()).collect();
    assert_eq!(
        numbers,
        [Value::Integer(1), Value::Number(2.5), Value::Null]
    );
    assert_eq!(rows[2].text("t"), Some("s"));
    let requests = service.requests();
    assert!(requests[2].body.contains("next") && requests[3].body.contains(&format!("{}:3", id())));
}

#[tokio::test]
async fn waiting_ends_with_the_statement_or_after_the_given_time() {
    let status =
        |status: &str| Response::new(200, format!(r#"{{"Id":"{}","Status":"{status}"}}"#, id()));
    let service = Service::start([
        status("PICKED"),
        status("STARTED"),
        status("ABORTED"),
        status("STARTED"),
    ]);
    let warehouse = warehouse(&service);
    assert_eq!(
        warehouse
            .wait(&id(), Duration::from_secs(20))
            .await
            .unwrap(),
        Status::Aborted
    );
    assert!(
        service.requests()[0]
            .body
            .contains(r#""WaitTimeSeconds":19"#)
            || service.requests()[0]
                .body
                .contains(r#""WaitTimeSeconds":20"#)
    );
    let error = warehouse.wait(&id(), Duration::ZERO).await.unwrap_err();
    assert!(matches!(error, Error::StillRunning { .. }), "{error}");
}

#[tokio::test]
async fn a_failed_statement_has_its_error_and_a_missing_one_is_unknown() {
    let failed = format!(
        r#"{{"Id":"{}","Status":"FAILED","Error":"ERROR: relation does not exist"}}"#,
        id()
    );
    let service = Service::start([
        Response::new(200, failed),
        refused("ResourceNotFoundException", "Query does not exist."),
    ]);
    let warehouse = warehouse(&service);
    let error = "ERROR: relation does not exist".to_owned();
    assert_eq!(
        warehouse.status(&id()).await.unwrap(),
        Status::Failed { error }
    );
    assert!(
        matches!(warehouse.status(&id()).await, Err(Error::Unknown(unknown)) if unknown == id())
    );
}
