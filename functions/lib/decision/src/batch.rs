use std::borrow::Cow;
use std::fmt;

use jiff::{SignedDuration, Timestamp};
use serde::de::{DeserializeSeed, Deserializer, MapAccess, Visitor};

use crate::schema::REQUIRED;
use crate::value::{Key, Value};
use crate::{ReadError, Schema};

const MAX_ID_CHARS: usize = 64;
/// The warehouse's columns count bytes, and one value that is too long fails a whole COPY.
const MAX_TEXT_BYTES: usize = 256;
/// Above this an amount is a mistake in any currency, and sums of squares would lose their digits.
const MAX_AMOUNT: f64 = 1e12;
/// Far above what is measured, and its square, and sums of squares, are numbers still.
const MAX_NUMBER: f64 = 1e30;
/// A clock may be wrong by a zone; more than a day ahead of its own arrival is a mistake.
const MAX_AHEAD: SignedDuration = SignedDuration::from_hours(24);

/// Where a transaction came from: the record's place in the event, the item's place in the record.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Origin {
    /// Index of the Kinesis record in its event.
    pub record: u32,
    /// Index of the item within the record; 0 where a record holds one transaction.
    pub item: u32,
}

/// The readable transactions of one batch, as columns.
///
/// Text is borrowed from the records wherever it is written without escapes, so that reading a
/// batch allocates for the batch, not for the transaction. Rows are in the order they were read.
#[derive(Debug)]
pub struct Batch<'a> {
    schema: &'a Schema,
    transaction_ids: Vec<Cow<'a, str>>,
    occurred_at: Vec<Timestamp>,
    amounts: Vec<f64>,
    entities: Vec<Cow<'a, str>>,
    numbers: Vec<f64>,
    categories: Vec<Option<Cow<'a, str>>>,
    raw: Vec<&'a [u8]>,
    origins: Vec<Origin>,
    slots: Vec<Option<Value<'a>>>,
}

impl<'a> Batch<'a> {
    /// An empty batch of transactions of this schema.
    pub fn new(schema: &'a Schema) -> Self {
        Self::with_capacity(schema, 0)
    }

    /// An empty batch with room for `rows` transactions.
    pub fn with_capacity(schema: &'a Schema, rows: usize) -> Self {
        Self {
            schema,
            transaction_ids: Vec::with_capacity(rows),
            occurred_at: Vec::with_capacity(rows),
            amounts: Vec::with_capacity(rows),
            entities: Vec::with_capacity(rows * schema.entities.len()),
            numbers: Vec::with_capacity(rows * schema.numbers.len()),
            categories: Vec::with_capacity(rows * schema.categories.len()),
            raw: Vec::with_capacity(rows),
            origins: Vec::with_capacity(rows),
            slots: Vec::new(),
        }
    }

    /// Reads one item (a JSON object) and appends it as a row. An unreadable item changes nothing.
    pub fn read(
        &mut self,
        item: &'a [u8],
        origin: Origin,
        arrived_at: Timestamp,
    ) -> Result<(), ReadError> {
        let item = item.trim_ascii();
        if item.is_empty() {
            return Err(ReadError::Empty);
        }
        let text = std::str::from_utf8(item).map_err(|e| ReadError::Utf8(e.valid_up_to()))?;
        if !text.starts_with('{') {
            return Err(ReadError::Json("it does not begin with {".to_owned()));
        }
        self.slots.clear();
        self.slots
            .resize(REQUIRED.len() + self.schema.declared().count(), None);
        let mut twice = None;
        let mut json = serde_json::Deserializer::from_str(text);
        Fields {
            schema: self.schema,
            slots: &mut self.slots,
            twice: &mut twice,
        }
        .deserialize(&mut json)
        .and_then(|()| json.end())
        .map_err(|e| ReadError::Json(e.to_string()))?;
        if let Some(field) = twice {
            return Err(wrong(field, "there twice", "once"));
        }
        self.append(item, origin, arrived_at)
    }

    /// Checks what lies in the slots and moves it into the columns.
    fn append(
        &mut self,
        raw: &'a [u8],
        origin: Origin,
        arrived_at: Timestamp,
    ) -> Result<(), ReadError> {
        let schema = self.schema;
        let (rows, entities, numbers, categories) = (
            self.amounts.len(),
            self.entities.len(),
            self.numbers.len(),
            self.categories.len(),
        );
        let mut slots = self.slots.drain(..);
        let mut next = || slots.next().flatten();

        let id = text(
            "transaction_id",
            next(),
            "a string of 1 to 64 printable characters",
        )?;
        // Bytes bound characters from above, so that most ids are not counted.
        if id.len() > MAX_ID_CHARS && id.chars().count() > MAX_ID_CHARS {
            return Err(wrong(
                "transaction_id",
                "a longer string",
                "a string of 1 to 64 printable characters",
            ));
        }
        let occurred_at = moment(next(), arrived_at)?;
        let amount = amount(next())?;
        // The columns grow only by whole rows: whatever a failing field left behind is cut off again.
        let filled = (|| {
            for name in &schema.entities {
                self.entities.push(text(
                    name,
                    next(),
                    "a string of 1 to 256 bytes, all of them printable",
                )?);
            }
            for name in &schema.numbers {
                self.numbers.push(optional_number(name, next())?);
            }
            for name in &schema.categories {
                self.categories.push(optional_text(name, next())?);
            }
            Ok(())
        })();
        drop(slots);
        if let Err(why) = filled {
            self.entities.truncate(entities);
            self.numbers.truncate(numbers);
            self.categories.truncate(categories);
            return Err(why);
        }
        debug_assert_eq!(rows, self.raw.len());
        self.transaction_ids.push(id);
        self.occurred_at.push(occurred_at);
        self.amounts.push(amount);
        self.raw.push(raw);
        self.origins.push(origin);
        Ok(())
    }

    /// The schema that the rows were read with.
    pub fn schema(&self) -> &'a Schema {
        self.schema
    }
    pub fn len(&self) -> usize {
        self.amounts.len()
    }
    /// Whether there is no row.
    pub fn is_empty(&self) -> bool {
        self.amounts.is_empty()
    }
    pub fn amounts(&self) -> &[f64] {
        &self.amounts
    }
    pub fn moments(&self) -> &[Timestamp] {
        &self.occurred_at
    }
}

/// One row. Out of range is a bug of the caller and panics, as slices do.
#[expect(
    clippy::indexing_slicing,
    reason = "the row's index is the caller's promise, as with a slice"
)]
impl Batch<'_> {
    pub fn transaction_id(&self, row: usize) -> &str {
        &self.transaction_ids[row]
    }
    pub fn occurred_at(&self, row: usize) -> Timestamp {
        self.occurred_at[row]
    }
    /// Its amount, finite and not negative.
    pub fn amount(&self, row: usize) -> f64 {
        self.amounts[row]
    }
    pub fn entity(&self, row: usize, index: usize) -> &str {
        &self.entities[row * self.schema.entities.len() + index]
    }
    /// What its decisions are partitioned by: its first entity, or itself where none is declared.
    pub fn partition_key(&self, row: usize) -> &str {
        if self.schema.entities.is_empty() {
            self.transaction_id(row)
        } else {
            self.entity(row, 0)
        }
    }
    /// The `index`-th declared number; NaN where it is missing.
    pub fn number(&self, row: usize, index: usize) -> f64 {
        self.numbers[row * self.schema.numbers.len() + index]
    }
    pub fn category(&self, row: usize, index: usize) -> Option<&str> {
        self.categories[row * self.schema.categories.len() + index].as_deref()
    }
    /// The item's bytes as they came, without surrounding white space.
    pub fn raw(&self, row: usize) -> &[u8] {
        self.raw[row]
    }
    pub fn origin(&self, row: usize) -> Origin {
        self.origins[row]
    }
}

fn wrong(field: &str, found: &'static str, expected: &'static str) -> ReadError {
    ReadError::Field {
        field: field.to_owned(),
        expected,
        found,
    }
}

/// A text of at most 256 bytes, which is what 64 characters have at the most.
fn text<'a>(
    field: &str,
    value: Option<Value<'a>>,
    expected: &'static str,
) -> Result<Cow<'a, str>, ReadError> {
    let text = match value {
        Some(Value::Text(text)) => text,
        // Ids are numbers in many systems; their digits are their name.
        Some(Value::Integer(number)) => Cow::Owned(number.to_string()),
        Some(other) => return Err(wrong(field, other.kind(), expected)),
        None => return Err(wrong(field, "missing", expected)),
    };
    if text.is_empty() {
        return Err(wrong(field, "an empty string", expected));
    }
    if text.len() > MAX_TEXT_BYTES {
        return Err(wrong(field, "a longer string", expected));
    }
    if text.chars().any(char::is_control) {
        return Err(wrong(field, "a string with control characters", expected));
    }
    Ok(text)
}

fn optional_text<'a>(
    field: &str,
    value: Option<Value<'a>>,
) -> Result<Option<Cow<'a, str>>, ReadError> {
    match value {
        None | Some(Value::Null) => Ok(None),
        some => text(
            field,
            some,
            "a string of 1 to 256 bytes, all of them printable, or nothing",
        )
        .map(Some),
    }
}

fn optional_number(field: &str, value: Option<Value<'_>>) -> Result<f64, ReadError> {
    const EXPECTED: &str = "a number from -1e30 to 1e30, or nothing";
    let number = match value {
        None | Some(Value::Null) => return Ok(f64::NAN),
        Some(Value::Number(number)) => number,
        Some(Value::Integer(number)) => number as f64,
        Some(other) => return Err(wrong(field, other.kind(), EXPECTED)),
    };
    if number.abs() <= MAX_NUMBER {
        Ok(number)
    } else {
        Err(wrong(field, "a larger number", EXPECTED))
    }
}

fn amount(value: Option<Value<'_>>) -> Result<f64, ReadError> {
    const EXPECTED: &str = "a number from 0 to 1e12";
    let amount = match value {
        Some(Value::Number(number)) => number,
        Some(Value::Integer(number)) => number as f64,
        Some(other) => return Err(wrong("amount", other.kind(), EXPECTED)),
        None => return Err(wrong("amount", "missing", EXPECTED)),
    };
    if amount < 0.0 {
        return Err(wrong("amount", "a negative number", EXPECTED));
    }
    if amount > MAX_AMOUNT {
        return Err(wrong("amount", "a larger number", EXPECTED));
    }
    Ok(amount)
}

fn moment(value: Option<Value<'_>>, arrived_at: Timestamp) -> Result<Timestamp, ReadError> {
    const FIELD: &str = "occurred_at";
    const EXPECTED: &str = "an RFC 3339 moment with a zone, such as 2026-01-31T09:00:00Z";
    let text = match value {
        Some(Value::Text(text)) => text,
        Some(other) => return Err(wrong(FIELD, other.kind(), EXPECTED)),
        None => return Err(wrong(FIELD, "missing", EXPECTED)),
    };
    // The parser also knows zone names in brackets, which RFC 3339 does not.
    let moment: Timestamp = match text.parse() {
        Ok(moment) if !text.contains('[') => moment,
        _ => return Err(wrong(FIELD, "another text", EXPECTED)),
    };
    if moment < Timestamp::UNIX_EPOCH {
        return Err(wrong(FIELD, "a moment before 1970", EXPECTED));
    }
    if moment.duration_since(arrived_at) > MAX_AHEAD {
        return Err(wrong(
            FIELD,
            "a moment after its arrival",
            "a moment at most 24 hours after the record's arrival",
        ));
    }
    Ok(micros(moment))
}

/// The moment without what is below a microsecond: all that a warehouse reads, and keeps.
pub fn micros(moment: Timestamp) -> Timestamp {
    Timestamp::from_microsecond(moment.as_microsecond()).unwrap_or(moment)
}

/// Fills a slot for each field of the schema and passes over all others.
struct Fields<'s, 'a> {
    schema: &'a Schema,
    slots: &'s mut [Option<Value<'a>>],
    twice: &'s mut Option<&'a str>,
}

impl<'a> DeserializeSeed<'a> for Fields<'_, 'a> {
    type Value = ();
    fn deserialize<D: Deserializer<'a>>(self, deserializer: D) -> Result<(), D::Error> {
        deserializer.deserialize_map(self)
    }
}

impl<'a> Visitor<'a> for Fields<'_, 'a> {
    type Value = ();
    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("an object")
    }
    fn visit_map<A: MapAccess<'a>>(self, mut map: A) -> Result<(), A::Error> {
        while let Some(Key(key)) = map.next_key()? {
            let known = REQUIRED
                .into_iter()
                .chain(self.schema.declared())
                .zip(&mut *self.slots)
                .find(|(n, _)| *n == key);
            let Some((name, slot)) = known else {
                map.next_value::<Value<'a>>()?;
                continue;
            };
            if slot.replace(map.next_value()?).is_some() {
                *self.twice = Some(name);
            }
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
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

    /// What reading `item` says, after a good row that must stay as it is.
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

    #[test]
    fn the_longest_texts_are_as_long_as_the_warehouses_columns() {
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
    fn a_moment_is_read_to_the_microsecond_which_is_all_that_a_warehouse_reads() {
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
    fn what_is_no_json_object_is_refused() {
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
    fn a_field_that_is_not_what_it_should_be_is_named() {
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
                "field `amount`: there twice, expected once",
            ),
            (
                "09:00:00Z",
                "09:00:00",
                "field `occurred_at`: another text, expected an RFC 3339 moment with a zone",
            ),
            (
                "09:00:00Z",
                "09:00:00Z[UTC]",
                "field `occurred_at`: another text",
            ),
            (
                "2026-01-31",
                "1969-12-31",
                "field `occurred_at`: a moment before 1970",
            ),
            (
                "2026-01-31",
                "2026-02-03",
                "field `occurred_at`: a moment after its arrival",
            ),
            ("\"c-1\"", "[]", "field `customer_id`: an array"),
            ("\"c-1\"", "null", "field `customer_id`: null"),
            (
                "41",
                "{}",
                "field `age`: an object, expected a number from -1e30 to 1e30, or nothing",
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
}
