//! Durations as `bundle.toml` writes them: `30s`, `10m`, `1h`, `7d`.

use jiff::SignedDuration;

use super::error::{DefinitionError, invalid_setting};

/// Ten years. A longer duration is a typing error, and would overflow SQL intervals.
const MAX_SECONDS: i64 = 3660 * 86_400;

/// Whole seconds above 0 and up to [`MAX_SECONDS`]; `None` for any other text.
pub(super) fn parse_duration(text: &str) -> Option<SignedDuration> {
    let (number, unit) = text.split_at_checked(text.len().checked_sub(1)?)?;
    let unit_seconds = match unit {
        "s" => 1,
        "m" => 60,
        "h" => 3_600,
        "d" => 86_400,
        _ => return None,
    };
    let number: u32 = number.parse().ok()?;
    let seconds = i64::from(number).checked_mul(unit_seconds)?;
    (1..=MAX_SECONDS)
        .contains(&seconds)
        .then(|| SignedDuration::from_secs(seconds))
}

pub(super) fn duration_setting(
    name: &'static str,
    text: &str,
) -> Result<SignedDuration, DefinitionError> {
    parse_duration(text).ok_or_else(|| {
        let why = format!("found `{text}`, expected a duration such as 30s, 10m, 1h or 7d");
        invalid_setting(name, &why)
    })
}
