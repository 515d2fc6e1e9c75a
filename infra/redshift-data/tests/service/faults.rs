//! Faults that a test can inject, and a database that dies.

use std::process::Command;
use std::time::{Duration, Instant};

use aws_sdk_redshiftdata::types::StatusString;

use crate::service::{Service, code, unlimited};

const PATIENCE: Duration = Duration::from_secs(60);

async fn submit(service: &Service, name: &str) -> String {
    let request = service.execute("SELECT 1").statement_name(name);
    request.send().await.unwrap().id.unwrap()
}

async fn status(service: &Service, id: &str) -> StatusString {
    let request = service.client.describe_statement().id(id);
    let answer = request.wait_time_seconds(1).send().await.unwrap();
    answer.status().unwrap().clone()
}

#[tokio::test]
async fn a_slow_statement_takes_its_time_within_its_timeout() {
    let service = Service::start(unlimited()).await;
    service
        .inject(r#"{"slow_ms":700,"name_prefix":"slow-"}"#)
        .await;
    let id = submit(&service, "slow-1").await;
    let slow = service.ended(&id).await;
    assert_eq!(slow.status(), Some(&StatusString::Finished));
    assert!(slow.duration() >= 700_000_000, "{slow:?}");
    let sqls = ["SET statement_timeout TO 100", "SELECT 1"];
    let request = service.batch(&sqls).statement_name("slow-2");
    let id = request.send().await.unwrap().id.unwrap();
    let timed_out = service.ended(&id).await;
    assert_eq!(timed_out.status(), Some(&StatusString::Failed));
}

#[tokio::test]
async fn a_hanging_statement_stays_started_until_it_is_cancelled_or_released() {
    let service = Service::start(unlimited()).await;
    let faults = r#"{"hang_statements":true,"name_prefix":"hang-"}"#;
    service.inject(faults).await;
    let cancelled = submit(&service, "hang-1").await;
    let released = submit(&service, "hang-2").await;
    let other = submit(&service, "other").await;
    assert_eq!(
        service.ended(&other).await.status(),
        Some(&StatusString::Finished)
    );
    assert_eq!(status(&service, &cancelled).await, StatusString::Started);
    assert_eq!(status(&service, &released).await, StatusString::Started);
    let cancel = service.client.cancel_statement().id(&cancelled);
    cancel.send().await.unwrap();
    assert_eq!(status(&service, &cancelled).await, StatusString::Aborted);
    assert_eq!(status(&service, &released).await, StatusString::Started);
    service.inject("{}").await;
    assert_eq!(
        service.ended(&released).await.status(),
        Some(&StatusString::Finished)
    );
}

#[tokio::test]
async fn a_hanging_call_has_no_answer_and_no_effect_until_it_is_released() {
    let service = Service::start(unlimited()).await;
    let known = submit(&service, "hang-1").await;
    let faults = r#"{"hang_calls":true,"name_prefix":"hang-"}"#;
    service.inject(faults).await;
    submit(&service, "other").await;
    let wait = Duration::from_millis(500);
    let submission = tokio::time::timeout(wait, submit(&service, "hang-2"));
    assert!(submission.await.is_err(), "it was answered");
    let described = status(&service, &known);
    let release = async {
        tokio::time::sleep(wait).await;
        service.inject("{}").await;
        Instant::now()
    };
    let answer = async { (described.await, Instant::now()) };
    let (answer, released) = tokio::join!(answer, release);
    assert_eq!(answer.0, StatusString::Finished);
    assert!(answer.1 + Duration::from_millis(100) >= released);
    let list = service.client.list_statements().statement_name("hang-2");
    let listed = list.status(StatusString::All).send().await.unwrap();
    assert!(listed.statements().is_empty(), "{listed:?}");
}

#[tokio::test]
async fn a_share_of_calls_is_throttled() {
    let service = Service::start(unlimited()).await;
    let faults = r#"{"throttle_share":1.0,"name_prefix":"busy-"}"#;
    service.inject(faults).await;
    let request = service.execute("SELECT 1").statement_name("busy-1");
    let refused = request.send().await.unwrap_err();
    assert_eq!(code(&refused), "ThrottlingException");
    submit(&service, "other").await;
}

#[tokio::test]
async fn a_statement_fails_with_the_chosen_text() {
    let service = Service::start(unlimited()).await;
    let faults = r#"{"fail_statements":1,"fail_error":"ERROR: 1023","name_prefix":"bad-"}"#;
    service.inject(faults).await;
    let id = submit(&service, "other").await;
    let other = service.ended(&id).await;
    assert_eq!(other.status(), Some(&StatusString::Finished));
    let id = submit(&service, "bad-1").await;
    assert_eq!(service.ended(&id).await.error(), Some("ERROR: 1023"));
    let id = submit(&service, "bad-2").await;
    let second = service.ended(&id).await;
    assert_eq!(second.status(), Some(&StatusString::Finished));
}

/// PostgreSQL restarts all its processes when one of them is killed.
#[tokio::test]
async fn a_killed_database_fails_its_statements_and_is_used_again_when_it_is_back() {
    let service = Service::start(unlimited()).await;
    service.run("CREATE TABLE t (n INTEGER)").await;
    let sqls = ["INSERT INTO t VALUES (1)", "SELECT pg_sleep(61)"];
    let id = service.batch(&sqls).send().await.unwrap().id.unwrap();
    // The stand-in's translation writes a space before the parenthesis.
    let sessions = "SELECT pid FROM pg_stat_activity \
                    WHERE state = 'active' AND query LIKE '%pg_sleep (61)%' \
                    AND pid <> pg_backend_pid()";
    let deadline = Instant::now() + PATIENCE;
    let process = loop {
        let found = service.run(sessions).await;
        if let [process] = service.rows(&found).await.as_slice() {
            break process.clone();
        }
        assert!(Instant::now() < deadline, "the statement does not run");
        tokio::time::sleep(Duration::from_millis(100)).await;
    };
    let killed = Command::new("kill").args(["-9", &process]).status();
    assert!(killed.unwrap().success());
    let ended = service.ended(&id).await;
    assert_eq!(ended.status(), Some(&StatusString::Failed));
    let error = ended.error().unwrap();
    assert!(
        error.starts_with("ERROR: connection to the database failed: "),
        "{error}"
    );
    loop {
        let id = submit(&service, "after").await;
        let after = service.ended(&id).await;
        if after.status() == Some(&StatusString::Finished) {
            break;
        }
        assert!(
            Instant::now() < deadline,
            "it does not reconnect: {after:?}"
        );
        tokio::time::sleep(Duration::from_millis(100)).await;
    }
    assert_eq!(service.count("t").await, 0);
}
