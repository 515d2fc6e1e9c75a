//! The forms of SQL that a load and an evidence statement use.

use std::time::Duration;

use aws_sdk_redshiftdata::types::StatusString;

use crate::service::{Service, unlimited};

const TRANSACTIONS: &str = "CREATE TABLE transactions (transaction_id VARCHAR(64) DISTKEY, \
     amount DOUBLE PRECISION, arrived_at TIMESTAMPTZ) SORTKEY (arrived_at)";

#[tokio::test]
async fn a_load_in_one_transaction_adds_what_is_new() {
    let service = Service::start(unlimited()).await;
    service.run(TRANSACTIONS).await;
    service
        .run("CREATE TABLE lock_transactions (n INTEGER)")
        .await;
    service
        .run("INSERT INTO transactions VALUES ('t1', 1, TIMESTAMPTZ '2026-01-01 00:00:00Z')")
        .await;
    let rows = [
        r#"{"transaction_id":"t1","amount":7,"arrived_at":"2026-01-02T00:00:00Z","arrival":"b"}"#,
        r#"{"transaction_id":"t2","amount":9,"arrived_at":"2026-01-02T00:00:01Z","arrival":"b"}"#,
        r#"{"transaction_id":"t2","amount":2,"arrived_at":"2026-01-02T00:00:00Z","arrival":"a"}"#,
    ];
    service.put("in/1", rows.join("\n").as_bytes());
    let load = [
        "LOCK lock_transactions",
        "CREATE TEMP TABLE staging (LIKE transactions)",
        "ALTER TABLE staging ADD COLUMN arrival VARCHAR(64) ENCODE RAW",
        "ALTER TABLE staging ADD COLUMN absent_from_the_file BIGINT",
        "COPY staging FROM 's3://b/in/1' IAM_ROLE default FORMAT JSON 'auto' TIMEFORMAT 'auto'",
        "INSERT INTO transactions SELECT transaction_id, amount, arrived_at FROM \
         (SELECT *, ROW_NUMBER() OVER (PARTITION BY transaction_id ORDER BY arrival) AS place \
         FROM staging WHERE absent_from_the_file IS NULL) AS numbered WHERE place = 1 \
         AND NOT EXISTS (SELECT 1 FROM transactions AS known \
         WHERE known.transaction_id = numbered.transaction_id \
         AND known.arrived_at >= '2026-01-01T00:00:00Z'::timestamptz)",
        "SELECT transaction_id, amount FROM transactions \
         WHERE arrived_at >= TIMESTAMPTZ '2026-01-01T00:00:00.000000Z' \
         AND arrived_at < TIMESTAMPTZ '2026-01-02T00:00:01.000000Z' ORDER BY 1",
    ];
    for _ in 0..2 {
        let id = service.run_batch(&load).await;
        assert_eq!(service.rows(&format!("{id}:7")).await, ["t1|1", "t2|2"]);
    }
    assert_eq!(service.count("transactions").await, 2);
}

#[tokio::test]
async fn a_lock_makes_a_second_transaction_wait() {
    let service = Service::start(unlimited()).await;
    service.run("CREATE TABLE lane (n INTEGER)").await;
    let first = ["LOCK TABLE lane", "SELECT pg_sleep(60)"];
    let first = service.batch(&first).send().await.unwrap().id.unwrap();
    let holds = "pg_locks WHERE mode = 'AccessExclusiveLock' AND relation = 'lane'::regclass \
                 AND granted";
    while service.count(holds).await == 0 {
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    let second = ["LOCK lane", "SELECT 1"];
    let second = service.batch(&second).send().await.unwrap().id.unwrap();
    let wait = Duration::from_millis(300);
    tokio::time::sleep(wait).await;
    let waiting = service.client.describe_statement().id(&second).send().await;
    assert_eq!(waiting.unwrap().status(), Some(&StatusString::Started));
    service
        .client
        .cancel_statement()
        .id(&first)
        .send()
        .await
        .unwrap();
    assert_eq!(
        service.ended(&second).await.status(),
        Some(&StatusString::Finished)
    );
}

#[tokio::test]
async fn two_thousand_rows_are_inserted_by_one_statement() {
    let service = Service::start(unlimited()).await;
    service
        .run("CREATE TABLE ordinals (turn BIGINT, ordinal BIGINT)")
        .await;
    let row = |n: u32| format!("(12,{n})");
    let rows: Vec<String> = (0..2_000).map(row).collect();
    service
        .run(&format!("INSERT INTO ordinals VALUES {}", rows.join(",")))
        .await;
    assert_eq!(service.count("ordinals").await, 2_000);
}

#[tokio::test]
async fn forms_that_redshift_lacks_are_refused() {
    let service = Service::start(unlimited()).await;
    service.run(TRANSACTIONS).await;
    let forms = [
        ("LOCK TABLE transactions IN SHARE MODE", "LOCK … IN"),
        ("LOCK transactions NOWAIT", "LOCK … NOWAIT"),
        (
            "ALTER TABLE transactions ADD COLUMN a INT, ADD COLUMN b INT",
            "ADD COLUMN twice",
        ),
        (
            "ALTER TABLE transactions ADD COLUMN IF NOT EXISTS a INT",
            "ADD COLUMN IF NOT EXISTS",
        ),
        (
            "COPY transactions FROM 's3://b/x' JSON 'auto' MAXERROR 100001",
            "MAXERROR above 100000",
        ),
    ];
    for (sql, named) in forms {
        let error = service.failure(sql).await;
        assert!(error.contains(named), "{sql}: {error}");
    }
}
