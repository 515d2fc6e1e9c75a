use std::fmt;
use std::ops::RangeInclusive;

use jiff::Timestamp;

/// How many ranges a waiting entry may name.
pub const MAX_RANGES: usize = 8;

/// Hours since 1970, the last one included.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct HourRange {
    pub first: i64,
    pub last: i64,
}

impl HourRange {
    /// From the start of the first hour to the end of the last; `None` if the end is no timestamp.
    pub fn times(self) -> Option<RangeInclusive<Timestamp>> {
        let first = Timestamp::from_second(self.first.checked_mul(3_600)?).ok()?;
        let end = Timestamp::from_second(self.last.checked_add(1)?.checked_mul(3_600)?).ok()?;
        Some(first..=end)
    }
}

/// The hours that the rows of a batch span: at most [`MAX_RANGES`] ranges, ascending and apart.
///
/// Statements bound the sort key by them. One row of 1970 among rows of today makes a range of its
/// own, so that the statement does not read everything between.
#[derive(Clone, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct HourRanges(Vec<HourRange>);

impl HourRanges {
    /// The ranges of these timestamps, each rounded outward to its hour.
    pub fn from_timestamps(timestamps: impl IntoIterator<Item = Timestamp>) -> Self {
        let hour = |timestamp: Timestamp| timestamp.as_second().div_euclid(3_600);
        let single = |hour| HourRange {
            first: hour,
            last: hour,
        };
        Self::merged(timestamps.into_iter().map(hour).map(single).collect())
    }

    /// The ranges of several batches together.
    pub fn union<'r>(all: impl IntoIterator<Item = &'r Self>) -> Self {
        Self::merged(
            all.into_iter()
                .flat_map(|ranges| &ranges.0)
                .copied()
                .collect(),
        )
    }

    /// Ascending, apart from each other.
    pub fn ranges(&self) -> &[HourRange] {
        &self.0
    }

    /// Joins ranges that touch, then the nearest ones until at most [`MAX_RANGES`] are left.
    fn merged(mut ranges: Vec<HourRange>) -> Self {
        ranges.sort_unstable();
        let mut apart: Vec<HourRange> = Vec::new();
        for range in ranges {
            match apart.last_mut() {
                Some(before) if range.first <= before.last.saturating_add(1) => {
                    before.last = before.last.max(range.last);
                }
                _ => apart.push(range),
            }
        }
        while apart.len() > MAX_RANGES {
            join_nearest(&mut apart);
        }
        Self(apart)
    }

    /// Reads what [`Display`](fmt::Display) wrote.
    pub(crate) fn parse(text: &str) -> Option<Self> {
        if text.is_empty() {
            return Some(Self::default());
        }
        let ranges: Option<Vec<HourRange>> = text.split('_').map(parse_range).collect();
        Some(Self::merged(ranges?))
    }
}

fn join_nearest(apart: &mut Vec<HourRange>) {
    let gap = |pair: &[HourRange]| match pair {
        [before, after] => after.first.saturating_sub(before.last),
        _ => i64::MAX,
    };
    let nearest = apart
        .windows(2)
        .enumerate()
        .min_by_key(|(_, pair)| gap(pair));
    let Some(index) = nearest.map(|(index, _)| index) else {
        return;
    };
    let after = apart.remove(index + 1);
    if let Some(before) = apart.get_mut(index) {
        before.last = after.last;
    }
}

fn parse_range(text: &str) -> Option<HourRange> {
    let (first, last) = text.split_once('.').unwrap_or((text, text));
    let range = HourRange {
        first: parse_hour(first)?,
        last: parse_hour(last)?,
    };
    (range.first <= range.last).then_some(range)
}

/// `n` marks an hour before 1970: a minus sign separates the parts of a key.
fn parse_hour(text: &str) -> Option<i64> {
    match text.strip_prefix('n') {
        Some(hours) => hours.parse::<u32>().ok().map(|hours| -i64::from(hours)),
        None => text.parse::<u32>().ok().map(i64::from),
    }
}

fn write_hour(f: &mut fmt::Formatter<'_>, hour: i64) -> fmt::Result {
    let sign = if hour < 0 { "n" } else { "" };
    write!(f, "{sign}{}", hour.unsigned_abs())
}

impl fmt::Display for HourRanges {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (place, range) in self.0.iter().enumerate() {
            if place > 0 {
                f.write_str("_")?;
            }
            write_hour(f, range.first)?;
            if range.last != range.first {
                f.write_str(".")?;
                write_hour(f, range.last)?;
            }
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn ranges(texts: &[&str]) -> HourRanges {
        HourRanges::from_timestamps(texts.iter().map(|text| text.parse().unwrap()))
    }

    #[test]
    fn an_old_row_makes_a_range_of_its_own() {
        let found = ranges(&[
            "2026-11-27T10:59:59Z",
            "1970-01-01T00:00:00Z",
            "2026-11-27T11:00:00Z",
            "1969-12-31T22:30:00Z",
        ]);
        assert_eq!(found.to_string(), "n2_0_498826.498827");
    }

    #[test]
    fn a_range_lasts_to_the_end_of_its_last_hour() {
        let at = |text: &str| text.parse::<Timestamp>().unwrap();
        let found = ranges(&["2026-11-27T10:59:59Z", "2026-11-27T11:00:00Z"]);
        let times = found.ranges()[0].times();
        assert_eq!(
            times,
            Some(at("2026-11-27T10:00:00Z")..=at("2026-11-27T12:00:00Z"))
        );
        let beyond = HourRange {
            first: 0,
            last: i64::MAX,
        };
        assert_eq!(beyond.times(), None);
    }

    #[test]
    fn the_nearest_ranges_are_joined_when_there_are_more_than_eight() {
        let of_hours = |hours: &[i64]| {
            let timestamps = hours
                .iter()
                .map(|hour| Timestamp::from_second(hour * 3_600));
            HourRanges::from_timestamps(timestamps.map(Result::unwrap))
        };
        let eight = of_hours(&[0, 10, 20, 30, 40, 50, 60, 63]);
        assert_eq!(eight.to_string(), "0_10_20_30_40_50_60_63");
        let nine = of_hours(&[0, 10, 20, 30, 40, 50, 60, 63, 80]);
        assert_eq!(nine.to_string(), "0_10_20_30_40_50_60.63_80");
        let both = HourRanges::union([&of_hours(&[0, 5]), &of_hours(&[1, 9])]);
        assert_eq!(both.to_string(), "0.1_5_9");
    }

    proptest! {
        #[test]
        fn every_hour_is_covered_by_at_most_eight_ranges(hours in prop::collection::vec(-1_000i64..1_000, 0..40)) {
            let timestamps = hours.iter().map(|hour| Timestamp::from_second(hour * 3_600 + 1_800).unwrap());
            let found = HourRanges::from_timestamps(timestamps);
            prop_assert!(found.ranges().len() <= MAX_RANGES);
            let covered = |hour: &i64| found.ranges().iter().any(|r| (r.first..=r.last).contains(hour));
            prop_assert!(hours.iter().all(covered));
            prop_assert_eq!(HourRanges::parse(&found.to_string()), Some(found));
        }
    }
}
