use jiff::{SignedDuration, Timestamp};

/// The features of one look.
#[derive(Clone, Debug, PartialEq)]
pub struct Look {
    /// The columns of the look's matrix, in order, as indexes into
    /// [`super::Definition::features`].
    pub features: Vec<usize>,
    /// Only for a look that reads profiles: the time from one cut-off to the next, counted from
    /// 1970-01-01. The look's windows then end at the last cut-off before the transaction instead
    /// of at the transaction.
    pub cut_off: Option<SignedDuration>,
}

impl Look {
    /// Where the windows of a transaction end, before their delays: at the last cut-off before it,
    /// or at the transaction itself for a look without cut-offs.
    pub fn window_end(&self, occurred_at: Timestamp) -> Timestamp {
        // A transaction exactly at a cut-off is already part of that cut-off's profiles, so it
        // takes the one before. The warehouse's smallest step is a microsecond.
        let just_before = occurred_at
            .saturating_sub(SignedDuration::from_micros(1))
            .unwrap_or_default();
        self.last_cut_off(just_before).unwrap_or(occurred_at)
    }

    /// The last cut-off at or before `timestamp`; `None` for a look without cut-offs.
    pub fn last_cut_off(&self, timestamp: Timestamp) -> Option<Timestamp> {
        let period = i64::try_from(self.cut_off?.as_micros()).unwrap_or(i64::MAX);
        let periods = timestamp.as_microsecond().div_euclid(period);
        Timestamp::from_microsecond(periods.saturating_mul(period)).ok()
    }
}
