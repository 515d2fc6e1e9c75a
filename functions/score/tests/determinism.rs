//! Guarantee 3: the same bytes give the same decisions, however the batches are cut.

#![expect(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    reason = "a test fails by panicking"
)]

mod support;

use decision::ledger::hold_group;
use harness::fixture::bundle;
use proptest::prelude::*;
use score::{DecidedBatch, Publish, Records, decide};
use serde_json::Value;
use store::StreamRecord;
use support::{SHARD, now, parse_lines, push, text, transaction};

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

/// The lines of the batch's object. Where a hold is in its batch's ledger depends on the batch, so
/// this is checked and removed.
fn rows(records: &Records, decided: &DecidedBatch) -> Vec<Value> {
    if decided.body.is_empty() {
        return Vec::new();
    }
    let mut rows = parse_lines(&store::gunzip("body", &decided.body).unwrap());
    let name = records.name(decided.records).unwrap().to_string();
    let mut holds = decided.holds.iter().zip(0..);
    for row in &mut rows {
        let fields = row.as_object_mut().unwrap();
        let group = fields.remove("_hold_group");
        let index = fields.remove("_hold_index");
        assert_eq!(group.is_some(), text(row, "action") == "hold");
        if let Some(group) = group {
            let (hold, place) = holds.next().unwrap();
            assert_eq!(group, hold_group(&name, &hold.bundle_version));
            assert_eq!(index, Some(place.into()));
            assert_eq!(text(row, "decision_id"), hold.decision_id);
            assert_eq!(text(row, "identity_hash"), hold.identity.to_string());
            assert_eq!(text(row, "arrived_at"), hold.arrived_at.to_string());
        }
    }
    rows
}

/// The decisions, one a line, in the order of the shard.
fn lines(outgoing: &[StreamRecord]) -> Vec<Value> {
    let mut lines: Vec<Value> = outgoing.iter().flat_map(|r| parse_lines(&r.data)).collect();
    let place = |line: &Value| {
        let (record, item) = text(line, "decision_id").rsplit_once('-').unwrap();
        (record.to_owned(), item.parse::<u32>().unwrap())
    };
    lines.sort_by_key(place);
    lines
}

proptest! {
    /// Compares scores, actions, reasons, deadlines, identities, holds and rows. Only the names of
    /// objects and the places in them may differ.
    #[test]
    fn decisions_do_not_depend_on_how_batches_are_cut(
        amounts in prop::collection::vec(prop_oneof![0.0..2000.0, Just(f64::NAN)], 1..60),
        lengths in prop::collection::vec(1_usize..20, 1..60),
        transactions_per_record in 1_usize..5,
    ) {
        let bundle = bundle();
        let records = stream(&amounts, transactions_per_record);
        let whole = decide(&bundle, &records, Publish::EachDecision, now());
        let packed = decide(&bundle, &records, Publish::AllDecisions, now());
        prop_assert_eq!(lines(&packed.outgoing), lines(&whole.outgoing));
        let mut outgoing = Vec::new();
        let mut holds = Vec::new();
        let mut rejected = Vec::new();
        let mut all_rows = Vec::new();
        for batch in cut(&records, &lengths) {
            let part = decide(&bundle, &batch, Publish::EachDecision, now());
            all_rows.extend(rows(&batch, &part));
            outgoing.extend(part.outgoing);
            holds.extend(part.holds);
            rejected.extend(part.rejected);
        }
        prop_assert_eq!(all_rows, rows(&records, &whole));
        prop_assert_eq!(outgoing, whole.outgoing);
        prop_assert_eq!(holds, whole.holds);
        prop_assert_eq!(rejected, whole.rejected);
    }
}
