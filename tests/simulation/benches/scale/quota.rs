//! The quotas of the Data API, which AWS does not raise.

use std::collections::VecDeque;
use std::time::Duration;

const SECOND: Duration = Duration::from_secs(1);
/// How many statements may be active.
const ACTIVE: usize = 500;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Operation {
    Execute,
    BatchExecute,
    Describe,
    GetResult,
    Cancel,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Admission {
    Accepted,
    Throttled,
}

/// The calls of one operation.
#[derive(Clone, Debug)]
pub(crate) struct Calls {
    /// The most in a second.
    quota: usize,
    /// When the calls of the last second were accepted.
    recent: VecDeque<Duration>,
    /// The most in any second.
    pub(crate) peak: usize,
    pub(crate) accepted: u64,
}

#[derive(Clone, Debug)]
pub(crate) struct Quotas {
    pub(crate) execute: Calls,
    pub(crate) batch_execute: Calls,
    pub(crate) describe: Calls,
    pub(crate) results: Calls,
    /// Calls that were refused.
    pub(crate) throttled: u64,
}

impl Default for Quotas {
    fn default() -> Self {
        Self {
            execute: Calls::new(30),
            batch_execute: Calls::new(20),
            describe: Calls::new(100),
            results: Calls::new(20),
            throttled: 0,
        }
    }
}

impl Quotas {
    pub(crate) const fn submissions(&self) -> u64 {
        self.execute.accepted + self.batch_execute.accepted
    }

    /// Counts a call at `now`, if the quotas allow it beside so many active statements.
    pub(crate) fn admit(
        &mut self,
        operation: Operation,
        active: usize,
        now: Duration,
    ) -> Admission {
        let is_submission = matches!(operation, Operation::Execute | Operation::BatchExecute);
        let calls = match operation {
            Operation::Execute => &mut self.execute,
            Operation::BatchExecute => &mut self.batch_execute,
            Operation::Describe => &mut self.describe,
            Operation::GetResult => &mut self.results,
            Operation::Cancel => return Admission::Accepted,
        };
        let is_full = is_submission && active >= ACTIVE;
        if is_full || !calls.admits(now) {
            self.throttled += 1;
            return Admission::Throttled;
        }
        Admission::Accepted
    }
}

impl Calls {
    fn new(quota: usize) -> Self {
        Self {
            quota,
            recent: VecDeque::new(),
            peak: 0,
            accepted: 0,
        }
    }

    fn admits(&mut self, now: Duration) -> bool {
        while self
            .recent
            .front()
            .is_some_and(|first| now.saturating_sub(*first) >= SECOND)
        {
            self.recent.pop_front();
        }
        if self.recent.len() >= self.quota {
            return false;
        }
        self.recent.push_back(now);
        self.peak = self.peak.max(self.recent.len());
        self.accepted += 1;
        true
    }
}
