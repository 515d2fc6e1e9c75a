//! `current.json`: which version judges a record, by the record's arrival alone.

use std::time::Duration;

use jiff::{SignedDuration, Timestamp};
use serde::{Deserialize, Serialize};

/// How many activations a pointer keeps. It may keep more for [`KEPT_FOR`].
const KEPT: usize = 50;
/// A version that was active within this time stays in the pointer: a failing record is retried for
/// at most a week.
const KEPT_FOR: SignedDuration = SignedDuration::from_hours(24 * 8);

/// The versions of a bundle with their activation times, ascending. Never empty.
///
/// INVARIANT: an added activation lies in the future of every process (see [`Pointer::activate`]),
/// so that no answer of [`Pointer::version_at`] for a past arrival changes.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(into = "Versions", try_from = "Versions")]
pub struct Pointer {
    first: Activation,
    later: Vec<Activation>,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Activation {
    pub version: String,
    /// The version judges the records that arrive from this time on, until the next activation.
    pub active_from: Timestamp,
}

/// The shape of the file.
#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Versions {
    versions: Vec<Activation>,
}

#[derive(Debug, thiserror::Error)]
pub enum PointerError {
    #[error("invalid JSON")]
    Json(#[from] serde_json::Error),
    #[error("activation at {at} refused: expected {earliest} or later")]
    TooEarly { at: Timestamp, earliest: Timestamp },
}

impl Pointer {
    /// The pointer to a bundle's first version. It judges all records, also earlier ones.
    pub fn first(version: &str, active_from: Timestamp) -> Self {
        Self {
            first: Activation::new(version, active_from),
            later: Vec::new(),
        }
    }

    pub fn parse(bytes: &[u8]) -> Result<Self, PointerError> {
        Ok(serde_json::from_slice(bytes)?)
    }

    pub fn to_bytes(&self) -> Result<Vec<u8>, PointerError> {
        Ok(serde_json::to_vec_pretty(self)?)
    }

    /// The version that judges a record with this arrival: the last one that was active then, or
    /// the first version for earlier arrivals.
    pub fn version_at(&self, arrival: Timestamp) -> &str {
        let active = self
            .later
            .partition_point(|activation| activation.active_from <= arrival);
        let last = active.checked_sub(1).and_then(|last| self.later.get(last));
        &last.unwrap_or(&self.first).version
    }

    /// The first activation after this time.
    pub fn next_after(&self, time: Timestamp) -> Option<&Activation> {
        self.activations()
            .find(|activation| activation.active_from > time)
    }

    /// The activation with the latest time.
    pub fn latest(&self) -> &Activation {
        self.later.last().unwrap_or(&self.first)
    }

    /// Ascending by time.
    pub fn activations(&self) -> impl Iterator<Item = &Activation> {
        std::iter::once(&self.first).chain(&self.later)
    }

    /// This pointer with one more activation. Refused if it lies less than `lead` after `now`: a
    /// process may judge by a copy of the pointer that is up to half of `lead` old.
    pub fn activate(
        &self,
        version: &str,
        at: Timestamp,
        now: Timestamp,
        lead: Duration,
    ) -> Result<Self, PointerError> {
        let earliest = now.saturating_add(lead).unwrap_or(Timestamp::MAX);
        if at < earliest {
            return Err(PointerError::TooEarly { at, earliest });
        }
        let mut changed = self.clone();
        if at < changed.first.active_from {
            // The first version stays the first one: it judges all records up to its successor.
            changed.first.active_from = at;
        }
        let place = changed
            .later
            .partition_point(|activation| activation.active_from <= at);
        changed.later.insert(place, Activation::new(version, at));
        changed.forget_before(now);
        Ok(changed)
    }

    /// Removes the oldest activations beyond [`KEPT`] whose successor has been active for
    /// [`KEPT_FOR`].
    fn forget_before(&mut self, now: Timestamp) {
        let since = now.saturating_sub(KEPT_FOR).unwrap_or(Timestamp::MIN);
        let beyond = (self.later.len() + 1).saturating_sub(KEPT);
        let replaced = self
            .later
            .partition_point(|activation| activation.active_from <= since);
        let forgotten = beyond.min(replaced);
        if let Some(first) = self.later.drain(..forgotten).next_back() {
            self.first = first;
        }
    }
}

impl Activation {
    fn new(version: &str, active_from: Timestamp) -> Self {
        Self {
            version: version.to_owned(),
            active_from,
        }
    }
}

impl From<Pointer> for Versions {
    fn from(pointer: Pointer) -> Self {
        Self {
            versions: pointer.activations().cloned().collect(),
        }
    }
}

impl TryFrom<Versions> for Pointer {
    type Error = &'static str;

    fn try_from(file: Versions) -> Result<Self, Self::Error> {
        if !file
            .versions
            .is_sorted_by_key(|version| version.active_from)
        {
            return Err("the versions are not in the order of their activation");
        }
        let mut versions = file.versions.into_iter();
        let first = versions.next().ok_or("it has no version")?;
        Ok(Self {
            first,
            later: versions.collect(),
        })
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const LEAD: Duration = Duration::from_secs(60);

    fn second(second: i64) -> Timestamp {
        Timestamp::from_second(1_700_000_000 + second).unwrap()
    }

    fn versions(pointer: &Pointer) -> Vec<&str> {
        pointer.activations().map(|a| a.version.as_str()).collect()
    }

    #[test]
    fn the_file_is_written_as_it_is_read() {
        let text = r#"{"versions":[{"version":"a","active_from":"2026-11-27T22:00:00Z"},
                                   {"version":"b","active_from":"2026-11-28T00:16:00.25Z"}]}"#;
        let pointer = Pointer::parse(text.as_bytes()).unwrap();
        assert_eq!(versions(&pointer), ["a", "b"]);
        let written = pointer.to_bytes().unwrap();
        assert_eq!(Pointer::parse(&written).unwrap(), pointer);
        let value: serde_json::Value = serde_json::from_str(text).unwrap();
        assert_eq!(serde_json::to_value(&pointer).unwrap(), value);
    }

    #[test]
    fn a_pointer_without_versions_or_out_of_order_is_refused() {
        let later_first = r#"{"versions":[{"version":"a","active_from":"2026-11-28T00:00:00Z"},
                                          {"version":"b","active_from":"2026-11-27T00:00:00Z"}]}"#;
        for text in [
            "{}",
            r#"{"versions":[]}"#,
            r#"{"version":"a"}"#,
            later_first,
        ] {
            assert!(Pointer::parse(text.as_bytes()).is_err(), "{text}");
        }
    }

    #[test]
    fn a_version_judges_from_its_activation_until_the_next() {
        let pointer = Pointer::first("a", second(0));
        let pointer = pointer.activate("b", second(100), second(40), LEAD);
        let pointer = pointer.unwrap();
        for (arrival, version) in [(-500, "a"), (0, "a"), (99, "a"), (100, "b"), (900, "b")] {
            assert_eq!(pointer.version_at(second(arrival)), version, "{arrival}");
        }
        assert_eq!(pointer.next_after(second(99)).unwrap().version, "b");
        assert_eq!(pointer.next_after(second(100)), None);
        assert_eq!(pointer.latest().version, "b");
    }

    #[test]
    fn an_activation_within_the_lead_is_refused() {
        let pointer = Pointer::first("a", second(0));
        let refused = pointer.activate("b", second(99), second(40), LEAD);
        let error = refused.unwrap_err();
        assert!(matches!(error, PointerError::TooEarly { .. }), "{error}");
    }

    #[test]
    fn an_activation_may_precede_one_that_was_added_before() {
        let pointer = Pointer::first("a", second(0));
        let pointer = pointer.activate("c", second(120), second(0), LEAD);
        let pointer = pointer.unwrap();
        let pointer = pointer.activate("b", second(110), second(1), LEAD);
        assert_eq!(versions(&pointer.unwrap()), ["a", "b", "c"]);
    }

    #[test]
    fn old_activations_are_forgotten_but_none_of_the_last_days() {
        const DAY: i64 = 24 * 3600;
        let mut pointer = Pointer::first("0", second(0));
        for day in 1..=100 {
            let now = second(day * DAY);
            let at = now.saturating_add(LEAD).unwrap();
            pointer = pointer.activate(&day.to_string(), at, now, LEAD).unwrap();
        }
        assert_eq!(versions(&pointer).len(), KEPT);
        assert_eq!(versions(&pointer)[0], "51");
        assert_eq!(pointer.version_at(second(0)), "51");

        let mut hourly = Pointer::first("0", second(0));
        for hour in 1..=100 {
            let now = second(hour * 3600);
            let at = now.saturating_add(LEAD).unwrap();
            hourly = hourly.activate(&hour.to_string(), at, now, LEAD).unwrap();
        }
        assert_eq!(versions(&hourly).len(), 101, "all are younger than a week");
    }

    proptest! {
        /// Guarantee 3: a redelivery after any number of activations repeats the decision.
        #[test]
        fn a_later_activation_does_not_change_the_version_of_a_past_arrival(
            steps in prop::collection::vec((0..200_000_i64, 0..100_i64), 1..120),
            arrivals in prop::collection::vec(0..700_000_i64, 1..20),
        ) {
            let mut pointer = Pointer::first("first", second(0));
            let mut now = 0;
            let mut known: Vec<(i64, String)> = Vec::new();
            for (number, (pause, extra)) in steps.into_iter().enumerate() {
                now += pause;
                // What arrived in the last week and may be redelivered.
                for arrival in &arrivals {
                    let arrived = now - arrival;
                    let version = pointer.version_at(second(arrived)).to_owned();
                    known.push((arrived, version));
                }
                let at = second(now + 60 + extra);
                let added = pointer.activate(&number.to_string(), at, second(now), LEAD);
                pointer = added.unwrap();
                known.retain(|(arrived, _)| *arrived >= now - 8 * 24 * 3600);
                for (arrived, version) in &known {
                    prop_assert_eq!(pointer.version_at(second(*arrived)), version);
                }
            }
        }
    }
}
