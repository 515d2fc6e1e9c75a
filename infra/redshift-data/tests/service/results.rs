//! Rows as clients read them.

use aws_sdk_redshiftdata::types::Field;
use redshift_data::Quotas;

use crate::service::{Service, code, unlimited};

#[tokio::test]
async fn values_come_back_with_their_types_page_by_page() {
    let service = Service::start(Quotas {
        page_rows: 2,
        ..unlimited()
    })
    .await;
    let client = &service.client;
    service.run("CREATE TABLE t (n INTEGER, x DOUBLE PRECISION, b BOOLEAN, s VARCHAR(9), d DECIMAL(8,2))").await;
    let rows = "INSERT INTO t VALUES (1, 0.5, TRUE, 'one', 1.10), (2, NULL, FALSE, '', 2), (3, -1e300, NULL, 'three', 0)";
    let inserted = service.ended(&service.run(rows).await).await;
    assert_eq!(
        (inserted.result_rows(), inserted.has_result_set()),
        (3, Some(false))
    );

    let id = service.run("SELECT n, x, b, s, d FROM t ORDER BY n").await;
    let ended = service.ended(&id).await;
    assert_eq!(
        (ended.result_rows(), ended.has_result_set()),
        (3, Some(true))
    );
    let first = client.get_statement_result().id(&id).send().await.unwrap();
    let types: Vec<_> = first
        .column_metadata()
        .iter()
        .map(|c| c.type_name().unwrap_or_default())
        .collect();
    assert_eq!(types, ["int4", "float8", "bool", "varchar", "numeric"]);
    let field = |text: &str| Field::StringValue(text.to_owned());
    let expected = [
        Field::LongValue(1),
        Field::DoubleValue(0.5),
        Field::BooleanValue(true),
        field("one"),
        field("1.10"),
    ];
    assert_eq!(first.records()[0], expected);
    assert_eq!(first.records()[1][1], Field::IsNull(true));
    assert_eq!((first.records().len(), first.total_num_rows()), (2, 3));
    let second = client
        .get_statement_result()
        .id(&id)
        .next_token(first.next_token().unwrap())
        .send()
        .await
        .unwrap();
    assert_eq!((second.records().len(), second.next_token()), (1, None));
    assert_eq!(second.records()[0][1], Field::DoubleValue(-1e300));
    let refused = client
        .get_statement_result()
        .id(&id)
        .next_token("x")
        .send()
        .await
        .unwrap_err();
    assert_eq!(code(&refused), "ValidationException");

    for (sql, found) in [
        ("SHOW search_path", "public"),
        ("EXPLAIN SELECT 1", "Result"),
    ] {
        let shown = client
            .get_statement_result()
            .id(service.run(sql).await)
            .send()
            .await
            .unwrap();
        assert!(
            shown.records()[0][0]
                .as_string_value()
                .unwrap()
                .contains(found),
            "{sql}: {shown:?}"
        );
    }
}

#[tokio::test]
async fn csv_results_have_an_operation_of_their_own() {
    let service = Service::start(unlimited()).await;
    let client = &service.client;
    let sql = "SELECT 1 AS a, 'x,\"y\"' AS b, NULL::INTEGER AS c";
    let format = aws_sdk_redshiftdata::types::ResultFormatString::Csv;
    let id = service
        .execute(sql)
        .result_format(format)
        .send()
        .await
        .unwrap()
        .id
        .unwrap();
    service.ended(&id).await;
    let page = client
        .get_statement_result_v2()
        .id(&id)
        .send()
        .await
        .unwrap();
    let text: String = page
        .records()
        .iter()
        .filter_map(|record| record.as_csv_records().ok())
        .cloned()
        .collect();
    assert_eq!(text, "\"a\",\"b\",\"c\"\r\n\"1\",\"x,\"\"y\"\"\",\r\n");
    assert_eq!(
        code(
            &client
                .get_statement_result()
                .id(&id)
                .send()
                .await
                .unwrap_err()
        ),
        "ValidationException"
    );
}
