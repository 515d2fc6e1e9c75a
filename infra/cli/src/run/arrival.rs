//! Waits until rows have arrived in the warehouse.

use std::time::{Duration, Instant};

use anyhow::{Result, bail};

use crate::system::System;

/// How long to wait for the history to reach the warehouse, and for all final decisions.
pub(super) const PATIENCE: Duration = Duration::from_secs(240);
/// The pause between two checks of a condition.
pub(super) const PAUSE: Duration = Duration::from_millis(500);
/// Counts the live transactions in the warehouse.
pub(super) const DECIDED: &str = "SELECT COUNT(*) FROM transactions WHERE decision_id IS NOT NULL";
pub(super) const REPORTS: &str = "SELECT COUNT(*) FROM fraud_reports";

/// Waits until a count in the warehouse has reached `expected`.
pub(super) async fn arrive(system: &System, sql: &str, expected: usize) -> Result<()> {
    let deadline = Instant::now() + PATIENCE;
    loop {
        let count = system.count(sql).await?;
        if count >= expected as u64 {
            return Ok(());
        }
        if Instant::now() > deadline {
            bail!(
                "{sql}: {count} of {expected} rows after {} s: the log of load says why",
                PATIENCE.as_secs()
            );
        }
        tokio::time::sleep(PAUSE).await;
    }
}
