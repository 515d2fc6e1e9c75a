//! The decisions stream slows score, and loses nothing.

#![expect(
    clippy::indexing_slicing,
    clippy::unwrap_used,
    reason = "a test fails by panicking"
)]

mod support;

use std::collections::BTreeSet;
use std::io::{self, Write};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use decision::{Action, Decision};
use harness::memory::{Fault, Faults};
use score::{Publish, RESERVE, Records};
use support::*;
use tracing::subscriber::set_default;
use tracing_subscriber::fmt::MakeWriter;

const BRIEF: Duration = Duration::from_millis(500);

/// Approvals with a hold after every 49 of them.
fn many(transactions: u32) -> Records {
    let amount = |number| if number % 50 == 49 { 990.0 } else { 5.0 };
    let transactions: Vec<_> = (0..transactions).map(|n| (n, amount(n))).collect();
    records(&transactions)
}

fn of_record(data: &[u8]) -> Vec<Decision> {
    let lines = parse_lines(data).into_iter();
    lines
        .map(|line| serde_json::from_value(line).unwrap())
        .collect()
}

/// The numbers of the transactions with a published decision.
fn published(handler: &TestHandler) -> BTreeSet<u32> {
    let decisions = handler.decisions.decisions().into_iter();
    decisions
        .map(|decision| decision.transaction_id.as_str()[1..].parse().unwrap())
        .collect()
}

#[tokio::test]
async fn approvals_share_records_and_each_hold_has_one_of_its_own() {
    let mut handler = handler(&Faults::none());
    assert_eq!(handle(&mut handler, &many(1_000)).await, [""; 0]);
    let mut approvals: Vec<u32> = Vec::new();
    let mut holds = 0;
    let records = handler.decisions.published();
    for record in &records {
        let decisions = of_record(&record.data);
        let key = decisions[0].entities["customer_id"].clone();
        assert_eq!(
            record.partition_key, key,
            "the first entity of the first decision"
        );
        assert!(record.data.len() + key.len() <= 25 * 1024);
        if decisions[0].action == Action::Hold {
            assert_eq!(decisions.len(), 1);
            holds += 1;
            continue;
        }
        for decision in decisions {
            assert_eq!(decision.action, Action::Approve);
            approvals.push(decision.transaction_id.as_str()[1..].parse().unwrap());
        }
    }
    assert_eq!((holds, approvals.len()), (20, 980));
    assert!(approvals.is_sorted(), "the order of the shard");
    assert!(records.len() < 20 + 30, "{} records", records.len());
}

#[tokio::test]
async fn without_approvals_only_holds_are_published() {
    let mut handler = handler(&Faults::none());
    handler.publish = Publish::HoldsOnly;
    assert_eq!(handle(&mut handler, &ten()).await, [""; 0]);
    assert_eq!(published(&handler), BTreeSet::from([3, 6, 9]));
    assert_eq!(handler.decisions.published().len(), 3);
    assert_eq!(rows(&handler).len(), 10);
}

#[tokio::test]
async fn a_throttled_stream_slows_the_batch_and_loses_nothing() {
    for fault in [
        Fault::on("record").times(30),
        Fault::on("record").after(5).times(12),
        Fault::on("publish").times(3),
        Fault::on("publish").times(2).late(),
    ] {
        let faults = Faults::none();
        let mut handler = handler(&faults);
        faults.add(fault);
        let began = Instant::now();
        assert_eq!(handle(&mut handler, &many(1_000)).await, [""; 0]);
        assert!(began.elapsed() >= Duration::from_millis(200));
        assert_eq!(published(&handler), (0..1_000).collect());
    }
}

#[tokio::test]
async fn what_the_stream_refuses_until_the_end_goes_back_from_the_lowest_record() {
    let logs = Logs::default();
    let subscriber = tracing_subscriber::fmt().json().with_writer(logs.clone());
    let _guard = set_default(subscriber.finish());
    let faults = Faults::none();
    let mut handler = handler(&faults);
    handler.publish = Publish::HoldsOnly;
    // T6 is in transaction 6's record, under customer C6.
    faults.add(Fault::on("record").name("C6"));
    let began = Instant::now();
    let failed = handle_within(&mut handler, &ten(), BRIEF).await;
    assert!(began.elapsed() < BRIEF + RESERVE);
    assert_eq!(failed, [sequence_number(6)]);
    assert_eq!(published(&handler), BTreeSet::from([3, 9]));
    let logs = logs.text();
    assert!(
        logs.contains(r#""message":"decisions stream refuses records""#),
        "{logs}"
    );
    assert!(!logs.contains("C6"), "no value of a transaction: {logs}");
    faults.clear();
    deliver(&mut handler, from(&ten(), &sequence_number(6))).await;
    assert_eq!(published(&handler), BTreeSet::from([3, 6, 9]));
}

#[tokio::test]
async fn a_refused_record_of_several_approvals_goes_back_from_the_first_of_them() {
    let faults = Faults::none();
    let mut handler = handler(&faults);
    // All packs but the first are refused.
    faults.add(Fault::on("publish").after(1));
    faults.add(Fault::on("record").after(1));
    let batch = many(1_000);
    let failed = handle_within(&mut handler, &batch, BRIEF).await;
    let accepted = of_record(&handler.decisions.published()[0].data);
    let mut lowest = 0;
    while accepted
        .iter()
        .any(|d| d.transaction_id == *format!("T{lowest}"))
    {
        lowest += 1;
    }
    assert_eq!(failed, [sequence_number(lowest)]);
    faults.clear();
    deliver(&mut handler, from(&batch, &sequence_number(lowest))).await;
    assert_eq!(published(&handler), (0..1_000).collect());
}

#[tokio::test]
async fn a_stream_that_fails_or_hangs_goes_back_before_the_time_limit() {
    for fault in [Fault::on("publish"), Fault::on("publish").hang()] {
        let faults = Faults::none();
        let mut handler = handler(&faults);
        handler.publish = Publish::HoldsOnly;
        faults.add(fault);
        let began = Instant::now();
        let failed = handle_within(&mut handler, &ten(), BRIEF).await;
        assert!(began.elapsed() < BRIEF + RESERVE);
        assert_eq!(failed, [sequence_number(3)], "the first record with a hold");
        faults.clear();
        deliver(&mut handler, from(&ten(), &sequence_number(3))).await;
        assert_eq!(published(&handler), BTreeSet::from([3, 6, 9]));
    }
}

#[tokio::test]
async fn thousands_of_holds_are_sent_500_at_a_time_and_keep_what_was_accepted() {
    let faults = Faults::none();
    let mut handler = handler(&faults);
    let transactions: Vec<_> = (0..1_200).map(|number| (number, 990.0)).collect();
    let batch = records(&transactions);
    faults.add(Fault::on("publish").after(2).hang());
    let failed = handle_within(&mut handler, &batch, BRIEF).await;
    assert_eq!(failed, [sequence_number(1_000)]);
    assert_eq!(published(&handler), (0..1_000).collect());
}

/// The lines of the log.
#[derive(Clone, Default)]
struct Logs(Arc<Mutex<Vec<u8>>>);

impl Logs {
    fn text(&self) -> String {
        String::from_utf8(self.0.lock().unwrap().clone()).unwrap()
    }
}

impl Write for Logs {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0.lock().unwrap().extend_from_slice(bytes);
        Ok(bytes.len())
    }
    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

impl<'w> MakeWriter<'w> for Logs {
    type Writer = Self;
    fn make_writer(&'w self) -> Self {
        self.clone()
    }
}
