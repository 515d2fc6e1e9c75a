//! Guarantee 3: the same bytes give the same decisions, however the batches are cut.

#![expect(
    clippy::panic,
    clippy::unwrap_used,
    reason = "a test fails by panicking"
)]

mod support;

use harness::fixture::bundle;
use proptest::prelude::*;
use score::{DecidedBatch, Publish, Records, decide};
use support::{SHARD, now, push, transaction};

/// One record for each `transactions_per_record` amounts.
fn stream(amounts: &[f64], transactions_per_record: usize) -> Records {
    let mut lines = Vec::new();
    for (number, amount) in (0..).zip(amounts) {
        lines.push(transaction(number, *amount));
    }
    let mut records = Records::of_shard(SHARD);
    for (number, lines) in (0..).zip(lines.chunks(transactions_per_record)) {
        push(&mut records, number, lines.join("\n").as_bytes());
    }
    records
}

/// The records in batches of these lengths, repeated until no record is left.
fn cut(records: &Records, lengths: &[usize]) -> Vec<Records> {
    let mut batches = Vec::new();
    let mut lengths = lengths.iter().cycle();
    let mut left = records.iter().peekable();
    while left.peek().is_some() {
        let mut batch = Records::of_shard(SHARD);
        for record in left.by_ref().take(*lengths.next().unwrap()) {
            let number = record.sequence_number.as_str();
            batch.push(number, record.arrived_at, record.data);
        }
        batches.push(batch);
    }
    batches
}

/// The decompressed lines of the batch's object.
fn rows(decided: &DecidedBatch) -> Vec<u8> {
    if decided.body.is_empty() {
        return Vec::new();
    }
    store::gunzip("body", &decided.body).unwrap()
}

proptest! {
    /// Compares scores, actions, reasons, deadlines and rows. Only the object's key may differ.
    #[test]
    fn decisions_do_not_depend_on_how_batches_are_cut(
        amounts in prop::collection::vec(prop_oneof![0.0..2000.0, Just(f64::NAN)], 1..60),
        lengths in prop::collection::vec(1_usize..20, 1..60),
        transactions_per_record in 1_usize..5,
    ) {
        let bundle = bundle();
        let records = stream(&amounts, transactions_per_record);
        let mut whole = decide(&bundle, &records, Publish::AllDecisions, now());
        let mut outgoing = Vec::new();
        let mut holds = Vec::new();
        let mut rejected = Vec::new();
        let mut lines = Vec::new();
        for batch in cut(&records, &lengths) {
            let part = decide(&bundle, &batch, Publish::AllDecisions, now());
            lines.extend(rows(&part));
            outgoing.extend(part.outgoing);
            holds.extend(part.holds);
            rejected.extend(part.rejected);
        }
        prop_assert_eq!(lines, rows(&whole));
        prop_assert_eq!(outgoing, whole.outgoing);
        prop_assert_eq!(holds, whole.holds);
        whole.rejected.sort_by(|a, b| a.name.cmp(&b.name));
        rejected.sort_by(|a, b| a.name.cmp(&b.name));
        prop_assert_eq!(rejected, whole.rejected);
    }
}
