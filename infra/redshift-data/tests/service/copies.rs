//! COPY and the rows that it refuses.

use aws_sdk_redshiftdata::types::{ExecutionMode, StatusString};

use crate::service::{Service, unlimited};

const REFUSED: &str = "SELECT file_name, line_number, column_name, error_code, error_message \
     FROM sys_load_error_detail WHERE query_id = pg_last_copy_id() ORDER BY 1, 2";
const COPY: &str = "COPY t FROM 's3://b/manifest' FORMAT JSON 'auto' MANIFEST";
const LOAD_FAILED: &str =
    "ERROR: Load into table 't' failed.  Check 'sys_load_error_detail' system table for details.";

async fn service_with_bad_rows() -> Service {
    let service = Service::start(unlimited()).await;
    service
        .run("CREATE TABLE t (id VARCHAR(4) NOT NULL, n INTEGER, x DOUBLE PRECISION, at TIMESTAMPTZ)")
        .await;
    let first = [
        r#"{"id":"a","n":1,"x":0.5,"at":"2026-01-02T03:04:05Z"}"#,
        r#"{"id":"broken""#,
        r#"{"id":"ééé"}"#,
        r#"{"id":"b","x":"many"}"#,
    ];
    let second = [
        r#"{"id":"c","n":1.5}"#,
        r#"{"id":"d","at":"the day before"}"#,
        r#"{"n":7}"#,
        r#"{"id":"e"}"#,
    ];
    service.put("in/1", first.join("\n").as_bytes());
    service.put("in/2", second.join("\n").as_bytes());
    service.put_manifest("manifest", &["in/1", "in/2"]);
    service
}

#[tokio::test]
async fn refused_rows_are_left_out_and_described() {
    let service = service_with_bad_rows().await;
    let copy = format!("{COPY} MAXERROR 7");
    let id = service
        .run_batch(&["SELECT pg_last_copy_id()", &copy, REFUSED])
        .await;
    assert_eq!(service.rows(&format!("{id}:1")).await, ["-1"]);
    assert_eq!(
        service.rows(&format!("{id}:3")).await,
        [
            "s3://b/in/1|2||1216|Invalid JSON format",
            "s3://b/in/1|3|id|1204|String length exceeds DDL length",
            "s3://b/in/1|4|x|1208|Invalid float format or value",
            "s3://b/in/2|1|n|1207|Invalid digit, Type: Integer",
            "s3://b/in/2|2|at|1206|Invalid timestamp format or value",
            "s3://b/in/2|3|id|1213|Missing data for not-null field",
        ]
    );
    assert_eq!(service.count("t").await, 2);
    let columns = service
        .run(
            "SELECT column_type, column_length, position, session_id > 0, \
             start_time > DATEADD(minute, -5, GETDATE()), LEN(file_name) \
             FROM sys_load_error_detail WHERE error_code = 1204",
        )
        .await;
    assert_eq!(service.rows(&columns).await, ["varchar|4|4|true|true|11"]);
}

#[tokio::test]
async fn maxerror_is_the_number_of_refused_rows_at_which_a_copy_fails() {
    let service = service_with_bad_rows().await;
    let failing = ["", "MAXERROR 0", "MAXERROR 1", "MAXERROR 6"];
    for option in failing {
        let error = service.failure(&format!("{COPY} {option}")).await;
        assert_eq!(error, LOAD_FAILED, "{option}");
    }
    assert_eq!(service.count("t").await, 0);
}

#[tokio::test]
async fn refused_rows_stay_described_when_the_transaction_fails() {
    let service = service_with_bad_rows().await;
    let copy = format!("{COPY} MAXERROR 100000");
    let failing = [copy.as_str(), "SELECT 1 / 0"];
    let id = service.batch(&failing).send().await.unwrap().id.unwrap();
    assert_eq!(
        service.ended(&id).await.status(),
        Some(&StatusString::Failed)
    );
    assert_eq!(service.count("t").await, 0);
    assert_eq!(service.count("sys_load_error_detail").await, 6);

    assert_eq!(service.failure(COPY).await, LOAD_FAILED);
    assert_eq!(service.count("sys_load_error_detail").await, 7);
}

#[tokio::test]
async fn each_copy_has_its_own_id() {
    let service = service_with_bad_rows().await;
    let copy = format!("{COPY} MAXERROR 100000");
    let sqls = [&copy, REFUSED, &copy, REFUSED].map(|sql| sql);
    let request = service
        .batch(&sqls)
        .execution_mode(ExecutionMode::AutoCommit);
    let id = request.send().await.unwrap().id.unwrap();
    service.ended(&id).await;
    for place in [2, 4] {
        assert_eq!(service.rows(&format!("{id}:{place}")).await.len(), 6);
    }
    assert_eq!(service.count("sys_load_error_detail").await, 12);
}

#[tokio::test]
async fn a_row_that_only_postgresql_refuses_is_described_too() {
    let service = Service::start(unlimited()).await;
    service
        .run("CREATE TABLE t (id VARCHAR(4), d DECIMAL(3,2))")
        .await;
    let rows = "{\"id\":\"a\"}\n{\"id\":\"b\",\"d\":9.999}\n";
    service.put("in/1", rows.as_bytes());
    let error = service
        .failure("COPY t FROM 's3://b/in/1' JSON 'auto'")
        .await;
    assert_eq!(error, LOAD_FAILED);
    let described = "SELECT file_name, line_number, error_code FROM sys_load_error_detail";
    let id = service.run(described).await;
    assert_eq!(service.rows(&id).await, ["s3://b/in/1|2|1200"]);
}
