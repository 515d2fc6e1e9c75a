use super::*;

const ORIGIN: Origin = Origin { record: 0, item: 0 };
const GOOD: &str = r#"{"transaction_id":"t-1","occurred_at":"2026-01-31T09:00:00Z","amount":12.5,"customer_id":"c-1","age":41,"channel":"web"}"#;

fn schema() -> Schema {
    Schema {
        entities: vec!["customer_id".into()],
        numbers: vec!["age".into()],
        categories: vec!["channel".into()],
    }
}

fn now() -> Timestamp {
    "2026-02-01T00:00:00Z".parse().unwrap()
}

/// The error for `item`, read after a good row, which must not change.
fn refusal(item: &[u8]) -> String {
    let schema = schema();
    let mut batch = Batch::new(&schema);
    batch.read(GOOD.as_bytes(), ORIGIN, now()).unwrap();
    let error = batch.read(item, ORIGIN, now()).unwrap_err().to_string();
    assert_eq!(batch.len(), 1);
    batch.read(GOOD.as_bytes(), ORIGIN, now()).unwrap();
    assert_eq!(
        (batch.entity(1, 0), batch.number(1, 0), batch.category(1, 0)),
        ("c-1", 41.0, Some("web"))
    );
    error
}

fn with(from: &str, to: &str) -> String {
    let changed = GOOD.replacen(from, to, 1);
    assert_ne!(changed, GOOD, "{from} is not in the good transaction");
    changed
}

#[test]
fn a_transaction_is_read_into_its_columns() {
    let schema = schema();
    let mut batch = Batch::new(&schema);
    let origin = Origin { record: 3, item: 2 };
    let item = with(r#""age":41"#, r#""extra":{"a":[1,{}]},"age":null"#)
        .replace(r#","channel":"web""#, "");
    batch.read(item.as_bytes(), origin, now()).unwrap();
    assert_eq!(batch.transaction_id(0), "t-1");
    assert_eq!(batch.occurred_at(0).to_string(), "2026-01-31T09:00:00Z");
    assert_eq!(
        (batch.amount(0), batch.entity(0, 0), batch.category(0, 0)),
        (12.5, "c-1", None)
    );
    assert!(batch.number(0, 0).is_nan());
    assert_eq!((batch.raw(0), batch.origin(0)), (item.as_bytes(), origin));
    assert_eq!(batch.partition_key(0), "c-1");
    let plain = Schema {
        entities: Vec::new(),
        ..schema.clone()
    };
    let mut batch = Batch::new(&plain);
    batch.read(item.as_bytes(), origin, now()).unwrap();
    assert_eq!(batch.partition_key(0), "t-1");
}

/// The warehouse compares texts without them: both engines must see one customer.
#[test]
fn blanks_at_the_end_of_an_entity_or_a_category_are_left_out() {
    let schema = schema();
    let mut batch = Batch::new(&schema);
    let item = with(r#""c-1""#, r#"" c 1  ""#).replace(r#""web""#, r#""we\u0062 ""#);
    batch.read(item.as_bytes(), ORIGIN, now()).unwrap();
    assert_eq!(
        (batch.entity(0, 0), batch.category(0, 0)),
        (" c 1", Some("web"))
    );
}

#[test]
fn the_longest_texts_fit_the_warehouses_columns() {
    let schema = schema();
    let mut batch = Batch::new(&schema);
    let (id, name) = ("\u{1f600}".repeat(64), "\u{e9}".repeat(128));
    let item = with(r#""t-1""#, &format!("\"{id}\""))
        .replace("c-1", &name)
        .replace("web", &name);
    batch.read(item.as_bytes(), ORIGIN, now()).unwrap();
    assert_eq!(
        (
            batch.transaction_id(0),
            batch.entity(0, 0),
            batch.category(0, 0)
        ),
        (&*id, &*name, Some(&*name))
    );
    assert_eq!((id.len(), name.len()), (256, 256));
}

#[test]
fn a_timestamp_is_truncated_to_microseconds() {
    let schema = schema();
    let mut batch = Batch::new(&schema);
    let item = with("09:00:00Z", "09:00:00.123456789Z");
    batch.read(item.as_bytes(), ORIGIN, now()).unwrap();
    assert_eq!(
        batch.occurred_at(0).to_string(),
        "2026-01-31T09:00:00.123456Z"
    );
}

#[test]
fn ids_may_hold_quotes_sql_escapes_and_digits() {
    let schema = schema();
    let mut batch = Batch::new(&schema);
    for (written, meant) in [
        (r#""'; DROP TABLE x; --""#, "'; DROP TABLE x; --"),
        (r#""\u00e9\"""#, "é\""),
        ("17", "17"),
    ] {
        let item = with(r#""t-1""#, written);
        let mut batch_of_one = Batch::new(&schema);
        batch_of_one.read(item.as_bytes(), ORIGIN, now()).unwrap();
        assert_eq!(batch_of_one.transaction_id(0), meant);
    }
    assert!(batch.is_empty());
    batch.read(GOOD.as_bytes(), ORIGIN, now()).unwrap();
}

#[test]
fn text_that_is_no_json_object_is_refused() {
    assert_eq!(
        refusal(b"  "),
        "record is empty: expected one JSON object, or several on lines of their own"
    );
    assert_eq!(
        refusal(b"{\"a\":\"\xff\"}"),
        "not UTF-8 from byte 6 on: transactions are JSON in UTF-8"
    );
    for item in [
        "hello",
        "[1]",
        "\"secret\"",
        "{",
        "{\"a\":}",
        "{} {}",
        "{\"amount\":NaN}",
        "{\"amount\":1e999}",
    ] {
        let error = refusal(item.as_bytes());
        assert!(error.starts_with("not a JSON object: "), "{item}: {error}");
        assert!(!error.contains("secret"));
    }
    let deep = format!("{{\"a\":{}1{}}}", "[".repeat(200_000), "]".repeat(200_000));
    assert!(
        refusal(deep.as_bytes()).contains("recursion limit"),
        "{}",
        refusal(deep.as_bytes())
    );
}

#[test]
fn an_error_names_the_field_and_the_expected_value() {
    let long = format!("\"{}\"", "x".repeat(65));
    let wide = format!("\"{}\"", "\u{e9}".repeat(129));
    for (from, to, expected) in [
        (
            r#""transaction_id":"t-1","#,
            "",
            "field `transaction_id`: missing, expected a string of 1 to 64",
        ),
        (
            r#""t-1""#,
            "\"\"",
            "field `transaction_id`: an empty string",
        ),
        (
            r#""t-1""#,
            long.as_str(),
            "field `transaction_id`: a longer string",
        ),
        (
            r#""t-1""#,
            r#""t-1 ""#,
            "field `transaction_id`: a string with blanks at its end",
        ),
        (
            "\"c-1\"",
            "\"  \"",
            "field `customer_id`: a string of blanks",
        ),
        (
            "\"c-1\"",
            wide.as_str(),
            "field `customer_id`: a longer string, expected a string of 1 to 256 bytes",
        ),
        (
            "\"web\"",
            wide.as_str(),
            "field `channel`: a longer string, expected a string of 1 to 256 bytes",
        ),
        (
            r#""t-1""#,
            r#""a\u0000b""#,
            "field `transaction_id`: a string with control characters",
        ),
        (
            r#""t-1""#,
            "1.5",
            "field `transaction_id`: a number, expected a string",
        ),
        (
            "12.5",
            "\"12.5\"",
            "field `amount`: a string, expected a number from 0 to 1e12",
        ),
        ("12.5", "-0.01", "field `amount`: a negative number"),
        ("12.5", "1e300", "field `amount`: a larger number"),
        ("12.5", "null", "field `amount`: null"),
        (
            "12.5",
            "12.5,\"amount\":13",
            "field `amount`: a duplicate field, expected it once",
        ),
        (
            "09:00:00Z",
            "09:00:00",
            "field `occurred_at`: another text, expected an RFC 3339 timestamp with a zone",
        ),
        (
            "09:00:00Z",
            "09:00:00Z[UTC]",
            "field `occurred_at`: another text",
        ),
        (
            "2026-01-31",
            "1969-12-31",
            "field `occurred_at`: a time before 1970",
        ),
        (
            "2026-01-31",
            "2026-02-03",
            "field `occurred_at`: a time after its arrival",
        ),
        ("\"c-1\"", "[]", "field `customer_id`: an array"),
        ("\"c-1\"", "null", "field `customer_id`: null"),
        (
            "41",
            "{}",
            "field `age`: an object, expected a number from -1e30 to 1e30, or null",
        ),
        ("41", "-1e31", "field `age`: a larger number"),
        ("\"web\"", "true", "field `channel`: a boolean"),
    ] {
        let error = refusal(with(from, to).as_bytes());
        assert!(error.starts_with(expected), "{to}: {error}");
    }
}

proptest::proptest! {
    #[test]
    fn no_bytes_make_reading_panic_or_leave_half_a_row(item: Vec<u8>, cut in 0..GOOD.len(), flip: u8) {
        let schema = schema();
        let mut broken = GOOD.as_bytes().to_vec();
        broken[cut] ^= flip;
        let mut batch = Batch::new(&schema);
        for bytes in [&item[..], &broken, &GOOD.as_bytes()[..cut]] {
            let before = batch.len();
            let read = batch.read(bytes, ORIGIN, now()).is_ok();
            proptest::prop_assert_eq!(batch.len(), before + usize::from(read));
            proptest::prop_assert_eq!(batch.entities.len(), batch.len());
            proptest::prop_assert_eq!(batch.numbers.len(), batch.len());
            proptest::prop_assert_eq!(batch.categories.len(), batch.len());
        }
    }
}
