use std::io::Read;

use super::run;
use crate::steps::{Step, steps};
use crate::storage::Storage;
use crate::test_database::Database;

async fn unload(
    client: &tokio_postgres::Client,
    storage: &Storage,
    sql: &str,
) -> Result<u64, String> {
    let found = steps(sql).unwrap();
    let [Step::Unload(command)] = found.as_slice() else {
        panic!("{found:?}")
    };
    run(client, storage, command).await
}

#[tokio::test]
async fn objects_are_named_and_written_as_the_real_one_does() {
    let Database {
        client, storage, ..
    } = &Database::start().await;
    let query = "('SELECT 1 AS a, ''x,\"y\"'' AS b, NULL::text AS c UNION ALL SELECT 2, ''p|q'', ''z'' ORDER BY a')";

    let sql = format!(
        "UNLOAD {query} TO 's3://b/one/' IAM_ROLE default FORMAT CSV HEADER GZIP PARALLEL OFF"
    );
    assert_eq!(unload(client, storage, &sql).await, Ok(2));
    let mut text = String::new();
    let packed = storage.get("b", "one/000.gz").await.unwrap();
    flate2::read::MultiGzDecoder::new(packed.as_slice())
        .read_to_string(&mut text)
        .unwrap();
    assert_eq!(text, "a,b,c\n1,\"x,\"\"y\"\"\",\n2,p|q,z\n");
    let error = unload(client, storage, &sql).await.unwrap_err();
    assert!(error.contains("not empty"), "{error}");
    assert_eq!(
        unload(client, storage, &format!("{sql} ALLOWOVERWRITE")).await,
        Ok(2)
    );

    assert_eq!(
        unload(
            client,
            storage,
            &format!("UNLOAD {query} TO 's3://b/two/part_' FORMAT JSON MANIFEST")
        )
        .await,
        Ok(2)
    );
    let text = String::from_utf8(storage.get("b", "two/part_0000_part_00").await.unwrap()).unwrap();
    assert_eq!(
        text,
        "{\"a\":1,\"b\":\"x,\\\"y\\\"\",\"c\":null}\n{\"a\":2,\"b\":\"p|q\",\"c\":\"z\"}\n"
    );
    let manifest: serde_json::Value =
        serde_json::from_slice(&storage.get("b", "two/part_manifest").await.unwrap()).unwrap();
    assert_eq!(
        manifest["entries"][0]["url"],
        "s3://b/two/part_0000_part_00"
    );
    assert_eq!(manifest["entries"][0]["meta"]["content_length"], text.len());

    assert_eq!(
        unload(
            client,
            storage,
            &format!("UNLOAD {query} TO 's3://b/three/' PARALLEL OFF NULL AS '-'")
        )
        .await,
        Ok(2)
    );
    assert_eq!(
        storage.get("b", "three/000").await.unwrap(),
        b"1|x,\"y\"|-\n2|p\\|q|z\n"
    );
}
