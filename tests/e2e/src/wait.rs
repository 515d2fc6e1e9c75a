//! Waiting for a condition of a deployed system.

use std::time::{Duration, Instant};

use decision::keys;
use local::Local;
use look::audit::{Audit, AuditScope, audit};
use look::lanes::unfinished;
use look::system::System;
use store::Objects as _;

use crate::functions::invoke;

/// How often a waiting test invokes the sweep.
const SWEEP_INTERVAL: Duration = Duration::from_secs(3);

/// Waits for a condition. Fails with the last state after `seconds`.
pub async fn eventually<T>(
    what: &str,
    seconds: u64,
    mut look: impl AsyncFnMut() -> Result<T, String>,
) -> T {
    let deadline = Instant::now() + Duration::from_secs(seconds);
    loop {
        match look().await {
            Ok(found) => return found,
            Err(last) => assert!(
                Instant::now() < deadline,
                "{what}: not in {seconds} s; last seen: {last}"
            ),
        }
        tokio::time::sleep(Duration::from_millis(500)).await; // between looks, not instead of one
    }
}

/// Waits for a condition, and invokes the sweep meanwhile, more often than its schedule does.
pub async fn swept<T>(
    local: &Local,
    what: &str,
    seconds: u64,
    mut look: impl AsyncFnMut() -> Result<T, String>,
) -> T {
    let mut last = Instant::now();
    eventually(what, seconds, async || {
        if last.elapsed() > SWEEP_INTERVAL {
            let _ = invoke(local, "sweep", "{}"); // what it could not do, the next one does
            last = Instant::now();
        }
        look().await
    })
    .await
}

/// An audit that finds every transaction decided and nothing broken. The error has the
/// audit and the unfinished work.
pub async fn clean_audit(system: &System, scope: &AuditScope) -> Result<Audit, String> {
    let found = audit(system, scope, None).await;
    let found = found.map_err(|error| format!("{error:#}"))?;
    if found.is_clean() && found.decided == scope.ids.len() {
        return Ok(found);
    }
    let left = idle(system).await;
    Err(format!("{found:?}; {left:?}"))
}

/// Whether no lane and no ledger object has work. The error names it.
pub async fn idle(system: &System) -> Result<(), String> {
    let left = unfinished(&system.objects).await;
    let left = left.map_err(|error| format!("{error:#}"))?;
    let mut keys = left.entries;
    keys.extend(left.turns.iter().map(ToString::to_string));
    for prefix in [keys::LEDGER, "aws/"] {
        let listed = system.objects.list(prefix).await.unwrap();
        keys.extend(listed.into_iter().map(|object| object.key));
    }
    if keys.is_empty() {
        Ok(())
    } else {
        Err(format!("in progress: {keys:?}"))
    }
}
