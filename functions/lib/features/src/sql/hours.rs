//! Literal bounds of the sort key. Redshift skips the blocks outside of them; it skips none by a
//! bound that it computes.

use std::ops::RangeInclusive;

use jiff::{SignedDuration, Timestamp};

const HOUR: i64 = 3_600;
/// Ranges that are closer than this become one.
const GAP: SignedDuration = SignedDuration::from_hours(24);

/// A few disjoint ranges of whole hours, in ascending order.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Hours(Vec<RangeInclusive<Timestamp>>);

impl Hours {
    /// Covers these ranges, rounded outward to the hour. Ranges more than a day apart stay apart, so
    /// that one transaction of 1970 does not make a statement read everything.
    pub(super) fn covering(ranges: impl IntoIterator<Item = RangeInclusive<Timestamp>>) -> Self {
        let mut sorted: Vec<RangeInclusive<Timestamp>> =
            ranges.into_iter().map(|range| rounded(&range)).collect();
        sorted.sort_by_key(|range| *range.start());
        let mut merged: Vec<RangeInclusive<Timestamp>> = Vec::new();
        for range in sorted {
            match merged.last_mut() {
                Some(last) if range.start().duration_since(*last.end()) <= GAP => {
                    let end = *last.end().max(range.end());
                    *last = *last.start()..=end;
                }
                _ => merged.push(range),
            }
        }
        Self(merged)
    }

    pub(super) fn ranges(&self) -> &[RangeInclusive<Timestamp>] {
        &self.0
    }
}

/// A duration before a timestamp.
pub(super) fn back(from: Timestamp, duration: SignedDuration) -> Timestamp {
    from.saturating_sub(duration).unwrap_or(from)
}

fn rounded(range: &RangeInclusive<Timestamp>) -> RangeInclusive<Timestamp> {
    let after = SignedDuration::from_secs(HOUR);
    let end = hour_start(*range.end()).checked_add(after);
    hour_start(*range.start())..=end.unwrap_or(Timestamp::MAX)
}

/// The start of the hour that contains the timestamp.
pub(super) fn hour_start(timestamp: Timestamp) -> Timestamp {
    let second = timestamp.as_second().div_euclid(HOUR) * HOUR;
    Timestamp::from_second(second).unwrap_or(Timestamp::MIN)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn range(from: &str, to: &str) -> RangeInclusive<Timestamp> {
        from.parse().unwrap()..=to.parse().unwrap()
    }

    #[test]
    fn close_ranges_become_one_and_distant_ones_stay_apart() {
        let hours = Hours::covering([
            range("2026-01-03T10:30:00Z", "2026-01-03T11:00:00Z"),
            range("2026-01-02T10:59:59Z", "2026-01-02T11:30:00Z"),
            range("1970-01-01T00:00:00Z", "1970-01-01T00:00:00Z"),
        ]);
        let expected = [
            range("1970-01-01T00:00:00Z", "1970-01-01T01:00:00Z"),
            range("2026-01-02T10:00:00Z", "2026-01-03T12:00:00Z"),
        ];
        assert_eq!(hours.ranges(), expected);
    }
}
