//! The deployed bundle on LocalStack, PostgreSQL and the stand-in, under faults: poison records,
//! lost, doubled and late completion events, failed and aborted statements, killed functions. At
//! the end, no transaction is lost or doubled, and every hold has its final decision.

#![expect(
    clippy::indexing_slicing,
    clippy::unwrap_used,
    reason = "a test fails by panicking"
)]

mod checks;
mod command;
mod damage;
mod events;
mod phases;
mod sent;
mod streams;

use std::time::Instant;

use e2e::deploy::{deployed, prepare};
use harness::contract;
use harness::fixture::Limits;
use jiff::Timestamp;
use look::consume::Consumer;
use look::system::System;
use store::Stream as _;

#[test]
fn no_transaction_is_lost_or_doubled_and_no_hold_stays_open_under_faults() {
    let folder = tempfile::tempdir().unwrap();
    let start = Instant::now();
    let say = |what: &str| eprintln!("{:>6.1?} {what}", start.elapsed());
    let local = deployed(folder.path(), &say);
    let runtime = tokio::runtime::Runtime::new().unwrap();
    runtime.block_on(async {
        let system = System::of_local(&local).await.unwrap();
        say("check the contracts of bucket, stream and warehouse");
        contract::objects(&system.objects).await;
        contract::warehouse(&system.warehouse).await;
        streams::contract_of_streams(&system).await;
        say("upload a bundle and a history");
        prepare(&system, Limits::DEFAULT).await;
        say("stream under faults");
        let sent = sent::sent(Timestamp::now());
        let log = phases::go_live(&local, &system, &sent, &say).await;
        say("check the guarantees");
        checks::check_finals(&sent, &log);
        checks::check_rejected(&system, &sent).await;
        checks::check_outcomes(&system, &sent).await;
        say("repeat everything");
        checks::nothing_changes_a_second_time(&local, &system, &sent).await;
        checks::check_logs(&local);
    });
    local.down().unwrap();
}

#[test]
fn the_audit_detects_damage_and_every_function_accepts_its_example_events() {
    let folder = tempfile::tempdir().unwrap();
    let start = Instant::now();
    let say = |what: &str| eprintln!("{:>6.1?} {what} (without faults)", start.elapsed());
    let local = deployed(folder.path(), &say);
    let runtime = tokio::runtime::Runtime::new().unwrap();
    runtime.block_on(async {
        let system = System::of_local(&local).await.unwrap();
        prepare(&system, Limits::DEFAULT).await;
        let consumer = Consumer::start(&system.kinesis, &system.decisions_stream)
            .await
            .unwrap();
        let sent = sent::sent(Timestamp::now());
        say("stream");
        for chunk in sent.records.chunks(500) {
            assert_eq!(
                system.transactions.publish(chunk).await.unwrap(),
                [0; 0],
                "the stream takes every record"
            );
        }
        let log = phases::all_is_there(&local, &system, &sent, &consumer).await;
        say("audit by the stack's name");
        command::the_command_finds_the_stack(&local, &sent);
        say("damage the system");
        damage::is_seen(&system, &sent, &log).await;
        say("change the definition");
        damage::a_changed_definition_is_followed_or_refused(&system).await;
        say("send the example events");
        events::are_taken_by_the_deployed_functions(&local);
    });
    local.down().unwrap();
}
