//! Quotas on calls: how many calls of an operation are accepted within one second.

use std::collections::{HashMap, VecDeque};
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

const PERIOD: Duration = Duration::from_secs(1);

/// An operation with a quota of its own.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(crate) enum Operation {
    Execute,
    BatchExecute,
    Describe,
    GetResult,
    /// GetStatementResultV2, which has the quota of GetStatementResult.
    GetResultV2,
    Cancel,
    List,
}

impl Operation {
    /// `name` is the name in the API, such as `ExecuteStatement`.
    pub(crate) fn from_name(name: &str) -> Option<Self> {
        Some(match name {
            "ExecuteStatement" => Self::Execute,
            "BatchExecuteStatement" => Self::BatchExecute,
            "DescribeStatement" => Self::Describe,
            "GetStatementResult" => Self::GetResult,
            "GetStatementResultV2" => Self::GetResultV2,
            "CancelStatement" => Self::Cancel,
            "ListStatements" => Self::List,
            _ => return None,
        })
    }
}

/// Calls per second. The defaults are those of an AWS account in one region.
#[derive(Clone, Copy, Debug)]
pub struct Rates {
    pub execute: usize,
    pub batch_execute: usize,
    pub describe: usize,
    /// GetStatementResult and GetStatementResultV2 together.
    pub get_result: usize,
    pub cancel: usize,
    pub list: usize,
}

impl Default for Rates {
    fn default() -> Self {
        Self {
            execute: 30,
            batch_execute: 20,
            describe: 100,
            get_result: 20,
            cancel: 3,
            list: 3,
        }
    }
}

impl Rates {
    const fn of(&self, operation: Operation) -> usize {
        match operation {
            Operation::Execute => self.execute,
            Operation::BatchExecute => self.batch_execute,
            Operation::Describe => self.describe,
            Operation::GetResult | Operation::GetResultV2 => self.get_result,
            Operation::Cancel => self.cancel,
            Operation::List => self.list,
        }
    }
}

/// Counts the calls of the last second.
#[derive(Debug)]
pub(crate) struct Limiter {
    rates: Rates,
    recent: Mutex<HashMap<Operation, VecDeque<Instant>>>,
}

impl Limiter {
    pub(crate) fn new(rates: Rates) -> Self {
        Self {
            rates,
            recent: Mutex::default(),
        }
    }

    /// Counts a call, unless it exceeds the quota. A refused call does not count.
    pub(crate) fn accepts(&self, operation: Operation, now: Instant) -> bool {
        let counted = match operation {
            Operation::GetResultV2 => Operation::GetResult,
            other => other,
        };
        let mut recent = self.recent.lock().unwrap_or_else(PoisonError::into_inner);
        let calls = recent.entry(counted).or_default();
        let is_old = |at: &Instant| now.duration_since(*at) >= PERIOD;
        while calls.front().is_some_and(is_old) {
            calls.pop_front();
        }
        if calls.len() >= self.rates.of(operation) {
            return false;
        }
        calls.push_back(now);
        true
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_operation_has_a_quota_per_second() {
        let limiter = Limiter::new(Rates {
            execute: 2,
            get_result: 1,
            ..Rates::default()
        });
        let start = Instant::now();
        let accepted =
            |operation, millis| limiter.accepts(operation, start + Duration::from_millis(millis));
        assert!(accepted(Operation::Execute, 0));
        assert!(accepted(Operation::Execute, 400));
        assert!(!accepted(Operation::Execute, 999));
        assert!(accepted(Operation::BatchExecute, 999));
        assert!(accepted(Operation::Execute, 1_000));
        assert!(!accepted(Operation::Execute, 1_399));
        assert!(accepted(Operation::Execute, 1_400));
        assert!(accepted(Operation::GetResult, 1_400));
        assert!(!accepted(Operation::GetResultV2, 1_400));
    }
}
