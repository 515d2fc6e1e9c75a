use std::str::Split;

use jiff::Timestamp;
use jiff::civil::DateTime;
use jiff::tz::TimeZone;

/// The parts of a key's last segment, which `-` separates.
pub(super) struct KeyParts<'k>(Split<'k, char>);

impl<'k> KeyParts<'k> {
    pub(super) fn new(name: &'k str) -> Self {
        Self(name.split('-'))
    }

    /// The next part, which must not be empty.
    pub(super) fn next(&mut self) -> Option<&'k str> {
        self.0.next().filter(|part| !part.is_empty())
    }

    /// The next part without its tag, which must be there. What follows the tag may be empty.
    pub(super) fn tagged(&mut self, tag: &str) -> Option<&'k str> {
        self.0.next()?.strip_prefix(tag)
    }
}

/// UTC to the millisecond, such as `20261127T164937.123Z`: keys sort by it.
pub(super) fn key_time(timestamp: Timestamp) -> String {
    let time = TimeZone::UTC.to_datetime(timestamp);
    let millisecond = time.subsec_nanosecond() / 1_000_000;
    format!("{}.{millisecond:03}Z", time.strftime("%Y%m%dT%H%M%S"))
}

/// Reads what [`key_time`] wrote.
pub(super) fn parse_key_time(text: &str) -> Option<Timestamp> {
    let time = DateTime::strptime("%Y%m%dT%H%M%S%.fZ", text).ok()?;
    TimeZone::UTC.to_timestamp(time).ok()
}
