use std::fmt::Write as _;
use std::io::Write as _;

use serde_json::json;

use super::run;
use crate::steps::{Step, steps};
use crate::storage::Storage;
use crate::test_database::Database;
use crate::translate::Sql;

fn gzip(body: &str) -> Vec<u8> {
    let mut encoder = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
    encoder.write_all(body.as_bytes()).unwrap();
    encoder.finish().unwrap()
}

async fn copy(
    client: &tokio_postgres::Client,
    storage: &Storage,
    sql: &str,
) -> Result<u64, String> {
    let found = steps(sql).unwrap();
    let [Step::Copy(command)] = found.as_slice() else {
        panic!("{found:?}")
    };
    let load = run(client, storage, command).await;
    match load.refused.first() {
        Some(row) if load.rows.is_err() => Err(format!(
            "{} line {} {} {} {}",
            row.file, row.line, row.column.name, row.code, row.message
        )),
        _ => load.rows,
    }
}

#[tokio::test]
async fn objects_are_loaded_and_faults_are_located() {
    let Database {
        client, storage, ..
    } = &Database::start().await;
    let table = "CREATE TABLE t (id varchar(4), at timestamptz, amount double precision, note varchar(20), raw jsonb)";
    client.batch_execute(table).await.unwrap();

    let good = "{\"id\":\"a\",\"at\":\"2026-01-02T03:04:05.5Z\",\"amount\":1.5,\"other\":[1],\"note\":\"tab\\there\\\\ \\u00e9\",\"raw\":{\"k\":\"x\\ty\"}}\n\
                {\"amount\":null,\"id\":\"b\",\"raw\":\"s\"}\n";
    storage.put("b", "in/1.gz", gzip(good)).await.unwrap();
    let second = gzip("{\"id\":\"c\"}\n\n{\"id\":12}");
    storage.put("b", "in/2.gz", second).await.unwrap();
    let entries = json!({"entries": [{"url": "s3://b/in/1.gz", "mandatory": true}, {"url": "s3://b/in/none.gz"}, {"url": "s3://b/in/2.gz"}]});
    let manifest = entries.to_string().into_bytes();
    storage.put("b", "m.json", manifest).await.unwrap();
    assert_eq!(
        copy(
            client,
            storage,
            "COPY t FROM 's3://b/m.json' IAM_ROLE default FORMAT JSON 'auto' GZIP MANIFEST TIMEFORMAT 'auto'"
        )
        .await,
        Ok(4)
    );
    let row = client
        .query_one(
            "SELECT at::text, amount, note, raw::text FROM t WHERE id = 'a'",
            &[],
        )
        .await
        .unwrap();
    assert_eq!(row.get::<_, &str>(0), "2026-01-02 03:04:05.5+00");
    assert_eq!(
        (
            row.get::<_, f64>(1),
            row.get::<_, &str>(2),
            row.get::<_, &str>(3)
        ),
        (1.5, "tab\there\\ é", "{\"k\": \"x\\ty\"}")
    );
    let row = client
        .query_one(
            "SELECT count(*) FROM t WHERE at IS NULL AND amount IS NULL AND id IN ('b', 'c', '12')",
            &[],
        )
        .await
        .unwrap();
    assert_eq!(row.get::<_, i64>(0), 3);

    let entries = json!({"entries": [{"url": "s3://b/in/none.gz", "mandatory": true}]});
    storage
        .put("b", "missing.json", entries.to_string().into_bytes())
        .await
        .unwrap();
    let faults = [
        (
            "bad/json",
            "{\"id\":\"a\"}\n{\"id\":\n",
            "",
            "s3://b/bad/json line 2  1216 Invalid JSON format",
        ),
        (
            "bad/long",
            "{\"id\":\"a\"}\n\n{\"id\":\"abcde\"}\n",
            "",
            "s3://b/bad/long line 3 id 1204 String length exceeds DDL length",
        ),
        (
            "bad/type",
            "{\"id\":\"a\"}\n\n{\"amount\":\"x\"}\n{\"id\":\"d\"}\n",
            "",
            "s3://b/bad/type line 3 amount 1208",
        ),
        (
            "bad/time",
            "{\"at\":\"yesterday noon-ish\"}",
            "",
            "s3://b/bad/time line 1 at 1206",
        ),
        (
            "bad/not_gz",
            "{}",
            "GZIP",
            "S3 key being read : s3://b/bad/not_gz",
        ),
    ];
    for (key, body, option, expected) in faults {
        storage
            .put("b", key, body.as_bytes().to_vec())
            .await
            .unwrap();
        let error = copy(
            client,
            storage,
            &format!("COPY t FROM 's3://b/{key}' FORMAT JSON 'auto' {option}"),
        )
        .await
        .unwrap_err();
        assert!(error.contains(expected), "{error}");
    }
    let error = copy(
        client,
        storage,
        "COPY t FROM 's3://b/missing.json' JSON 'auto' GZIP MANIFEST",
    )
    .await
    .unwrap_err();
    assert!(error.contains("s3://b/in/none.gz"), "{error}");
    let error = copy(client, storage, "COPY t FROM 's3://b/nothing/' JSON 'auto'")
        .await
        .unwrap_err();
    assert!(error.contains("'nothing/' does not exist"), "{error}");
    assert_eq!(
        client
            .query_one("SELECT count(*) FROM t", &[])
            .await
            .unwrap()
            .get::<_, i64>(0),
        4,
        "a failed COPY leaves nothing"
    );

    assert_eq!(
        copy(
            client,
            storage,
            "COPY t FROM 's3://b/bad/json' JSON 'auto' MAXERROR 2"
        )
        .await,
        Ok(1)
    );
    assert_eq!(
        copy(
            client,
            storage,
            "COPY t FROM 's3://b/bad/long' JSON 'auto' TRUNCATECOLUMNS"
        )
        .await,
        Ok(2)
    );
    storage
        .put(
            "b",
            "x.csv",
            b"id,amount,note\nq,2.5,\"a, \"\"b\"\"\nc\"\nr,,\n".to_vec(),
        )
        .await
        .unwrap();
    assert_eq!(
        copy(
            client,
            storage,
            "COPY t (id, amount, note) FROM 's3://b/x.csv' CSV IGNOREHEADER 1"
        )
        .await,
        Ok(2)
    );
    let row = client
        .query_one("SELECT note FROM t WHERE id = 'q' AND amount = 2.5", &[])
        .await
        .unwrap();
    assert_eq!(row.get::<_, &str>(0), "a, \"b\"\nc");
}

#[tokio::test]
async fn many_rows_are_loaded() {
    let Database {
        client, storage, ..
    } = &Database::start().await;
    for step in steps("CREATE TABLE t (transaction_id VARCHAR(256), occurred_at TIMESTAMPTZ, amount DOUBLE PRECISION, customer_id VARCHAR(256) DISTKEY, \
                       terminal_id VARCHAR(256), score DOUBLE PRECISION, action VARCHAR(16)) SORTKEY (occurred_at)").unwrap() {
        let Step::Sql(Sql { text, .. }) = step else { panic!("{step:?}") };
        client.batch_execute(&text).await.unwrap();
    }
    let mut body = String::new();
    for n in 0..300_000_u32 {
        let _ = writeln!(
            body,
            "{{\"transaction_id\":\"t{n}\",\"occurred_at\":\"2026-01-02T03:{:02}:{:02}Z\",\"amount\":{}.5,\"customer_id\":\"c{}\",\"terminal_id\":\"m{}\",\
             \"decision_id\":\"d{n}\",\"score\":0.25,\"action\":\"approve\",\"transaction\":{{\"x\":1,\"y\":[1,2,3]}}}}",
            n / 60 % 60,
            n % 60,
            n % 100,
            n % 5000,
            n % 10000
        );
    }
    storage.put("b", "k.gz", gzip(&body)).await.unwrap();
    assert_eq!(
        copy(client, storage, "COPY t FROM 's3://b/k' JSON 'auto' GZIP").await,
        Ok(300_000)
    );
}
