//! The warehouse dies in the middle of its statements and comes back.

use e2e::stand_in::{set_faults, statements};
use e2e::traffic::Traffic;
use e2e::wait::{clean_audit, eventually, idle, swept};
use local::Local;
use look::system::System;
use serde_json::json;

/// The stand-in is killed while a load runs, while evidence is computed, and when evidence was
/// computed and not read yet. Its statements and results are lost.
pub(crate) async fn of_the_stand_in(local: &mut Local, system: &System, sent: &mut Traffic) {
    for (name, lane) in [("load", "transactions/"), ("evidence", "evidence-")] {
        let prefix = format!("second-look/{lane}");
        let slow = json!({ "slow_ms": 4_000, "name_prefix": prefix });
        set_faults(local, &slow);
        let traffic = Traffic::usual(name, 200);
        traffic.publish(system).await;
        let running = || statements(local, &prefix, "STARTED");
        swept(local, "a statement runs", 60, async || some(running()?)).await;
        local.kill_stand_in().unwrap();
        local.start_stand_in().unwrap();
        sent.extend(traffic);
    }
    everything_is_loaded_once(local, system, sent).await;

    let prefix = "second-look/evidence-";
    let unread = json!({ "drop_event_share": 1.0, "name_prefix": prefix });
    set_faults(local, &unread);
    let earlier = statements(local, prefix, "FINISHED").unwrap();
    let traffic = Traffic::usual("unread", 200);
    traffic.publish(system).await;
    eventually("evidence was computed", 60, async || {
        let mut finished = statements(local, prefix, "FINISHED")?;
        finished.retain(|name| !earlier.contains(name));
        some(finished)
    })
    .await;
    local.kill_stand_in().unwrap();
    local.start_stand_in().unwrap();
    sent.extend(traffic);
    everything_is_loaded_once(local, system, sent).await;
}

/// PostgreSQL dies while a load has written rows and not committed.
pub(crate) async fn of_postgres_in_a_load(local: &mut Local, system: &System, sent: &mut Traffic) {
    let slow = json!({ "slow_ms": 60_000, "name_prefix": "second-look/transactions/" });
    set_faults(local, &slow);
    let traffic = Traffic::usual("before", 200);
    traffic.publish(system).await;
    eventually("a load waits before its last SQL", 60, async || {
        let sleeping = "SELECT COUNT(*) FROM pg_stat_activity \
                        WHERE state = 'active' AND query LIKE '%pg_sleep($1)%'";
        match system.count(sleeping).await.unwrap() {
            0 => some(Vec::new()),
            _ => Ok(()),
        }
    })
    .await;
    local.crash_postgres().unwrap();
    set_faults(local, &json!({}));
    sent.extend(traffic);
    let traffic = Traffic::usual("after", 200);
    traffic.publish(system).await;
    sent.extend(traffic);
    local.start_postgres().unwrap();
    everything_is_loaded_once(local, system, sent).await;
}

fn some(names: Vec<String>) -> Result<(), String> {
    if names.is_empty() {
        return Err("none".to_owned());
    }
    Ok(())
}

/// One row for each transaction, one final decision for each hold, nothing in progress.
async fn everything_is_loaded_once(local: &Local, system: &System, sent: &Traffic) {
    let scope = sent.scope();
    let audited = async || {
        idle(system).await?;
        clean_audit(system, &scope).await
    };
    let found = swept(local, "the audit is clean", 180, audited).await;
    assert_eq!((found.held, found.settled), (sent.held(), sent.held()));
    for what in ["*", "DISTINCT transaction_id"] {
        let rows = format!("SELECT COUNT({what}) FROM transactions WHERE decision_id IS NOT NULL");
        let count = system.count(&rows).await.unwrap();
        assert_eq!(count, sent.transactions.len() as u64, "{what}");
    }
}
