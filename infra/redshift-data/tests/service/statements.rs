//! Statements over time: batches, tokens, cancellation.

use aws_sdk_redshiftdata::types::{Field, StatusString};

use crate::service::{Service, code, unlimited};

#[tokio::test]
async fn a_batch_is_one_transaction_unless_told_otherwise() {
    let service = Service::start(unlimited()).await;
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
    assert_eq!(
        service.count("t").await,
        0,
        "a failed statement leaves nothing"
    );

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
    assert_eq!(service.count("t").await, 1, "committed rows stay");
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
    let service = Service::start(unlimited()).await;
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

/// Again and again, for PostgreSQL forgets a cancellation that finds it idle, as just before an SQL
/// that is on its way.
#[tokio::test]
async fn what_is_cancelled_writes_nothing_more() {
    let service = Service::start(unlimited()).await;
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
        // The stand-in's translation writes a space before the parenthesis.
        let sleeping = "(SELECT 1 FROM pg_stat_activity WHERE state = 'active' \
                        AND query LIKE '%pg_sleep (60)%' AND pid <> pg_backend_pid()) AS s";
        assert_eq!(service.count(sleeping).await, 0, "PostgreSQL works on");
        assert_eq!(service.count("t").await, rows);
        let again = client.cancel_statement().id(&id).send().await.unwrap_err();
        assert_eq!(code(&again), "ValidationException");
    }
}
