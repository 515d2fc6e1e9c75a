//! Requests that are refused at once.

use aws_sdk_redshiftdata::types::StatusString;
use redshift_data::Quotas;

use crate::service::{Service, code, unlimited};

#[tokio::test]
async fn quotas_refuse_by_name() {
    let quotas = Quotas {
        active_statements: 2,
        concurrency: 1,
        ..unlimited()
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
}

#[tokio::test]
async fn what_is_malformed_is_refused_at_once() {
    let service = Service::start(unlimited()).await;
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
