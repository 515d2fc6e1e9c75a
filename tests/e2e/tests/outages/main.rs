//! The deployed bundle on LocalStack while its warehouse is down, dies or refuses data.

#![expect(
    clippy::indexing_slicing,
    clippy::unwrap_used,
    reason = "a test fails by panicking"
)]

mod bad_objects;
mod crashes;
mod decided;
mod first_look;
mod outage;
mod redelivery;

use std::time::Instant;

use e2e::deploy::{deployed, prepare};
use e2e::traffic::Traffic;
use harness::fixture::Limits;
use look::consume::Consumer;
use look::system::System;

/// Guarantees 2, 4 and 9.
#[test]
fn a_warehouse_that_is_down_delays_no_decision_and_loses_nothing() {
    let folder = tempfile::tempdir().unwrap();
    let start = Instant::now();
    let say = |what: &str| eprintln!("{:>6.1?} {what} (down)", start.elapsed());
    let mut local = deployed(folder.path(), &say);
    let runtime = tokio::runtime::Runtime::new().unwrap();
    runtime.block_on(async {
        let system = System::of_local(&local).await.unwrap();
        let short_holds = Limits {
            hold_minutes: 1,
            ..Limits::DEFAULT
        };
        prepare(&system, short_holds).await;
        let consumer = Consumer::start(&system.kinesis, &system.decisions_stream);
        let consumer = consumer.await.unwrap();
        let mut sent = Traffic::default();
        say("healthy, throttling and hanging");
        first_look::score_never_calls_the_warehouse(&local, &system, &consumer, &mut sent).await;
        say("down for two minutes");
        outage::for_two_minutes(&mut local, &system, &consumer, &mut sent).await;
        say("back");
        outage::everything_is_settled_and_loaded(&local, &system, &consumer, &sent).await;
        say("done");
    });
    local.down().unwrap();
}

/// Guarantees 1, 2, 3 and 4.
#[test]
fn redeliveries_crashes_and_bad_objects_lose_double_and_stall_nothing() {
    let folder = tempfile::tempdir().unwrap();
    let start = Instant::now();
    let say = |what: &str| eprintln!("{:>6.1?} {what} (crashes)", start.elapsed());
    let mut local = deployed(folder.path(), &say);
    let runtime = tokio::runtime::Runtime::new().unwrap();
    runtime.block_on(async {
        let system = System::of_local(&local).await.unwrap();
        prepare(&system, Limits::DEFAULT).await;
        let consumer = Consumer::start(&system.kinesis, &system.decisions_stream);
        let consumer = consumer.await.unwrap();
        let mut sent = Traffic::default();
        say("deliver again after a change of the bundle");
        redelivery::repeats_every_decision(&local, &system, &mut sent).await;
        say("kill the stand-in under traffic");
        crashes::of_the_stand_in(&mut local, &system, &mut sent).await;
        say("crash PostgreSQL in the middle of a load");
        crashes::of_postgres_in_a_load(&mut local, &system, &mut sent).await;
        say("load bad objects among good ones");
        bad_objects::are_left_out_in_each_lane(&local, &system, &consumer).await;
        say("done");
    });
    local.down().unwrap();
}
