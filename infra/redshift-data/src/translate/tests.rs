use super::Sql;
use crate::steps::{Step, steps};

fn sql(redshift: &str) -> Vec<String> {
    steps(redshift)
        .unwrap_or_else(|error| panic!("{redshift}: {error}"))
        .into_iter()
        .map(|step| match step {
            Step::Sql(Sql { text, .. }) => text,
            other => panic!("{other:?}"),
        })
        .collect()
}

#[test]
fn functions_and_words_become_postgresqls() {
    let cases = [
        (
            "SELECT DATEADD(day, -7, occurred_at) FROM t",
            "SELECT redshift_compat.dateadd('day', - 7, occurred_at) FROM t",
        ),
        (
            "select datediff( second , a.x, b.y )",
            "select redshift_compat.datediff('second', a.x, b.y)",
        ),
        (
            "SELECT GETDATE(), SYSDATE",
            "SELECT redshift_compat.getdate (), redshift_compat.sysdate()",
        ),
        (
            "SELECT NVL(a, b, 0), LEN(c)",
            "SELECT coalesce (a, b, 0), length (c)",
        ),
        (
            "SELECT NVL2(a, b, c)",
            "SELECT CASE WHEN ( a ) IS NOT NULL THEN b ELSE c END",
        ),
        (
            "SELECT DECODE(a, 1, 'x', 'y')",
            "SELECT CASE WHEN a IS NOT DISTINCT FROM 1 THEN 'x' ELSE 'y' END",
        ),
        (
            "SELECT MEDIAN(a)",
            "SELECT percentile_cont(0.5) WITHIN GROUP (ORDER BY a)",
        ),
        (
            "SELECT LISTAGG(a, ', ') WITHIN GROUP (ORDER BY b) FROM t",
            "SELECT string_agg(( a)::text, ', ' ORDER BY b) FROM t",
        ),
        (
            "SELECT APPROXIMATE COUNT(DISTINCT x) FROM t",
            "SELECT COUNT (DISTINCT x) FROM t",
        ),
        (
            "SELECT JSON_EXTRACT_PATH_TEXT(j, 'a', 'b', TRUE)",
            "SELECT redshift_compat.json_extract_path_text_or_null (j, 'a', 'b')",
        ),
        ("SELECT 1 MINUS SELECT 2", "SELECT 1 EXCEPT SELECT 2"),
        (
            "SELECT a.len, b AS top FROM a",
            "SELECT a.len, b AS top FROM a",
        ),
        (
            "DELETE t USING s WHERE t.a = s.a",
            "DELETE FROM t USING s WHERE t.a = s.a",
        ),
        (
            "SELECT * FROM #Held -- a comment with :p",
            "SELECT * FROM \"#held\"",
        ),
        ("SELECT 'it''s :p' || ':q'", "SELECT 'it''s :p' || ':q'"),
    ];
    for (redshift, expected) in cases {
        let bare = |text: &str| text.replace(' ', "").to_lowercase();
        assert_eq!(
            sql(redshift)
                .iter()
                .map(|text| bare(text))
                .collect::<Vec<_>>(),
            [bare(expected)],
            "{redshift}"
        );
    }
}

#[test]
fn a_parameter_used_twice_has_one_number() {
    let found = steps(
        "WITH RECURSIVE n(i) AS (SELECT 0 UNION ALL SELECT i + 1 FROM n WHERE i < :count::int) \
                       SELECT CAST(:holds_0 AS VARCHAR(65535)), ':no', :count /* :never */ FROM n",
    )
    .unwrap();
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
    assert_eq!(parameters, &["count", "holds_0"]);
    assert!(text.contains("$1::int)"), "{text}");
    assert!(text.contains("CAST ($2 AS VARCHAR (65535))"), "{text}");
    assert!(text.contains("':no', $1 FROM"), "{text}");
}

#[test]
fn keys_of_a_table_become_indexes() {
    let found = sql(
        "CREATE TABLE IF NOT EXISTS s.t (id VARCHAR(256) NOT NULL ENCODE zstd DISTKEY, at TIMESTAMPTZ ENCODE az64, amount DOUBLE PRECISION, \
                     raw SUPER, note VARCHAR(MAX) DEFAULT 'x', PRIMARY KEY (id)) DISTSTYLE KEY COMPOUND SORTKEY (at, id)",
    );
    assert_eq!(
        found,
        [
            "CALL redshift_compat.note_absence('s.t')",
            "CREATE TABLE IF NOT EXISTS s.t (id VARCHAR (256) NOT NULL, at TIMESTAMPTZ, amount DOUBLE PRECISION, raw jsonb, note varchar(65535) DEFAULT 'x')",
            "CALL redshift_compat.keep_keys('s.t', 'id', ARRAY['at', 'id']::text[], true)",
            "CREATE INDEX IF NOT EXISTS \"t_distkey\" ON s.t (id, at)",
            "CREATE INDEX IF NOT EXISTS \"t_primary\" ON s.t (id)",
            "CREATE INDEX IF NOT EXISTS \"t_sortkey\" ON s.t (at, id)",
        ]
    );
    assert_eq!(
        sql("CREATE TABLE #x DISTKEY(a) AS SELECT NVL(a, 1) AS a FROM t"),
        [
            "CREATE TEMP TABLE \"#x\" AS SELECT coalesce (a, 1) AS a FROM t",
            "CALL redshift_compat.keep_keys('\"#x\"', 'a', ARRAY[]::text[], false)",
            "CREATE INDEX IF NOT EXISTS \"#x_distkey\" ON \"#x\" (a)",
        ]
    );
    assert_eq!(
        sql("CREATE TEMP TABLE x (LIKE y)"),
        ["CREATE TEMP TABLE x (LIKE y INCLUDING DEFAULTS INCLUDING COMMENTS)"]
    );
}

#[test]
fn copy_and_unload_are_read_whole() {
    let copy = "COPY #stage (id, \"At\") FROM 's3://b/m.json' IAM_ROLE 'arn:aws:iam::1:role/r' FORMAT AS JSON 'auto ignorecase' GZIP MANIFEST \
                TIMEFORMAT 'auto' DATEFORMAT AS 'auto' MAXERROR 3 TRUNCATECOLUMNS BLANKSASNULL COMPUPDATE OFF STATUPDATE ON ACCEPTINVCHARS '?' REGION 'eu-west-1'";
    let found = steps(copy).unwrap();
    let [Step::Copy(copy)] = found.as_slice() else {
        panic!("{found:?}")
    };
    assert_eq!(
        (
            copy.table.as_str(),
            copy.columns.join(" ").as_str(),
            copy.from.as_str()
        ),
        ("\"#stage\"", "id At", "s3://b/m.json")
    );
    assert!(
        copy.options.manifest
            && copy.options.truncate
            && copy.options.blanks_as_null
            && copy.options.max_errors == 3
    );
    let unload = "UNLOAD ('SELECT ''a'' AS a, NVL(b, 0) AS b FROM t') TO 's3://b/out/' IAM_ROLE default FORMAT CSV HEADER GZIP PARALLEL OFF ALLOWOVERWRITE MAXFILESIZE 100 MB";
    let found = steps(unload).unwrap();
    let [Step::Unload(unload)] = found.as_slice() else {
        panic!("{found:?}")
    };
    assert_eq!(unload.query, "SELECT 'a' AS a, coalesce (b, 0) AS b FROM t");
    assert!(unload.options.header && unload.options.serial && unload.options.overwrite);
}

#[test]
fn what_cannot_be_turned_is_refused_by_name() {
    let cases = [
        ("COPY t FROM 's3://b/k' FORMAT PARQUET", "PARQUET"),
        (
            "COPY t FROM 's3://b/k' JSON 's3://b/paths.json'",
            "JSON 's3://b/paths.json'",
        ),
        ("COPY t FROM 'dynamodb://x' JSON 'auto'", "dynamodb://x"),
        (
            "UNLOAD ('SELECT 1') TO 's3://b/k' FORMAT PARQUET",
            "PARQUET",
        ),
        (
            "UNLOAD ('SELECT 1') TO 's3://b/k' PARTITION BY (a)",
            "PARTITION",
        ),
        (
            "MERGE INTO t USING s ON t.a = s.a REMOVE DUPLICATES",
            "REMOVE DUPLICATES",
        ),
        (
            "MERGE INTO t x USING s ON x.a = s.a WHEN MATCHED THEN DELETE WHEN NOT MATCHED THEN INSERT VALUES (1)",
            "alias",
        ),
        (
            "MERGE INTO t USING s ON t.a = s.a AND t.b > s.b WHEN MATCHED THEN DELETE WHEN NOT MATCHED THEN INSERT VALUES (1)",
            "equalities",
        ),
        (
            "MERGE INTO t USING s ON t.a = s.a OR t.b = s.b WHEN MATCHED THEN DELETE WHEN NOT MATCHED THEN INSERT VALUES (1)",
            "equalities",
        ),
        (
            "MERGE INTO t USING s ON t.a = s.a AND t.b = 'x' WHEN MATCHED THEN DELETE WHEN NOT MATCHED THEN INSERT VALUES (1)",
            "equalities",
        ),
        (
            "MERGE INTO t USING T AS s ON t.a = s.a WHEN MATCHED THEN DELETE WHEN NOT MATCHED THEN INSERT VALUES (1)",
            "into itself",
        ),
        (
            "MERGE INTO t USING (SELECT 1 AS a) s ON t.a = s.a WHEN MATCHED THEN DELETE WHEN NOT MATCHED THEN INSERT VALUES (1)",
            "subquery",
        ),
        (
            "WITH s AS (SELECT 1 AS a) MERGE INTO t USING s ON t.a = s.a WHEN MATCHED THEN DELETE WHEN NOT MATCHED THEN INSERT VALUES (1)",
            "WITH",
        ),
        (
            "MERGE INTO t USING s ON t.a = s.a WHEN MATCHED AND s.b = 1 THEN DELETE WHEN NOT MATCHED THEN INSERT VALUES (1)",
            "MATCHED with a condition",
        ),
        (
            "MERGE INTO t USING s ON t.a = s.a WHEN MATCHED THEN DELETE WHEN NOT MATCHED THEN DO NOTHING",
            "DO NOTHING",
        ),
        ("COMMENT ON COLUMN t.a IS 'x'", "COMMENT ON COLUMN"),
        ("SELECT TOP 10 * FROM t", "TOP"),
        ("SELECT a FROM t QUALIFY 1 = 1", "QUALIFY"),
        ("SELECT LAG(a IGNORE NULLS) OVER () FROM t", "IGNORE NULLS"),
        (
            "CREATE TABLE t (a int) INTERLEAVED SORTKEY (a)",
            "INTERLEAVED",
        ),
        ("CREATE EXTERNAL TABLE t (a int)", "EXTERNAL"),
        ("CREATE INDEX i ON t (a)", "INDEX"),
        ("VACUUM t", "VACUUM"),
        ("SELECT 1; SELECT 2", "several statements"),
    ];
    for (redshift, name) in cases {
        let refusal = steps(redshift).expect_err(redshift);
        assert!(refusal.contains(name), "{redshift}: {refusal}");
    }
}
