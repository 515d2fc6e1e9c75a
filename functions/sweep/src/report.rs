use std::ops::AddAssign;

use confirm::SettleReport;
use serde::Serialize;

use crate::Error;

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize)]
pub struct SweepReport {
    /// Turns that the events had left unfinished.
    pub resumed: usize,
    /// The resumed turns that ended in this sweep.
    pub ended: usize,
    /// Turns that this sweep started.
    pub started: usize,
    /// Batches with a waiting entry that was written again.
    pub recovered: usize,
    /// Lanes with an entry that waits for too long.
    pub standing_still: usize,
    pub deleted_turns: usize,
    /// Failed steps of this sweep. The log has their errors.
    pub failed: usize,
    #[serde(flatten)]
    pub settled: SettleReport,
}

impl AddAssign for SweepReport {
    fn add_assign(&mut self, other: Self) {
        self.resumed += other.resumed;
        self.ended += other.ended;
        self.started += other.started;
        self.recovered += other.recovered;
        self.standing_still += other.standing_still;
        self.deleted_turns += other.deleted_turns;
        self.failed += other.failed;
        self.settled += other.settled;
    }
}

impl SweepReport {
    /// Fails if a person should look at the result.
    pub(crate) fn checked(self) -> Result<Self, Error> {
        let failed = self.failed + self.settled.damaged;
        if failed == 0 {
            return Ok(self);
        }
        Err(Error::Incomplete { failed })
    }
}
