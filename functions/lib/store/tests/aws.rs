//! What S3 and Kinesis answer on a bad day.

use aws_sdk_s3::config::{BehaviorVersion, Credentials, Region};
use harness::http::{Response, Service};
use store::{KinesisStream, Objects, PutNew, S3, Stream, StreamRecord};

fn credentials() -> Credentials {
    Credentials::builder()
        .access_key_id("none")
        .secret_access_key("none")
        .provider_name("test")
        .build()
}

fn bucket(service: &Service) -> S3 {
    let config = aws_sdk_s3::Config::builder()
        .behavior_version(BehaviorVersion::latest())
        .region(Region::new("us-east-1"))
        .credentials_provider(credentials())
        .endpoint_url(service.url())
        .force_path_style(true);
    S3::new(aws_sdk_s3::Client::from_conf(config.build()), "bucket")
}

fn stream(service: &Service) -> KinesisStream {
    let config = aws_sdk_kinesis::Config::builder()
        .behavior_version(BehaviorVersion::latest())
        .region(Region::new("us-east-1"))
        .credentials_provider(credentials())
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
async fn a_conditional_write_whose_answer_was_lost_is_a_success() {
    // The first answer is lost on the way, the SDK tries again and meets its own object.
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
async fn a_conditional_write_that_lost_gets_the_winners_bytes() {
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
async fn conditional_writes_that_raced_come_again() {
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
async fn a_refusal_for_good_is_told_at_once_and_as_such() {
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
async fn only_what_was_not_accepted_is_sent_again() {
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
async fn what_is_never_accepted_is_named_in_the_end() {
    let service = Service::start(
        [accepted(&[false, true, false])]
            .into_iter()
            .chain((0..9).map(|_| accepted(&[false, false]))),
    );
    assert_eq!(stream(&service).publish(&records(3)).await.unwrap(), [0, 2]);
}

#[tokio::test]
async fn a_stream_that_is_not_there_is_an_error_without_resending() {
    let body = r#"{"__type":"ResourceNotFoundException","message":"Stream decisions not found"}"#;
    let service = Service::start([Response::new(400, body)]);
    let error = stream(&service).publish(&records(3)).await.unwrap_err();
    assert_eq!(
        error.to_string(),
        "PutRecords failed for decisions: ResourceNotFoundException"
    );
    assert_eq!(service.requests().len(), 1);
}
