//! Translated statements, run.

use tokio_postgres::Client;

use super::Sql;
use crate::steps::{Step, steps};
use crate::test_database::Database;

async fn run(client: &Client, sql: &str) {
    for step in steps(sql).unwrap_or_else(|error| panic!("{sql}: {error}")) {
        let Step::Sql(Sql { text, .. }) = step else {
            panic!("{step:?}")
        };
        client
            .batch_execute(&text)
            .await
            .unwrap_or_else(|error| panic!("{text}: {error:?}"));
    }
}

async fn value(client: &Client, sql: &str) -> Option<String> {
    let found = steps(sql).unwrap();
    let [Step::Sql(Sql { text, .. })] = found.as_slice() else {
        panic!("{found:?}")
    };
    let text = format!("SELECT x::text FROM ({text}) AS q(x)");
    client
        .query_one(&text, &[])
        .await
        .unwrap_or_else(|error| panic!("{text}: {error:?}"))
        .get(0)
}

#[tokio::test]
async fn functions_answer_as_redshifts() {
    let Database { client, .. } = &Database::start().await;
    let cases = [
        (
            "SELECT DATEADD(month, 1, '2026-01-31'::timestamp)",
            Some("2026-02-28 00:00:00"),
        ),
        (
            "SELECT DATEADD(seconds, -90, '2026-01-01T00:00:00Z'::timestamptz)",
            Some("2025-12-31 23:58:30+00"),
        ),
        (
            "SELECT DATEADD(day, 2, DATE '2026-01-01')",
            Some("2026-01-03 00:00:00"),
        ),
        (
            "SELECT DATEDIFF(day, '2026-01-01 23:59:59'::timestamp, '2026-01-02'::timestamp)",
            Some("1"),
        ),
        (
            "SELECT DATEDIFF(year, DATE '2025-12-31', DATE '2026-01-01')",
            Some("1"),
        ),
        (
            "SELECT DATEDIFF(ms, '2026-01-01 00:00:00.25'::timestamptz, '2026-01-01 00:00:01'::timestamptz)",
            Some("750"),
        ),
        (
            "SELECT DATE_PART(dow, TIMESTAMP '2026-01-04 00:00:00')",
            Some("0"),
        ),
        (
            "SELECT DATE_TRUNC('hour', TIMESTAMP '2026-01-04 10:20:30')",
            Some("2026-01-04 10:00:00"),
        ),
        (
            "SELECT EXTRACT(hour FROM TIMESTAMP '2026-01-04 10:20:30')",
            Some("10"),
        ),
        (
            "SELECT DATEDIFF(second, GETDATE(), SYSDATE) BETWEEN -2 AND 2",
            Some("true"),
        ),
        (
            "SELECT NVL(NULL, 'a') || NVL2(NULL, 'b', 'c') || DECODE(NULL, 1, 'x', NULL, 'd') || LEN('é')",
            Some("acd1"),
        ),
        (
            "SELECT JSON_EXTRACT_PATH_TEXT('{\"a\":{\"b\":2.5}}', 'a', 'b')",
            Some("2.5"),
        ),
        ("SELECT JSON_EXTRACT_PATH_TEXT('{\"a\":1}', 'z')", Some("")),
        ("SELECT JSON_EXTRACT_PATH_TEXT('{broken', 'z', TRUE)", None),
        (
            "SELECT JSON_EXTRACT_ARRAY_ELEMENT_TEXT('[1,\"two\",[3]]', 1)",
            Some("two"),
        ),
        ("SELECT JSON_ARRAY_LENGTH('[1,2,3]')", Some("3")),
        (
            "SELECT JSON_SERIALIZE(JSON_PARSE('{\"a\":[1]}'))",
            Some("{\"a\": [1]}"),
        ),
        (
            "SELECT MEDIAN(x) FROM (SELECT 1 AS x UNION SELECT 2 UNION SELECT 9) t",
            Some("2"),
        ),
        (
            "SELECT APPROXIMATE COUNT(DISTINCT x) FROM (SELECT 1 AS x UNION ALL SELECT 1) t",
            Some("1"),
        ),
        (
            "SELECT CONVERT_TIMEZONE('UTC', 'Europe/Paris', TIMESTAMP '2026-07-01 10:00:00')",
            Some("2026-07-01 12:00:00"),
        ),
        ("SELECT STRTOL('ff', 16)", Some("255")),
        (
            "SELECT x FROM (SELECT 1 AS x UNION SELECT 2 MINUS SELECT 2) t",
            Some("1"),
        ),
    ];
    for (sql, expected) in cases {
        assert_eq!(value(client, sql).await.as_deref(), expected, "{sql}");
    }
    let distinct = "SELECT LISTAGG(DISTINCT x, '-') WITHIN GROUP (ORDER BY x) FROM (SELECT 'b'::text AS x UNION ALL SELECT 'a' UNION ALL SELECT 'b') t";
    assert_eq!(value(client, distinct).await.as_deref(), Some("a-b"));
    let listed = "SELECT LISTAGG(x, '-') WITHIN GROUP (ORDER BY x DESC) FROM (SELECT 'b' AS x UNION SELECT 'a') t";
    assert_eq!(value(client, listed).await.as_deref(), Some("b-a"));
}

#[tokio::test]
async fn a_load_batch_merges_the_newest_of_each_id() {
    let Database { client, .. } = &Database::start().await;
    let batch = [
        "CREATE TABLE IF NOT EXISTS t (id VARCHAR(256) NOT NULL DISTKEY, n INTEGER, PRIMARY KEY (id)) SORTKEY (n)",
        "INSERT INTO t VALUES ('a', 1), ('b', 1)",
        "CREATE TEMP TABLE s (LIKE t)",
        "INSERT INTO s VALUES ('b', 2), ('b', 3), ('c', 3)",
        "CREATE TEMP TABLE u AS SELECT id, n FROM (SELECT id, n, ROW_NUMBER() OVER (PARTITION BY id ORDER BY n DESC) AS k FROM s) AS numbered WHERE k = 1",
        "MERGE INTO t USING u ON t.id = u.id WHEN MATCHED THEN UPDATE SET n = u.n WHEN NOT MATCHED THEN INSERT (id, n) VALUES (u.id, u.n)",
        "DELETE FROM t USING u WHERE t.id = u.id AND t.id = 'c'",
    ];
    for sql in batch {
        run(client, sql).await;
    }
    assert_eq!(
        value(
            client,
            "SELECT LISTAGG(id || n, ' ') WITHIN GROUP (ORDER BY id) FROM t"
        )
        .await
        .as_deref(),
        Some("a1 b3")
    );
    run(client, "TRUNCATE t").await;
}

#[tokio::test]
async fn a_parameter_of_300_held_transactions_is_read() {
    let Database { client, .. } = &Database::start().await;
    let item = |n: u32| {
        format!(
            "{{\"transaction_id\":\"t{n}\",\"occurred_at\":\"2026-01-02T03:04:05Z\",\"amount\":{n}.5,\"customer_id\":\"c{n}\",\"pad\":\"{}\"}}",
            "x".repeat(100)
        )
    };
    let holds = format!("[{}]", (0..300).map(item).collect::<Vec<_>>().join(","));
    let sql = "WITH RECURSIVE raw(j) AS (SELECT CAST(:holds_0 AS VARCHAR(65535))), \
               counter(i) AS (SELECT 0 UNION ALL SELECT i + 1 FROM counter, raw WHERE i + 1 < JSON_ARRAY_LENGTH(j)), \
               item(o) AS (SELECT JSON_EXTRACT_ARRAY_ELEMENT_TEXT(j, i) FROM raw, counter) \
               SELECT JSON_EXTRACT_PATH_TEXT(o, 'transaction_id') AS transaction_id, CAST(JSON_EXTRACT_PATH_TEXT(o, 'occurred_at') AS TIMESTAMPTZ) AS at, \
               CAST(JSON_EXTRACT_PATH_TEXT(o, 'amount') AS DOUBLE PRECISION) AS amount FROM item";
    let found = steps(sql).unwrap();
    let [
        Step::Sql(Sql {
            text,
            parameters,
            returns_rows: true,
        }),
    ] = found.as_slice()
    else {
        panic!("{found:?}")
    };
    assert_eq!(parameters, &["holds_0"]);
    let rows = client
        .query(text, &[&holds])
        .await
        .unwrap_or_else(|error| panic!("{text}: {error:?}"));
    assert_eq!(rows.len(), 300);
    assert!(
        rows.iter()
            .enumerate()
            .all(|(n, row)| row.get::<_, String>(0) == format!("t{n}")
                && row.get::<_, f64>(2) > n as f64)
    );
    let other = format!("[{}]", (300..350).map(item).collect::<Vec<_>>().join(","));
    let rows = client.query(text, &[&other]).await.unwrap();
    assert_eq!(
        (rows.len(), rows[49].get::<_, &str>(0)),
        (50, "t349"),
        "another document is cut anew"
    );
}

/// The statements of a load of one batch with holds.
fn load_sql(definition: &features::Definition) -> Vec<String> {
    let source = features::sql::CopySource {
        manifest: "s3://b/m.json",
        iam_role: "default",
        bad_rows: features::sql::BadRows::Fail,
    };
    let group = features::sql::HoldGroup {
        group: "00000000000000aa".to_owned(),
        first: 0,
    };
    let load = features::sql::TransactionsLoad {
        turn: 8,
        claim_id: "c",
        hold_groups: &[group],
        hours: &[jiff::Timestamp::UNIX_EPOCH..=jiff::Timestamp::MAX],
    };
    features::sql::load_transactions(definition, source, load)
}

/// The SQL that the product sends, over 300,000 transactions.
#[tokio::test]
async fn the_models_own_statements_run() {
    let Database { client, .. } = &Database::start().await;
    let text = std::fs::read_to_string(concat!(
        env!("CARGO_MANIFEST_DIR"),
        "/../../infra/bundles/card-fraud/bundle.toml"
    ))
    .unwrap()
    .replace("negatives = 0.3", "negatives = 1.0");
    let definition = features::Definition::parse(&text).unwrap();
    for sql in features::sql::schema_ddl(&definition) {
        run(client, &sql).await;
        run(client, &sql).await; // IF NOT EXISTS, indexes too
    }
    let fill = "INSERT INTO transactions (transaction_id, occurred_at, amount, customer_id, terminal_id) \
                SELECT 't' || n, '2026-01-30'::timestamptz - n * interval '8 seconds', n % 100, 'c' || n % 5000, 'm' || n % 9973 FROM generate_series(1, 300000) n";
    client.batch_execute(fill).await.unwrap();
    client.batch_execute("ANALYZE").await.unwrap();

    let holds = "INSERT INTO holds (turn, claim_id, ordinal, transaction_id, occurred_at, amount, \
                 customer_id, terminal_id, identity_hash) \
                 SELECT 7, 'c', n, 'h' || n, '2026-01-30', 1.5, 'c' || n, 'm' || n, 'i' || n \
                 FROM generate_series(0, 299) n";
    client.batch_execute(holds).await.unwrap();
    let held = features::sql::HeldRows {
        turn: 7,
        claim_id: "c",
        from: 0,
        to: 300,
        cut_off: None,
        hours: &[],
    };
    let evidence = features::sql::evidence(&definition, held);
    let found = steps(&evidence).unwrap();
    let [
        Step::Sql(Sql {
            text,
            returns_rows: true,
            ..
        }),
    ] = found.as_slice()
    else {
        panic!("{found:?}")
    };
    let rows = client
        .query(text, &[])
        .await
        .unwrap_or_else(|error| panic!("{text}: {error:?}"));
    assert_eq!(rows.len(), 300);
    client.batch_execute("BEGIN").await.unwrap();
    for sql in load_sql(&definition) {
        for step in steps(&sql).unwrap() {
            if let Step::Sql(Sql { text, .. }) = step {
                client
                    .batch_execute(&text)
                    .await
                    .unwrap_or_else(|error| panic!("{text}: {error:?}"));
            }
        }
    }
    client.batch_execute("COMMIT").await.unwrap();
    let [from, to] =
        ["2026-01-20T00:00:00Z", "2026-01-21T00:00:00Z"].map(|text| text.parse().unwrap());
    let folder = tempfile::tempdir().unwrap();
    let period = features::TrainingPeriod {
        from,
        to,
        as_of: to,
    };
    let export = features::sql::training_export(&definition, &period, "s3://b/out/", "default");
    let found = steps(&export).unwrap();
    let [Step::Unload(command)] = found.as_slice() else {
        panic!("{found:?}")
    };
    let storage = crate::storage::Storage::Folder(folder.path().to_owned());
    assert_eq!(
        crate::unload::run(client, &storage, command).await,
        Ok(10_800)
    );
    assert!(storage.get("b", "out/0000_part_00.gz").await.is_ok());
}
