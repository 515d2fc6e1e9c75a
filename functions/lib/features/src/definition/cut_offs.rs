//! When profiles end, and when they become active.

use jiff::{SignedDuration, Timestamp};

use super::duration::duration_setting;
use super::error::{DefinitionError, invalid_setting};

/// The cut-offs of the profiles: one each [`CutOffs::period`], counted from 1970-01-01.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct CutOffs {
    pub period: SignedDuration,
    /// The profiles of a cut-off become active this long after it: the time to compute them. They
    /// have what occurred and arrived up to the cut-off; what arrives later counts from the next
    /// profiles on.
    pub lag: SignedDuration,
}

impl CutOffs {
    pub(super) fn checked(period: &str, lag: &str) -> Result<Self, DefinitionError> {
        let cut_offs = Self {
            period: duration_setting("cut_off", period)?,
            lag: duration_setting("profile_lag", lag)?,
        };
        if cut_offs.lag >= cut_offs.period {
            let why = format!("found `{lag}`, expected less than cut_off, which is `{period}`");
            return Err(invalid_setting("profile_lag", &why));
        }
        Ok(cut_offs)
    }

    /// The last cut-off at or before a timestamp.
    pub fn last(&self, timestamp: Timestamp) -> Timestamp {
        let period = micros(self.period);
        let periods = timestamp.as_microsecond().div_euclid(period);
        Timestamp::from_microsecond(periods.saturating_mul(period)).unwrap_or(timestamp)
    }

    /// When the profiles of a cut-off become active.
    pub fn active_from(&self, cut_off: Timestamp) -> Timestamp {
        cut_off.saturating_add(self.lag).unwrap_or(cut_off)
    }

    /// The cut-off of the profiles that are active when a transaction arrives.
    pub fn of(&self, occurred_at: Timestamp, arrived_at: Timestamp) -> Timestamp {
        let arrival = self.arrival(occurred_at, arrived_at);
        self.last(arrival.saturating_sub(self.lag).unwrap_or(arrival))
    }

    /// The arrival by which profiles are chosen and filled.
    ///
    /// A transaction that arrived a period or more away from its own time was replayed, or a clock
    /// is wrong. It counts as if it had arrived at its own time.
    pub fn arrival(&self, occurred_at: Timestamp, arrived_at: Timestamp) -> Timestamp {
        let late = arrived_at.as_microsecond() - occurred_at.as_microsecond();
        match late.abs() < micros(self.period) {
            true => arrived_at,
            false => occurred_at,
        }
    }
}

fn micros(duration: SignedDuration) -> i64 {
    i64::try_from(duration.as_micros()).unwrap_or(i64::MAX)
}
