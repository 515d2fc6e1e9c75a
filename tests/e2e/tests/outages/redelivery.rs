//! The same records again, cut elsewhere, after another bundle became active.

use std::collections::BTreeMap;
use std::process::Command;
use std::time::Duration;

use decision::{Decision, keys};
use e2e::deploy::promote;
use e2e::published::Published;
use e2e::traffic::{First, Traffic};
use e2e::wait::{clean_audit, eventually, idle, swept};
use harness::fixture::Limits;
use jiff::Timestamp;
use local::Local;
use look::system::System;
use serde_json::Value;
use store::Objects as _;

/// Holds what the first bundle approves of.
const OTHER: Limits = Limits {
    hold_from: 100.0,
    ..Limits::DEFAULT
};

/// A redelivery after a change of the bundle repeats every decision, and makes no second outcome.
pub(crate) async fn repeats_every_decision(local: &Local, system: &System, sent: &mut Traffic) {
    let traffic = Traffic::usual("again", 300);
    traffic.publish(system).await;
    settled(local, system, &traffic).await;
    let decided = Published::read(system).await.provisional;
    let outcomes = outcomes(system).await;
    assert_eq!((decided.len(), outcomes.len()), (300, traffic.held()));

    let probe = other_bundle_judges_new_records(system).await;
    deliver_all_again(local).await;
    let again = eventually("every record is delivered again", 120, async || {
        let published = Published::read(system).await;
        let repeated = |id: &&String| published.provisional[*id].len() > 1;
        let count = decided.keys().filter(repeated).count();
        if count == decided.len() {
            Ok(published)
        } else {
            Err(format!("{count} of {}", decided.len()))
        }
    });
    let again = again.await;
    assert_eq!(again.provisional.len(), decided.len() + 1, "and the probe");

    let mut all = traffic;
    all.extend(probe);
    settled(local, system, &all).await;
    let again = Published::read(system).await;
    for (id, before) in &decided {
        let of_id = &again.provisional[id];
        of_id
            .iter()
            .for_each(|repeated| is_repeated(repeated, &before[0]));
    }
    for finals in again.finals.values() {
        finals
            .iter()
            .for_each(|repeated| is_repeated(repeated, &finals[0]));
    }
    let after = self::outcomes(system).await;
    assert_eq!(after.len(), outcomes.len() + 1, "the probe is held");
    for (key, bytes) in outcomes {
        assert_eq!(after[&key], bytes, "{key} was changed");
    }
    let back = promote(system, Limits::DEFAULT).await;
    until(back).await;
    sent.extend(all);
}

/// Whether a decision says again what it said before.
fn is_repeated(again: &Decision, before: &Decision) {
    assert_eq!(again.action, before.action, "{again:#?}\n{before:#?}");
    assert_eq!(again.score, before.score, "{again:#?}\n{before:#?}");
    assert_eq!(again.bundle_version, before.bundle_version, "{again:#?}");
}

/// Waits until everything is loaded and settled, each thing once.
async fn settled(local: &Local, system: &System, traffic: &Traffic) {
    let scope = traffic.scope();
    let audited = async || {
        idle(system).await?;
        clean_audit(system, &scope).await
    };
    let found = swept(local, "the audit is clean", 180, audited).await;
    assert_eq!(
        (found.held, found.settled),
        (traffic.held(), traffic.held())
    );
    for table in ["transactions", "outcomes"] {
        let rows = format!("SELECT COUNT(*) FROM {table} WHERE decision_id IS NOT NULL");
        let expected = match table {
            "transactions" => traffic.transactions.len(),
            _ => traffic.held(),
        };
        assert_eq!(
            system.count(&rows).await.unwrap(),
            expected as u64,
            "{table}"
        );
    }
}

/// Activates the other bundle and shows that it holds a transaction that the first one approves of.
async fn other_bundle_judges_new_records(system: &System) -> Traffic {
    let active_from = promote(system, OTHER).await;
    until(active_from).await;
    let mut probe = Traffic::default();
    // The customer of number 0 pays large amounts: 450 is approved by the first bundle.
    probe.add("probe".to_owned(), 0, First::Approve, Timestamp::now());
    probe.publish(system).await;
    eventually("the other bundle judges", 60, async || {
        let published = Published::read(system).await;
        let mut decisions = published.provisional.into_values().flatten();
        let found = decisions.find(|decision| decision.transaction_id.as_str() == "probe");
        let found = found.ok_or("no decision yet")?;
        assert_eq!(found.action, decision::Action::Hold, "{found:#?}");
        Ok(())
    })
    .await;
    let end = Some(decision::Action::Release);
    probe.transactions.insert("probe".to_owned(), end);
    probe
}

/// Waits for a time; Kinesis counts milliseconds.
async fn until(time: Timestamp) {
    let wait = time.duration_since(Timestamp::now());
    if let Ok(wait) = Duration::try_from(wait) {
        tokio::time::sleep(wait + Duration::from_millis(2)).await;
    }
}

async fn outcomes(system: &System) -> BTreeMap<String, Vec<u8>> {
    let mut outcomes = BTreeMap::new();
    for listed in system.objects.list(keys::OUTCOMES).await.unwrap() {
        let bytes = system.objects.get(&listed.key).await.unwrap().unwrap();
        outcomes.insert(listed.key, bytes);
    }
    outcomes
}

/// Replaces the event source of score by one that reads the stream from its beginning, in batches
/// of another size.
async fn deliver_all_again(local: &Local) {
    let function = local.outputs().function("score").unwrap();
    let list = ["list-event-source-mappings", "--function-name", function];
    let listed = aws(local, &list);
    let source = &listed["EventSourceMappings"][0];
    let id = source["UUID"].as_str().unwrap();
    let stream = source["EventSourceArn"].as_str().unwrap();
    let delete = ["delete-event-source-mapping", "--uuid", id];
    aws(local, &delete);
    eventually("the event source is gone", 60, async || {
        match aws(local, &list)["EventSourceMappings"].as_array() {
            Some(sources) if sources.is_empty() => Ok(()),
            sources => Err(format!("{sources:?}")),
        }
    })
    .await;
    let create = [
        "create-event-source-mapping",
        "--function-name",
        function,
        "--event-source-arn",
        stream,
        "--starting-position",
        "TRIM_HORIZON",
        "--batch-size",
        "37",
        "--function-response-types",
        "ReportBatchItemFailures",
    ];
    aws(local, &create);
}

/// Runs `aws lambda` and returns its answer.
fn aws(local: &Local, arguments: &[&str]) -> Value {
    let mut command = Command::new(local.venv().aws());
    command.arg("lambda").args(arguments);
    command.args(["--output", "json"]).envs(local.environment());
    let output = command.output().unwrap();
    let error = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{arguments:?}: {error}");
    serde_json::from_slice(&output.stdout).unwrap()
}
