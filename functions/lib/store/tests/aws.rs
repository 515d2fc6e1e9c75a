//! The adapters of S3 and Kinesis against throttling, races, lost answers and refusals.

use aws_credential_types::credential_fn::provide_credentials_fn;
use aws_credential_types::provider::error::CredentialsError;
use aws_sdk_s3::config::{BehaviorVersion, Credentials, Region, SharedCredentialsProvider};
use harness::http::{Response, Service};
use retry::MAX_TRIES;
use store::{KinesisStream, Objects, PutNew, Replace, S3, Stream, StreamRecord};

fn key_pair() -> SharedCredentialsProvider {
    let keys = Credentials::builder()
        .access_key_id("none")
        .secret_access_key("none")
        .provider_name("test")
        .build();
    SharedCredentialsProvider::new(keys)
}

fn no_credentials() -> SharedCredentialsProvider {
    let not_loaded = || async { Err(CredentialsError::not_loaded("no provider has any")) };
    SharedCredentialsProvider::new(provide_credentials_fn(not_loaded))
}

fn bucket(service: &Service) -> S3 {
    bucket_as(service, key_pair())
}

fn bucket_as(service: &Service, credentials: SharedCredentialsProvider) -> S3 {
    let config = aws_sdk_s3::Config::builder()
        .behavior_version(BehaviorVersion::latest())
        .region(Region::new("us-east-1"))
        .credentials_provider(credentials)
        .endpoint_url(service.url())
        .force_path_style(true);
    S3::new(aws_sdk_s3::Client::from_conf(config.build()), "bucket")
}

fn stream(service: &Service) -> KinesisStream {
    stream_as(service, key_pair())
}

fn stream_as(service: &Service, credentials: SharedCredentialsProvider) -> KinesisStream {
    let config = aws_sdk_kinesis::Config::builder()
        .behavior_version(BehaviorVersion::latest())
        .region(Region::new("us-east-1"))
        .credentials_provider(credentials)
        .endpoint_url(service.url());
    KinesisStream::new(
        aws_sdk_kinesis::Client::from_conf(config.build()),
        "decisions",
    )
}

fn error(code: &str) -> String {
    format!("<?xml version=\"1.0\"?><Error><Code>{code}</Code><Message>no</Message></Error>")
}

#[tokio::test]
async fn a_conditional_write_with_a_lost_answer_is_a_success() {
    // The answer to the first try is lost. The second try finds the object of the first.
    let service = Service::start([
        Response::new(500, error("InternalError")),
        Response::new(412, error("PreconditionFailed")),
        Response::new(200, "mine"),
    ]);
    assert_eq!(
        bucket(&service)
            .put_new("k", b"mine".to_vec())
            .await
            .unwrap(),
        PutNew::Written
    );
    let requests = service.requests();
    assert_eq!(
        requests
            .iter()
            .map(|r| r.method.as_str())
            .collect::<Vec<_>>(),
        ["PUT", "PUT", "GET"]
    );
    assert_eq!(requests[0].header("if-none-match"), Some("*"));
}

#[tokio::test]
async fn a_conditional_write_that_lost_returns_the_existing_bytes() {
    let service = Service::start([
        Response::new(412, error("PreconditionFailed")),
        Response::new(200, "theirs"),
    ]);
    assert_eq!(
        bucket(&service)
            .put_new("k", b"mine".to_vec())
            .await
            .unwrap(),
        PutNew::Exists(b"theirs".to_vec())
    );
}

#[tokio::test]
async fn a_conditional_write_that_raced_is_retried() {
    let conflict = || Response::new(409, error("ConditionalRequestConflict"));
    let service = Service::start([conflict(), conflict(), Response::new(200, "")]);
    assert_eq!(
        bucket(&service)
            .put_new("k", b"mine".to_vec())
            .await
            .unwrap(),
        PutNew::Written
    );
    assert_eq!(service.requests().len(), 3);
}

#[tokio::test]
async fn a_replacement_expects_the_tag_of_the_bytes_that_it_replaces() {
    let service = Service::start([
        Response::new(200, "old").with_header("etag", "\"tag\""),
        Response::new(200, ""),
    ]);
    let replaced = bucket(&service).replace("k", b"old", b"new".to_vec()).await;
    assert_eq!(replaced.unwrap(), Replace::Written);
    let requests = service.requests();
    assert_eq!(requests[1].method, "PUT");
    assert_eq!(requests[1].header("if-match"), Some("\"tag\""));
}

#[tokio::test]
async fn a_replacement_that_lost_returns_the_winners_bytes() {
    let service = Service::start([
        Response::new(200, "old").with_header("etag", "\"tag\""),
        Response::new(412, error("PreconditionFailed")),
        Response::new(200, "theirs").with_header("etag", "\"other\""),
    ]);
    let replaced = bucket(&service).replace("k", b"old", b"new".to_vec()).await;
    let theirs = Replace::Changed(Some(b"theirs".to_vec()));
    assert_eq!(replaced.unwrap(), theirs);
    assert_eq!(service.requests().len(), 3);
}

#[tokio::test]
async fn a_replacement_with_a_lost_answer_is_a_success() {
    let service = Service::start([
        Response::new(200, "old").with_header("etag", "\"tag\""),
        Response::new(500, error("InternalError")),
        Response::new(200, "new").with_header("etag", "\"other\""),
    ]);
    let replaced = bucket(&service).replace("k", b"old", b"new".to_vec()).await;
    assert_eq!(replaced.unwrap(), Replace::Written);
    assert_eq!(service.requests().len(), 3);
}

#[tokio::test]
async fn a_permanent_error_is_not_retried() {
    let service = Service::start([Response::new(403, error("AccessDenied"))]);
    let error = bucket(&service)
        .put("pending/x.json", vec![])
        .await
        .unwrap_err();
    assert_eq!(
        error.to_string(),
        "PutObject failed for pending/x.json: AccessDenied"
    );
    assert!(!error.is_transient());
    assert_eq!(service.requests().len(), 1);
}

#[tokio::test]
async fn refused_credentials_are_a_permanent_error() {
    for code in [
        "ExpiredToken",
        "InvalidAccessKeyId",
        "InvalidToken",
        "SignatureDoesNotMatch",
    ] {
        let service = Service::start([Response::new(403, error(code))]);
        let error = bucket(&service).get("k").await.unwrap_err();
        assert!(!error.is_transient(), "{error}");
        assert_eq!(service.requests().len(), 1, "{code}");
    }
    for code in [
        "ExpiredTokenException",
        "InvalidSignatureException",
        "UnrecognizedClientException",
    ] {
        let body = format!(r#"{{"__type":"{code}","message":"no"}}"#);
        let service = Service::start([Response::new(400, body)]);
        let error = stream(&service).publish(&records(1)).await.unwrap_err();
        assert!(!error.is_transient(), "{error}");
        assert_eq!(service.requests().len(), 1, "{code}");
    }
}

#[tokio::test]
async fn missing_credentials_are_a_permanent_error() {
    let service = Service::start([]);
    let bucket = bucket_as(&service, no_credentials());
    let error = bucket.get("k").await.unwrap_err();
    assert!(!error.is_transient(), "{error}");
    let stream = stream_as(&service, no_credentials());
    let error = stream.publish(&records(1)).await.unwrap_err();
    assert!(!error.is_transient(), "{error}");
    assert_eq!(service.requests().len(), 0);
}

#[tokio::test]
async fn a_failing_bucket_is_called_seven_times() {
    // An empty script: every answer is 500.
    let service = Service::start([]);
    let error = bucket(&service).get("k").await.unwrap_err();
    assert!(error.is_transient());
    assert_eq!(service.requests().len(), MAX_TRIES as usize);
}

#[tokio::test]
async fn a_failing_stream_is_called_seven_times() {
    let service = Service::start([]);
    let error = stream(&service).publish(&records(2)).await.unwrap_err();
    assert!(error.is_transient());
    assert_eq!(service.requests().len(), MAX_TRIES as usize);
}

/// A ListObjectsV2 answer with one key.
fn page(key: &str, next: &str) -> String {
    format!(
        "<ListBucketResult><Contents><Key>{key}</Key><Size>1</Size>\
         <LastModified>2026-01-31T09:00:00.000Z</LastModified></Contents>{next}</ListBucketResult>"
    )
}

#[tokio::test]
async fn an_empty_continuation_token_ends_a_listing() {
    let next = "<NextContinuationToken></NextContinuationToken>";
    let service = Service::start([
        Response::new(200, page("a", next)),
        Response::new(200, page("a", next)),
    ]);
    assert_eq!(bucket(&service).list("").await.unwrap().len(), 1);
    assert_eq!(
        bucket(&service).list_after("", "", 5).await.unwrap().len(),
        1
    );
    assert_eq!(service.requests().len(), 2);
}

#[tokio::test]
async fn a_listing_that_fails_in_the_middle_resumes_at_its_page() {
    let next = "<IsTruncated>true</IsTruncated>\
                <NextContinuationToken>more</NextContinuationToken>";
    let service = Service::start([
        Response::new(200, page("a", next)),
        Response::new(503, error("SlowDown")),
        Response::new(200, page("b", "")),
    ]);
    let objects = bucket(&service).list("").await.unwrap();
    let keys: Vec<_> = objects.into_iter().map(|object| object.key).collect();
    assert_eq!(keys, ["a", "b"]);
    let requests = service.requests();
    assert!(requests[1..].iter().all(|r| r.path.contains("more")));
}

fn records(count: u8) -> Vec<StreamRecord> {
    (0..count)
        .map(|n| StreamRecord {
            partition_key: format!("k{n}"),
            data: vec![n],
        })
        .collect()
}

/// A PutRecords answer: `true` where a record was accepted.
fn accepted(records: &[bool]) -> Response {
    let result = |&ok: &bool| match ok {
        true => r#"{"SequenceNumber":"1","ShardId":"shardId-000000000000"}"#,
        false => {
            r#"{"ErrorCode":"ProvisionedThroughputExceededException","ErrorMessage":"Rate exceeded"}"#
        }
    };
    let failed = records.iter().filter(|&&ok| !ok).count();
    let results: Vec<_> = records.iter().map(result).collect();
    Response::new(
        200,
        format!(
            "{{\"FailedRecordCount\":{failed},\"Records\":[{}]}}",
            results.join(",")
        ),
    )
}

#[tokio::test]
async fn only_refused_records_are_sent_again() {
    let service = Service::start([
        accepted(&[true, false, true, false]),
        accepted(&[false, true]),
        accepted(&[true]),
    ]);
    assert_eq!(stream(&service).publish(&records(4)).await.unwrap(), [0; 0]);
    let sent: Vec<Vec<bool>> = service
        .requests()
        .iter()
        .map(|r| {
            (0..4)
                .map(|n| r.body.contains(&format!("\"k{n}\"")))
                .collect()
        })
        .collect();
    assert_eq!(
        sent,
        [
            vec![true; 4],
            vec![false, true, false, true],
            vec![false, true, false, false]
        ],
        "all, then the refused, then the one refused again"
    );
}

#[tokio::test]
async fn records_that_are_always_refused_are_returned() {
    let service = Service::start(
        [accepted(&[false, true, false])]
            .into_iter()
            .chain((0..9).map(|_| accepted(&[false, false]))),
    );
    assert_eq!(stream(&service).publish(&records(3)).await.unwrap(), [0, 2]);
    assert_eq!(service.requests().len(), MAX_TRIES as usize);
}

#[tokio::test]
async fn a_missing_stream_is_a_permanent_error() {
    let body = r#"{"__type":"ResourceNotFoundException","message":"Stream decisions not found"}"#;
    let service = Service::start([Response::new(400, body)]);
    let error = stream(&service).publish(&records(3)).await.unwrap_err();
    assert_eq!(
        error.to_string(),
        "PutRecords failed for decisions: ResourceNotFoundException"
    );
    assert_eq!(service.requests().len(), 1);
}
