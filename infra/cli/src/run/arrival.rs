//! Waits until rows have arrived in the warehouse.

use std::time::{Duration, Instant};

use anyhow::{Result, bail};
use local::Local;

use super::invoke::invoke_sweep;
use crate::lanes::unfinished;
use crate::system::System;

/// How long to wait for the history to reach the warehouse, and for all final decisions.
pub(super) const PATIENCE: Duration = Duration::from_secs(240);
/// The pause between two checks of a condition.
pub(super) const PAUSE: Duration = Duration::from_millis(500);
/// How often a sweep starts loads that nothing else starts: batches without holds, and outcomes.
const SWEEP_EVERY: Duration = Duration::from_secs(5);
/// Counts the live transactions in the warehouse.
pub(super) const DECIDED: &str = "SELECT COUNT(*) FROM transactions WHERE decision_id IS NOT NULL";
pub(super) const REPORTS: &str = "SELECT COUNT(*) FROM fraud_reports";

/// Waits for the loads of a system.
#[derive(Clone, Copy)]
pub(super) struct Arrivals<'a> {
    pub(super) local: &'a Local,
    pub(super) system: &'a System,
}

impl Arrivals<'_> {
    /// Waits until a count in the warehouse has reached `expected`.
    pub(super) async fn wait_for(self, sql: &str, expected: usize) -> Result<()> {
        let mut sweeps = Sweeps::new(self.local);
        loop {
            let count = self.system.count(sql).await?;
            if count >= expected as u64 {
                return Ok(());
            }
            if sweeps.is_over() {
                bail!(
                    "{sql}: {count} of {expected} rows after {} s: the logs of load and sweep \
                     say why",
                    PATIENCE.as_secs()
                );
            }
            sweeps.pause().await;
        }
    }

    /// Waits until no entry waits and no turn runs.
    pub(super) async fn wait_for_lanes(self) -> Result<()> {
        let mut sweeps = Sweeps::new(self.local);
        loop {
            let left = unfinished(&self.system.objects).await?;
            if left.is_empty() {
                return Ok(());
            }
            if sweeps.is_over() {
                bail!(
                    "{} waiting entries and {} turns are unfinished after {} s: the logs of load, \
                     confirm and sweep say why",
                    left.entries.len(),
                    left.turns.len(),
                    PATIENCE.as_secs()
                );
            }
            sweeps.pause().await;
        }
    }
}

/// Pauses of a wait, with a sweep from time to time.
struct Sweeps<'a> {
    local: &'a Local,
    deadline: Instant,
    next: Instant,
}

impl<'a> Sweeps<'a> {
    fn new(local: &'a Local) -> Self {
        let now = Instant::now();
        Self {
            local,
            deadline: now + PATIENCE,
            next: now + SWEEP_EVERY,
        }
    }

    fn is_over(&self) -> bool {
        Instant::now() > self.deadline
    }

    async fn pause(&mut self) {
        if Instant::now() >= self.next {
            invoke_sweep(self.local).await;
            self.next = Instant::now() + SWEEP_EVERY;
        }
        tokio::time::sleep(PAUSE).await;
    }
}
