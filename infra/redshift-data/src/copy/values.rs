//! Checks the values of a row before PostgreSQL reads them, because a value that PostgreSQL
//! refuses ends the whole COPY.

use jiff::Timestamp;
use jiff::civil::{Date, DateTime};

use super::refused::Refusal;
use super::sink::Column;

/// Checks a value that is not NULL. Types that are not listed are left to PostgreSQL.
pub(super) fn check(column: &Column, value: &str) -> Result<(), Refusal> {
    if value.contains('\0') {
        return Err(Refusal::of_codepoint());
    }
    let trimmed = value.trim();
    match column.kind() {
        "int2" => integer(trimmed, i64::from(i16::MIN), i64::from(i16::MAX)),
        "int4" => integer(trimmed, i64::from(i32::MIN), i64::from(i32::MAX)),
        "int8" => integer(trimmed, i64::MIN, i64::MAX),
        "float4" => float(trimmed, trimmed.parse::<f32>().ok().map(f64::from)),
        "float8" => float(trimmed, trimmed.parse::<f64>().ok()),
        "numeric" => decimal(trimmed, column.whole_digits()),
        "bool" => boolean(trimmed),
        "date" => date(trimmed),
        "timestamp" | "timestamptz" => timestamp(trimmed),
        "jsonb" => json(value),
        _ => Ok(()),
    }
}

fn integer(text: &str, least: i64, most: i64) -> Result<(), Refusal> {
    let digits = text.strip_prefix(['-', '+']).unwrap_or(text);
    if let Some(at) = digits.bytes().position(|byte| !byte.is_ascii_digit()) {
        let position = text.len() - digits.len() + at;
        return Err(Refusal::new(1207, "Invalid digit, Type: Integer").at(position));
    }
    if digits.is_empty() {
        return Err(Refusal::new(1207, "Invalid digit, Type: Integer"));
    }
    let fits = text
        .parse::<i64>()
        .is_ok_and(|number| (least..=most).contains(&number));
    if fits {
        Ok(())
    } else {
        Err(Refusal::new(1222, "Overflow, Type: Integer"))
    }
}

fn float(text: &str, number: Option<f64>) -> Result<(), Refusal> {
    let number = number.ok_or_else(|| Refusal::new(1208, "Invalid float format or value"))?;
    let mantissa = text.split(['e', 'E']).next().unwrap_or_default();
    let overflows = number.is_infinite() && text.bytes().any(|byte| byte.is_ascii_digit());
    let underflows = number == 0.0 && mantissa.bytes().any(|byte| matches!(byte, b'1'..=b'9'));
    if overflows || underflows {
        return Err(Refusal::new(1208, "Float value out of range"));
    }
    Ok(())
}

/// `whole` is the number of digits before the decimal point, if it is limited.
fn decimal(text: &str, whole: Option<usize>) -> Result<(), Refusal> {
    let invalid = || Refusal::new(1209, "Invalid decimal format or value");
    let unsigned = text.strip_prefix(['-', '+']).unwrap_or(text);
    let mut parts = unsigned.splitn(2, ['e', 'E']);
    let mantissa = parts.next().unwrap_or_default();
    let exponent = parts.next();
    let mut digits = mantissa.splitn(2, '.');
    let before = digits.next().unwrap_or_default();
    let after = digits.next().unwrap_or_default();
    let all_digits = before
        .bytes()
        .chain(after.bytes())
        .all(|b| b.is_ascii_digit());
    let exponent_fits = exponent.is_none_or(|text| text.parse::<i16>().is_ok());
    if !all_digits || before.len() + after.len() == 0 || !exponent_fits {
        return Err(invalid());
    }
    let used = before.trim_start_matches('0').len();
    if exponent.is_none() && whole.is_some_and(|whole| used > whole) {
        return Err(Refusal::new(1209, "Decimal overflow"));
    }
    Ok(())
}

fn boolean(text: &str) -> Result<(), Refusal> {
    let known = ["t", "f", "true", "false", "yes", "no", "y", "n", "1", "0"];
    if known.iter().any(|word| text.eq_ignore_ascii_case(word)) {
        Ok(())
    } else {
        Err(Refusal::new(1210, "Unknown boolean format"))
    }
}

fn date(text: &str) -> Result<(), Refusal> {
    if text.parse::<Date>().is_ok() {
        Ok(())
    } else {
        Err(Refusal::new(1205, "Invalid Date Format"))
    }
}

/// Accepts RFC 3339 with a space or a `T`, with or without an offset, and a date alone.
fn timestamp(text: &str) -> Result<(), Refusal> {
    let known = text.parse::<Timestamp>().is_ok()
        || text.parse::<DateTime>().is_ok()
        || text.parse::<Date>().is_ok();
    if known {
        Ok(())
    } else {
        Err(Refusal::new(1206, "Invalid timestamp format or value"))
    }
}

fn json(text: &str) -> Result<(), Refusal> {
    if text.contains("\\u0000") {
        return Err(Refusal::of_codepoint());
    }
    match serde_json::from_str::<serde::de::IgnoredAny>(text) {
        Ok(_) => Ok(()),
        Err(_) => Err(Refusal::new(1224, "Invalid JSON format")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn code(kind: &str, value: &str) -> Option<i32> {
        let column = Column::for_test(kind);
        check(&column, value).err().map(|refusal| refusal.code)
    }

    #[test]
    fn values_that_their_type_cannot_hold_are_refused_by_code() {
        let cases = [
            ("int4", "2147483647", None),
            ("int4", " -7 ", None),
            ("int4", "2147483648", Some(1222)),
            ("int2", "1.5", Some(1207)),
            ("int8", "", Some(1207)),
            ("int8", "99999999999999999999", Some(1222)),
            ("float8", "1e-3", None),
            ("float8", "infinity", None),
            ("float8", "1e999", Some(1208)),
            ("float8", "1e-999", Some(1208)),
            ("float8", "0e5", None),
            ("float4", "1e39", Some(1208)),
            ("float8", "true", Some(1208)),
            ("numeric", "12.345", None),
            ("numeric", "1e3", None),
            ("numeric", "1.2.3", Some(1209)),
            ("numeric", "-", Some(1209)),
            ("numeric", "1234567.1", Some(1209)),
            ("bool", "TRUE", None),
            ("bool", "2", Some(1210)),
            ("date", "2026-01-31", None),
            ("date", "2026-02-30", Some(1205)),
            ("timestamptz", "2026-01-02T03:04:05.5Z", None),
            ("timestamptz", "2026-01-02 03:04:05+00", None),
            ("timestamp", "2026-01-02 03:04:05", None),
            ("timestamp", "2026-01-02", None),
            ("timestamptz", "2026-01-02T25:04:05Z", Some(1206)),
            ("timestamptz", "yesterday", Some(1206)),
            ("jsonb", "{\"a\":[1]}", None),
            ("jsonb", "{\"a\":", Some(1224)),
            ("jsonb", "\"\\u0000\"", Some(1220)),
            ("text", "a\0b", Some(1220)),
            ("bytea", "anything", None),
        ];
        for (kind, value, expected) in cases {
            assert_eq!(code(kind, value), expected, "{kind} {value}");
        }
    }
}
