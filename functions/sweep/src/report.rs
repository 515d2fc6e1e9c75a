use confirm::SettleReport;
use serde::Serialize;

use crate::Error;

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize)]
pub struct SweepReport {
    /// Due ledger entries of holds.
    pub holds: usize,
    /// Due ledger entries of loads.
    pub loads: usize,
    /// Entries that are too young to be due.
    pub young: usize,
    /// Unreadable entries; the log has their keys.
    pub unreadable: usize,
    /// Entries and tables that failed in this sweep; the log has the errors.
    pub failed: usize,
    /// Loads that were found to have succeeded.
    pub loaded: usize,
    /// Loads that failed for good.
    pub given_up: usize,
    /// Loads that were started or submitted again.
    pub begun: usize,
    #[serde(flatten)]
    pub settled: SettleReport,
}

impl SweepReport {
    /// Fails if a person should look at the result.
    pub(crate) fn checked(self) -> Result<Self, Error> {
        let Self {
            failed,
            unreadable,
            given_up,
            ..
        } = self;
        if failed + unreadable + given_up == 0 {
            return Ok(self);
        }
        Err(Error::Incomplete {
            failed,
            unreadable,
            given_up,
        })
    }
}
