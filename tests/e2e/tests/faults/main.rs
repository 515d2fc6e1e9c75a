//! The deployed bundle on LocalStack, PostgreSQL and the stand-in, with everything going wrong that we
//! can make go wrong: poison on the stream, completion events lost, doubled and late, statements that
//! fail and are aborted, functions killed in the middle of their work. At the end nothing may be
//! lost, nothing doubled, nothing left open.

#![expect(
    clippy::indexing_slicing,
    clippy::unwrap_used,
    reason = "a test fails by panicking, and says where it is"
)]

mod damage;
mod events;
mod sent;
mod system;

use std::collections::BTreeMap;
use std::env;
use std::path::Path;
use std::process::Command;
use std::time::Instant;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use decision::keys;
use decision::{RejectedItem, SettledBy};
use harness::{contract, fixture};
use jiff::Timestamp;
use local::{Local, Options, Parameters, STACK};
use look::audit::{Audit, audit};
use look::consume::{Consumer, DecisionLog};
use look::history;
use look::init::init;
use look::system::System;
use sent::Sent;
use serde_json::{Value, json};
use store::{KinesisStream, Objects as _, Stream as _};
use system::{eventually, kill_functions, logs, set_faults};

/// A system of its own, with the harness's bundle.
fn deployed(folder: &Path, say: &impl Fn(&str)) -> Local {
    let mut local = Local::up(&Options::new(folder.join("state")), |step| {
        say(&step.to_string());
    })
    .unwrap();
    let parameters = Parameters::default()
        .with("BundleName", "small")
        .with("StreamBatchSize", 100);
    let parameters = parameters
        .with("StreamShards", 2)
        .with("SweepGraceSeconds", 5);
    let parameters = parameters.with("LoadVisibilitySeconds", 60);
    local
        .deploy_with(&parameters, |step| say(&step.to_string()))
        .unwrap();
    local
}

#[test]
fn nothing_is_lost_doubled_or_left_open_whatever_goes_wrong() {
    let folder = tempfile::tempdir().unwrap();
    let start = Instant::now();
    let say = |what: &str| eprintln!("{:>6.1?} {what}", start.elapsed());
    let local = deployed(folder.path(), &say);
    let runtime = tokio::runtime::Runtime::new().unwrap();
    runtime.block_on(async {
        let system = System::of_local(&local).await.unwrap();
        say("the contracts of bucket, stream and warehouse");
        contract::objects(&system.objects).await;
        contract::warehouse(&system.warehouse).await;
        contract_of_streams(&system).await;
        say("a bundle and a history");
        prepare(&system).await;
        say("the stream, under faults");
        let sent = sent::sent(Timestamp::now());
        let seen = go_live(&local, &system, &sent, &say).await;
        say("the promises");
        check_finals(&sent, &seen);
        check_rejected(&system, &sent).await;
        check_outcomes(&system, &sent).await;
        say("a second time");
        nothing_changes_a_second_time(&local, &system, &sent).await;
        check_logs(&local);
    });
    local.down().unwrap();
}

#[test]
fn damage_is_seen_by_the_audit_and_every_example_event_is_taken_by_its_function() {
    let folder = tempfile::tempdir().unwrap();
    let start = Instant::now();
    let say = |what: &str| eprintln!("{:>6.1?} {what} (calm)", start.elapsed());
    let local = deployed(folder.path(), &say);
    let runtime = tokio::runtime::Runtime::new().unwrap();
    runtime.block_on(async {
        let system = System::of_local(&local).await.unwrap();
        prepare(&system).await;
        let consumer = Consumer::start(&system.kinesis, &system.decisions_stream)
            .await
            .unwrap();
        let sent = sent::sent(Timestamp::now());
        say("the stream");
        for chunk in sent.records.chunks(500) {
            assert_eq!(
                system.transactions.publish(chunk).await.unwrap(),
                [0; 0],
                "the stream takes every record"
            );
        }
        let seen = all_is_there(&system, &sent, &consumer).await;
        say("the command, by the stack's name");
        the_command_finds_the_stack(&local, &sent);
        say("damage");
        damage::is_seen(&system, &sent, &seen).await;
        say("another definition");
        damage::a_changed_definition_is_followed_or_refused(&system).await;
        say("the events that lie beside the functions");
        events::are_taken_by_the_deployed_functions(&local);
    });
    local.down().unwrap();
}

/// `look` finds a stack by its name, as in an account of AWS, and audits it.
fn the_command_finds_the_stack(local: &Local, sent: &Sent) {
    let file = local.folder().join("sent.ndjson");
    let line = |id| json!({ "transaction_id": id, "occurred_at": Timestamp::now(), "amount": 1, "customer_id": "C", "terminal_id": "S" });
    let lines: Vec<String> = sent
        .transactions
        .keys()
        .map(|id| line(id).to_string())
        .collect();
    std::fs::write(&file, lines.join("\n")).unwrap();
    let options = Options::new(local.folder());
    let mut path = vec![local.venv().aws().parent().unwrap().to_path_buf()];
    path.extend(env::split_paths(&env::var_os("PATH").unwrap()));
    let output = Command::new(options.binaries.join("look"))
        .args(["audit", "--nothing-else", "--json", "--stack", STACK])
        .arg(&file)
        .envs(local.environment())
        .env("PATH", env::join_paths(path).unwrap())
        .output()
        .unwrap();
    assert!(
        output.status.success(),
        "{}",
        String::from_utf8_lossy(&output.stderr)
    );
    let audit: Value = serde_json::from_slice(&output.stdout).unwrap();
    assert_eq!(audit["decided"], sent.transactions.len(), "{audit}");
}

/// What was published comes out of the stream.
async fn contract_of_streams(system: &System) {
    let client = &system.kinesis;
    client
        .create_stream()
        .stream_name("contract")
        .shard_count(1)
        .send()
        .await
        .unwrap();
    let sent = eventually("the stream takes records", 60, async || {
        let stream = client
            .describe_stream_summary()
            .stream_name("contract")
            .send()
            .await
            .unwrap();
        let status = stream
            .stream_description_summary()
            .unwrap()
            .stream_status()
            .clone();
        if status == aws_sdk_kinesis::types::StreamStatus::Active {
            Ok(())
        } else {
            Err(format!("{status:?}"))
        }
    });
    sent.await;
    let sent = contract::decisions(&KinesisStream::new(client.clone(), "contract")).await;
    let shards = client
        .list_shards()
        .stream_name("contract")
        .send()
        .await
        .unwrap();
    let from = client
        .get_shard_iterator()
        .stream_name("contract")
        .shard_id(shards.shards()[0].shard_id());
    let kind = aws_sdk_kinesis::types::ShardIteratorType::TrimHorizon;
    let mut at = from
        .shard_iterator_type(kind)
        .send()
        .await
        .unwrap()
        .shard_iterator;
    let mut came = Vec::new();
    while came.len() < sent.len() {
        let answer = client
            .get_records()
            .shard_iterator(at.unwrap())
            .send()
            .await
            .unwrap();
        assert!(
            !answer.records().is_empty(),
            "the stream ends after {} of {} records",
            came.len(),
            sent.len()
        );
        came.extend(
            answer
                .records()
                .iter()
                .map(|record| record.data().as_ref().to_vec()),
        );
        at = answer.next_shard_iterator;
    }
    assert_eq!(
        came,
        sent.into_iter()
            .map(|outgoing| outgoing.data)
            .collect::<Vec<_>>()
    );
}

/// The harness's bundle where score looks for it, and what customers usually pay in the warehouse.
async fn prepare(system: &System) {
    init(system, fixture::DEFINITION).await.unwrap();
    let version = fixture::bundle().version().to_owned();
    for (name, bytes) in fixture::files() {
        system
            .objects
            .put(&bundle::keys::file("small", &version, &name), bytes)
            .await
            .unwrap();
    }
    let pointer = json!({ "version": version }).to_string().into_bytes();
    system
        .objects
        .put(&bundle::keys::pointer("small"), pointer)
        .await
        .unwrap();
    let rows = sent::history(Timestamp::now());
    history::transactions(system, &rows).await.unwrap();
    eventually("the history is in the warehouse", 180, async || {
        let count = system
            .count("SELECT COUNT(*) FROM transactions")
            .await
            .unwrap();
        if count == rows.len() as u64 {
            Ok(())
        } else {
            Err(format!("{count} of {}", rows.len()))
        }
    })
    .await;
}

/// Puts everything on the stream while everything fails, until the audit finds nothing wrong.
async fn go_live(local: &Local, system: &System, sent: &Sent, say: &impl Fn(&str)) -> DecisionLog {
    let consumer = Consumer::start(&system.kinesis, &system.decisions_stream)
        .await
        .unwrap();
    set_faults(
        local,
        &json!({
            "name_prefix": "second-look-", "drop_event_share": 0.4, "duplicate_events": 10, "delay_events": 5,
            "delay_ms": 8_000, "fail_statements": 4, "abort_statements": 2,
        }),
    );
    let mut killed = 0;
    for (place, chunk) in sent.records.chunks(200).enumerate() {
        assert_eq!(
            system.transactions.publish(chunk).await.unwrap(),
            [0; 0],
            "the stream takes every record"
        );
        eventually("score is at work", 120, async || {
            let seen = consumer.seen().provisional.len();
            if seen > place * 120 {
                Ok(())
            } else {
                Err(format!("{seen} decisions"))
            }
        })
        .await;
        if place % 3 == 1 {
            killed += kill_functions(local);
        }
    }
    say(&format!(
        "all is sent, {killed} processes of functions were killed"
    ));
    assert!(
        killed >= 5,
        "too few functions were running to be killed: {killed}"
    );
    all_is_there(system, sent, &consumer).await
}

/// Waits until the audit finds nothing wrong, and every decision has come out of the stream.
async fn all_is_there(system: &System, sent: &Sent, consumer: &Consumer) -> DecisionLog {
    let asked = sent.asked();
    let audited = async || {
        let audit = audit(system, &asked, None).await.unwrap();
        if audit.is_clean() && audit.decided == asked.ids.len() {
            return Ok(audit);
        }
        Err(format!(
            "{audit:?}; under way: {:?}",
            under_way(system).await
        ))
    };
    let found: Audit = eventually("every promise is kept", 300, audited).await;
    let held = sent.transactions.values().flatten().count();
    assert_eq!((found.held, found.settled), (held, held));
    assert_eq!(found.rejected, sent.unreadable.len());
    eventually("all decisions are on the stream", 60, async || {
        let seen = consumer.seen();
        let counts = (seen.provisional.len(), seen.finals.len());
        let expected = (asked.ids.len(), held);
        if counts == expected {
            Ok(())
        } else {
            Err(format!("{counts:?} of {expected:?}"))
        }
    })
    .await;
    let seen = std::mem::take(&mut *consumer.seen());
    assert_eq!((seen.contradictions.len(), seen.unreadable), (0, 0));
    assert_eq!(audit(system, &asked, Some(&seen)).await.unwrap(), found);
    seen
}

/// What tells where a thing is that is not where it should be.
async fn under_way(system: &System) -> Vec<String> {
    let mut keys = Vec::new();
    for prefix in [keys::PENDING, "manifests/", "aws/"] {
        keys.extend(
            system
                .objects
                .list(prefix)
                .await
                .unwrap()
                .into_iter()
                .map(|listed| listed.key),
        );
    }
    keys
}

/// Every hold has ended as its evidence says, some of them by the sweep, for their events were lost.
fn check_finals(sent: &Sent, seen: &DecisionLog) {
    let mut by = BTreeMap::new();
    for (id, end) in &sent.transactions {
        let last = seen.finals.get(id).map(|(last, _)| last);
        assert_eq!(last.map(|last| last.action), *end, "{id}: {last:#?}");
        if let Some(last) = last {
            *by.entry(format!(
                "{:?}",
                last.settled_by.unwrap_or(SettledBy::Expiry)
            ))
            .or_insert(0) += 1;
        }
    }
    assert!(
        by.contains_key("Confirm") && by.contains_key("Sweep"),
        "settled by {by:?}"
    );
    assert!(!by.contains_key("Expiry"), "settled by {by:?}");
}

/// Every unreadable item lies in `rejected/` once, byte for byte, with the stage at which it failed.
async fn check_rejected(system: &System, sent: &Sent) {
    let mut found = BTreeMap::new();
    for listed in system.objects.list(keys::REJECTED).await.unwrap() {
        let bytes = system.objects.get(&listed.key).await.unwrap().unwrap();
        let rejected: RejectedItem = serde_json::from_slice(&bytes).unwrap();
        let raw = STANDARD.decode(&rejected.raw).unwrap();
        assert_eq!(
            found.insert(raw, rejected.stage),
            None,
            "{} is there twice",
            listed.key
        );
    }
    for (raw, stage) in &sent.unreadable {
        let shown = String::from_utf8_lossy(&raw[..raw.len().min(80)]);
        assert_eq!(found.get(raw).map(String::as_str), Some(*stage), "{shown}");
    }
    assert_eq!(found.len(), sent.unreadable.len());
}

/// The warehouse has every final decision once.
async fn check_outcomes(system: &System, sent: &Sent) {
    let held = sent.transactions.values().flatten().count() as u64;
    eventually("the outcomes are in the warehouse", 120, async || {
        let all = system.count("SELECT COUNT(*) FROM outcomes").await.unwrap();
        let different = system
            .count("SELECT COUNT(DISTINCT transaction_id) FROM outcomes")
            .await
            .unwrap();
        if (all, different) == (held, held) {
            Ok(())
        } else {
            Err(format!("{all}, {different} of {held}"))
        }
    })
    .await;
}

/// An object that comes again and an event that comes again change nothing.
async fn nothing_changes_a_second_time(local: &Local, system: &System, sent: &Sent) {
    set_faults(local, &json!({}));
    let asked = sent.asked();
    let before = audit(system, &asked, None).await.unwrap();
    let rows = system
        .count("SELECT COUNT(*) FROM transactions")
        .await
        .unwrap();
    let written = system.objects.list(keys::TRANSACTIONS).await.unwrap();
    for listed in &written {
        let bytes = system.objects.get(&listed.key).await.unwrap().unwrap();
        system.objects.put(&listed.key, bytes).await.unwrap();
    }
    let marker = sent::history(Timestamp::now())
        .into_iter()
        .take(1)
        .map(|mut row| {
            row.json = row.json.replace("H0", "H-marker");
            row
        });
    // Loads are taken in order: once this one is in, the ones before it were.
    history::transactions(system, &marker.collect::<Vec<_>>())
        .await
        .unwrap();
    eventually("the objects are loaded again", 180, async || {
        let marked = "SELECT COUNT(*) FROM transactions WHERE transaction_id = 'H-marker'";
        if system.count(marked).await.unwrap() == 1 {
            Ok(())
        } else {
            Err("not yet".to_owned())
        }
    })
    .await;
    eventually("nothing has changed", 120, async || {
        let after = audit(system, &asked, None).await.unwrap();
        if after == before {
            Ok(())
        } else {
            Err(format!("{after:?}, before {before:?}"))
        }
    })
    .await;
    assert_eq!(
        system
            .count("SELECT COUNT(*) FROM transactions")
            .await
            .unwrap(),
        rows + 1
    );
    assert!(local.redshift_data_endpoint().is_some());
}

/// Logs tell of records by number and id; what was in them is nobody's business.
fn check_logs(local: &Local) {
    let logs = logs(local);
    for function in ["score", "confirm", "sweep", "load"] {
        let told = logs
            .iter()
            .any(|(name, text)| name.contains(function) && !text.is_empty());
        assert!(told, "{function} has logged nothing");
    }
    for (name, text) in logs
        .iter()
        .filter(|(name, _)| name.starts_with("second-look"))
    {
        for secret in [
            sent::PAYLOAD,
            sent::HOSTILE_CUSTOMER,
            "this is not json",
            "bad user record",
        ] {
            assert!(!text.contains(secret), "{name} shows a payload");
        }
    }
}
