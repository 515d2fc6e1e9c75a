//! Where Redshift computes another value than PostgreSQL, or refuses a statement.

use crate::service::{Service, unlimited};

impl Service {
    /// The rows of a query.
    async fn answer(&self, sql: &str) -> Vec<String> {
        let id = self.run(sql).await;
        self.rows(&id).await
    }
}

#[tokio::test]
async fn comparisons_ignore_trailing_blanks_and_values_keep_them() {
    let service = Service::start(unlimited()).await;
    service.run("CREATE TABLE t (id VARCHAR(8), n INT)").await;
    let rows = "INSERT INTO t VALUES ('A', 1), ('A  ', 2), ('B', 3)";
    service.run(rows).await;
    let answers = [
        (
            "SELECT 'A' = 'A ', 'A' <> 'A ', 'A' IN ('B', 'A  ')",
            "true|false|true",
        ),
        ("SELECT COUNT(*) FROM t WHERE id = 'A '", "2"),
        ("SELECT COUNT(*) FROM t a JOIN t b ON a.id = b.id", "5"),
        ("SELECT COUNT(DISTINCT id) FROM t", "2"),
        ("SELECT COUNT(*) FROM (SELECT id FROM t GROUP BY id) g", "2"),
        (
            "SELECT MAX(k) FROM (SELECT ROW_NUMBER() OVER (PARTITION BY id) AS k FROM t) w",
            "2",
        ),
        (
            "SELECT CASE id WHEN 'A' THEN 'a' ELSE 'b' END FROM t WHERE n = 2",
            "a",
        ),
        (
            "SELECT CAST(id AS VARCHAR(4)) = 'A' || '  ' FROM t WHERE n = 1",
            "true",
        ),
        (
            "SELECT '[' || id || ']' || OCTET_LENGTH(id) FROM t WHERE n = 2",
            "[A  ]3",
        ),
    ];
    for (sql, expected) in answers {
        assert_eq!(service.answer(sql).await, [expected], "{sql}");
    }
    let unload = "UNLOAD ('SELECT id FROM t WHERE n = 2') TO 's3://b/out/' IAM_ROLE default CSV";
    service.run(&format!("{unload} PARALLEL OFF")).await;
    let written = std::fs::read(service.folder.path().join("s3/b/out/000")).unwrap();
    assert_eq!(written, b"A  \n");
}

#[tokio::test]
async fn a_varchar_counts_bytes() {
    let service = Service::start(unlimited()).await;
    service
        .run("CREATE TABLE t (id VARCHAR, short VARCHAR(4))")
        .await;
    service
        .run("INSERT INTO t (short) VALUES ('éé'), ('abcd  ')")
        .await;
    let refused = [
        ("INSERT INTO t (short) VALUES ('ééé')", 4),
        ("INSERT INTO t (short) SELECT 'é' || short FROM t", 4),
        ("UPDATE t SET short = 'abcde'", 4),
        ("INSERT INTO t (id) SELECT REPEAT('é', 129)", 256),
    ];
    for (sql, size) in refused {
        let expected = format!("ERROR: value too long for type character varying({size})");
        assert_eq!(service.failure(sql).await, expected, "{sql}");
    }
    service
        .run("INSERT INTO t (id) SELECT REPEAT('é', 128)")
        .await;
    let cut = "SELECT CAST('ééé' AS VARCHAR(5))";
    assert_eq!(service.answer(cut).await, ["éé"]);

    service.put(
        "in/1",
        "{\"short\":\"ab\"}\n{\"short\":\"ééé\"}\n".as_bytes(),
    );
    service
        .run("COPY t FROM 's3://b/in/1' IAM_ROLE default JSON 'auto' MAXERROR 2")
        .await;
    let refused = "SELECT line_number, TRIM(column_name), error_code FROM sys_load_error_detail";
    assert_eq!(service.answer(refused).await, ["2|short|1204"]);
}

#[tokio::test]
async fn extract_and_avg_give_whole_numbers() {
    let service = Service::start(unlimited()).await;
    let answers = [
        (
            "SELECT EXTRACT(EPOCH FROM TIMESTAMPTZ '2026-01-01 00:00:00.75Z')",
            "1767225600",
        ),
        (
            "SELECT EXTRACT(EPOCH FROM TIMESTAMP '1970-01-01 00:00:07.9') / 2",
            "3",
        ),
        (
            "SELECT EXTRACT(SECOND FROM TIMESTAMP '2026-01-01 00:00:43.9')",
            "43",
        ),
        (
            "SELECT EXTRACT(ms FROM TIMESTAMP '2009-09-09 12:08:43.101')",
            "101",
        ),
        ("SELECT AVG(n) FROM (SELECT 1 AS n UNION SELECT 2) t", "1"),
        (
            "SELECT AVG(DISTINCT n) FROM (SELECT -1::BIGINT AS n UNION SELECT -2) t",
            "-1",
        ),
        (
            "SELECT AVG(n) FROM (SELECT 1::REAL AS n UNION SELECT 2) t",
            "1.5",
        ),
        (
            "SELECT AVG(n) OVER () FROM (SELECT 7::SMALLINT AS n) t",
            "7",
        ),
    ];
    for (sql, expected) in answers {
        assert_eq!(service.answer(sql).await, [expected], "{sql}");
    }
}

#[tokio::test]
async fn like_copies_the_keys_of_a_table_and_create_table_as_does_not() {
    let service = Service::start(unlimited()).await;
    let table = "CREATE TABLE IF NOT EXISTS t (id VARCHAR(8), at TIMESTAMPTZ NOT NULL, n INT)";
    service
        .run(&format!("{table} DISTKEY (id) SORTKEY (at, n)"))
        .await;
    // The table exists, so it keeps its keys.
    service
        .run(&format!("{table} DISTKEY (n) SORTKEY (id)"))
        .await;
    let keys = |table: &str| {
        format!(
            "SELECT \"column\", distkey, sortkey, \"notnull\" FROM pg_table_def \
             WHERE tablename = '{table}' ORDER BY distkey DESC, sortkey"
        )
    };
    let expected = ["id|true|0|false", "at|false|1|true", "n|false|2|false"];
    assert_eq!(service.answer(&keys("t")).await, expected);

    let [like, query, own] = ["liked", "queried", "keyed"].map(keys);
    let batch = [
        "CREATE TEMP TABLE liked (LIKE t, more INTEGER)",
        &like,
        "CREATE TEMP TABLE queried AS SELECT id FROM t",
        &query,
        "CREATE TEMP TABLE keyed DISTKEY (id) SORTKEY (id) AS SELECT id FROM t",
        &own,
    ];
    let id = service.run_batch(&batch).await;
    let rows = service.rows(&format!("{id}:2")).await;
    assert!(
        expected
            .iter()
            .all(|row| rows.iter().any(|found| found == row)),
        "{rows:?}"
    );
    assert_eq!(service.rows(&format!("{id}:4")).await, ["id|false|0|false"]);
    assert_eq!(service.rows(&format!("{id}:6")).await, ["id|true|1|false"]);
}

#[tokio::test]
async fn a_merge_refuses_two_source_rows_for_one_target_row() {
    let service = Service::start(unlimited()).await;
    service.run("CREATE TABLE t (id VARCHAR(8), n INT)").await;
    service.run("CREATE TABLE s (LIKE t)").await;
    service.run("INSERT INTO t VALUES ('a', 1)").await;
    service
        .run("INSERT INTO s VALUES ('a', 2), ('a ', 3)")
        .await;
    let merge = "MERGE INTO t USING s ON t.id = s.id WHEN MATCHED THEN UPDATE SET n = s.n \
                 WHEN NOT MATCHED THEN INSERT VALUES (s.id, s.n)";
    let expected = "ERROR: Found multiple matches to update the same tuple";
    assert_eq!(service.failure(merge).await, expected);
    service.run("DELETE FROM s WHERE n = 2").await;
    service.run(merge).await;
    assert_eq!(service.answer("SELECT n FROM t").await, ["3"]);
}
