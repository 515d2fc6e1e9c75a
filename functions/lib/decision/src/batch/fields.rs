//! The fields of one transaction: found in its JSON and checked.

use std::borrow::Cow;
use std::fmt;

use jiff::{SignedDuration, Timestamp};
use serde::de::{DeserializeSeed, Deserializer, MapAccess, Visitor};

use crate::schema::REQUIRED;
use crate::value::{Key, Value};
use crate::{ReadError, Schema};

const MAX_ID_CHARS: usize = 64;
/// The warehouse limits text columns in bytes, and one value that is too long fails a whole COPY.
const MAX_TEXT_BYTES: usize = 256;
/// A larger amount is a mistake in any currency, and sums of squares would lose digits.
const MAX_AMOUNT: f64 = 1e12;
/// Far above real values. The square, and sums of squares, are still finite.
const MAX_NUMBER: f64 = 1e30;
/// A clock may be wrong by a time zone. A time more than a day after the arrival is a mistake.
const MAX_AHEAD: SignedDuration = SignedDuration::from_hours(24);

/// A transaction's id: 1 to 64 printable characters.
pub(super) fn id(value: Option<Value<'_>>) -> Result<Cow<'_, str>, ReadError> {
    const FIELD: &str = "transaction_id";
    const EXPECTED: &str = "a string of 1 to 64 printable characters";
    let id = checked_text(FIELD, value, EXPECTED)?;
    // The warehouse compares without them, and a producer would not find its id in the decision.
    if id.ends_with(' ') {
        return Err(wrong(FIELD, "a string with blanks at its end", EXPECTED));
    }
    // A string has at most as many characters as bytes, so most ids need no counting.
    if id.len() > MAX_ID_CHARS && id.chars().count() > MAX_ID_CHARS {
        return Err(wrong(FIELD, "a longer string", EXPECTED));
    }
    Ok(id)
}

pub(super) fn wrong(field: &str, found: &'static str, expected: &'static str) -> ReadError {
    ReadError::Field {
        field: field.to_owned(),
        expected,
        found,
    }
}

/// A text of at most 256 bytes, without the blanks at its end: the warehouse compares without them.
pub(super) fn text<'a>(
    field: &str,
    value: Option<Value<'a>>,
    expected: &'static str,
) -> Result<Cow<'a, str>, ReadError> {
    let text = match checked_text(field, value, expected)? {
        Cow::Borrowed(text) => Cow::Borrowed(text.trim_end_matches(' ')),
        Cow::Owned(mut text) => {
            text.truncate(text.trim_end_matches(' ').len());
            Cow::Owned(text)
        }
    };
    match text.is_empty() {
        true => Err(wrong(field, "a string of blanks", expected)),
        false => Ok(text),
    }
}

/// A text of at most 256 bytes. That is also the most that 64 characters can have.
fn checked_text<'a>(
    field: &str,
    value: Option<Value<'a>>,
    expected: &'static str,
) -> Result<Cow<'a, str>, ReadError> {
    let text = match value {
        Some(Value::Text(text)) => text,
        // Many systems use numbers as ids. Their digits are the id.
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

pub(super) fn optional_text<'a>(
    field: &str,
    value: Option<Value<'a>>,
) -> Result<Option<Cow<'a, str>>, ReadError> {
    match value {
        None | Some(Value::Null) => Ok(None),
        some => text(
            field,
            some,
            "a string of 1 to 256 bytes, all of them printable, or null",
        )
        .map(Some),
    }
}

pub(super) fn optional_number(field: &str, value: Option<Value<'_>>) -> Result<f64, ReadError> {
    const EXPECTED: &str = "a number from -1e30 to 1e30, or null";
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

pub(super) fn amount(value: Option<Value<'_>>) -> Result<f64, ReadError> {
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

pub(super) fn timestamp(
    value: Option<Value<'_>>,
    arrived_at: Timestamp,
) -> Result<Timestamp, ReadError> {
    const FIELD: &str = "occurred_at";
    const EXPECTED: &str = "an RFC 3339 timestamp with a zone, such as 2026-01-31T09:00:00Z";
    let text = match value {
        Some(Value::Text(text)) => text,
        Some(other) => return Err(wrong(FIELD, other.kind(), EXPECTED)),
        None => return Err(wrong(FIELD, "missing", EXPECTED)),
    };
    // The parser also accepts zone names in brackets, which RFC 3339 does not have.
    let timestamp: Timestamp = match text.parse() {
        Ok(timestamp) if !text.contains('[') => timestamp,
        _ => return Err(wrong(FIELD, "another text", EXPECTED)),
    };
    if timestamp < Timestamp::UNIX_EPOCH {
        return Err(wrong(FIELD, "a time before 1970", EXPECTED));
    }
    if timestamp.duration_since(arrived_at) > MAX_AHEAD {
        return Err(wrong(
            FIELD,
            "a time after its arrival",
            "a time at most 24 hours after the record's arrival",
        ));
    }
    Ok(micros(timestamp))
}

/// The timestamp truncated to microseconds: the warehouse keeps no more digits.
pub fn micros(timestamp: Timestamp) -> Timestamp {
    Timestamp::from_microsecond(timestamp.as_microsecond()).unwrap_or(timestamp)
}

/// Fills a slot for each field of the schema and skips all other fields.
pub(super) struct Fields<'s, 'a> {
    pub(super) schema: &'a Schema,
    pub(super) slots: &'s mut [Option<Value<'a>>],
    /// A field that appears twice.
    pub(super) duplicate: &'s mut Option<&'a str>,
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
                *self.duplicate = Some(name);
            }
        }
        Ok(())
    }
}
