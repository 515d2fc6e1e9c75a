use std::io::Write as _;

use super::*;

fn file(name: &str, bytes: &[u8]) -> (tempfile::TempDir, std::path::PathBuf) {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join(name);
    File::create(&path).unwrap().write_all(bytes).unwrap();
    (folder, path)
}

#[test]
fn the_handbooks_columns_become_our_fields_without_the_scenario() {
    let text = "TRANSACTION_ID,TX_TIME_SECONDS,CUSTOMER_ID,TERMINAL_ID,TX_AMOUNT,TX_FRAUD,TX_FRAUD_SCENARIO\n\
                5,86460,7,9,12.5,1,2\n4,60,8,9,3,0,0\n";
    let (_folder, path) = file("h.csv.zst", &zstd::encode_all(text.as_bytes(), 1).unwrap());
    let rows = read(&path, None).unwrap();
    assert_eq!(
        rows[1].json,
        r#"{"amount":12.5,"customer_id":"7","occurred_at":"2018-04-02T00:01:00Z","terminal_id":"9","transaction_id":"5"}"#
    );
    assert_eq!(
        (
            rows[0].transaction_id.as_str(),
            rows[0].fraud,
            rows[1].fraud
        ),
        ("4", Some(false), Some(true))
    );
    assert_eq!(rows[1].reported_at.to_string(), "2018-04-09T00:01:00Z");
    assert_eq!(rows[1].partition_key, "7");
}

#[test]
fn a_table_without_a_label_column_takes_is_fraud() {
    let text = CARD_FRAUD
        .replace("label = \"TX_FRAUD\"\n", "")
        .replace("\"TX_AMOUNT\"", "\"price\"");
    let definition = Definition::parse(&text).unwrap();
    let text =
        "TRANSACTION_ID,TX_TIME_SECONDS,CUSTOMER_ID,TERMINAL_ID,price,is_fraud\n4,60,8,9,3,1\n";
    let (_folder, path) = file("h.csv", text.as_bytes());
    assert_eq!(read(&path, Some(&definition)).unwrap()[0].fraud, Some(true));
    // A line without one of the table's keys is still a row of the table.
    let line = r#"{"transaction_id":"4","occurred_at":"2026-01-31T09:00:00Z","price":3,"CUSTOMER_ID":8,"is_fraud":1}"#;
    let text = CARD_FRAUD
        .replace("label = \"TX_FRAUD\"\n", "")
        .replace("\"TX_AMOUNT\"", "\"price\"");
    let text = text.replace("transaction_id = \"TRANSACTION_ID\"\n", "");
    let start = text.find("occurred_at = {").unwrap();
    let text = text.replacen(
        &text[start..start + text[start..].find('\n').unwrap()],
        "",
        1,
    );
    let (_folder, path) = file("h.ndjson", line.as_bytes());
    let rows = read(&path, Some(&Definition::parse(&text).unwrap())).unwrap();
    assert_eq!(
        (rows[0].partition_key.as_str(), rows[0].fraud),
        ("8", Some(true))
    );
}

#[test]
fn an_error_names_the_line_and_the_field() {
    let (_folder, path) = file(
        "t.ndjson",
        b"{\"transaction_id\":\"a\",\"occurred_at\":\"yesterday\"}\n",
    );
    let error = format!("{:#}", read(&path, None).unwrap_err());
    assert!(
        error.contains("line 1, field occurred_at: expected an RFC 3339 timestamp"),
        "{error}"
    );
    let (_folder, path) = file("t.csv", b"transaction_id,amount,is_fraud\na,1,maybe\n");
    let error = format!("{:#}", read(&path, None).unwrap_err());
    assert!(
        error.contains("line 2, field is_fraud: expected 1, 0, true or false"),
        "{error}"
    );
}

#[test]
fn wrong_labels_are_refused_and_a_byte_order_mark_is_skipped() {
    let row = r#"{"transaction_id":"a","occurred_at":"2026-01-31T09:00:00Z","amount":1"#;
    for (rest, expected) in [
        (
            r#","is_fraud":2}"#,
            "line 1, field is_fraud: expected true, false, 1 or 0",
        ),
        (
            r#","reported_at":7}"#,
            "line 1, field reported_at: expected an RFC 3339 timestamp",
        ),
    ] {
        let (_folder, path) = file("t.ndjson", format!("{row}{rest}\n").as_bytes());
        let error = format!("{:#}", read(&path, None).unwrap_err());
        assert!(error.contains(expected), "{error}");
    }
    let text = "\u{FEFF}transaction_id,occurred_at,note,is_fraud\na,2026-01-31T09:00:00Z,\"two\nlines\",1\nb,2026-01-31T09:00:00Z,,7\n";
    let (_folder, path) = file("t.csv", text.as_bytes());
    let error = format!("{:#}", read(&path, None).unwrap_err());
    assert!(error.contains("line 4, field is_fraud"), "{error}");
}

#[test]
fn a_file_of_labels_replaces_the_labels_of_the_rows() {
    let rows = ["a", "b"].map(|id| {
        format!(r#"{{"transaction_id":"{id}","occurred_at":"2026-01-31T09:00:00Z","is_fraud":1}}"#)
    });
    let (_folder, path) = file("t.ndjson", rows.join("\n").as_bytes());
    let mut rows = read(&path, None).unwrap();
    let labels = r#"{"transaction_id":"b","reported_at":"2026-02-01T00:00:00Z","is_fraud":false}"#;
    let (_other, path) = file("l.ndjson", labels.as_bytes());
    assert_eq!(label(&mut rows, &path).unwrap(), 1);
    assert_eq!(
        (
            rows[0].fraud,
            rows[1].fraud,
            rows[1].reported_at.to_string().as_str()
        ),
        (None, Some(false), "2026-02-01T00:00:00Z")
    );
    std::fs::write(&path, "\n{\"transaction_id\":\"b\",\"is_fraud\":true}").unwrap();
    let error = format!("{:#}", label(&mut rows, &path).unwrap_err());
    assert!(
        error.contains("line 2") && error.contains("reported_at"),
        "{error}"
    );
}
