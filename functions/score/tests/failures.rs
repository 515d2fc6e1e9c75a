//! Guarantee 4: a failing dependency never loses or duplicates a record.

#![expect(
    clippy::indexing_slicing,
    clippy::panic,
    clippy::unwrap_used,
    reason = "a test fails by panicking"
)]

mod support;

use std::collections::{BTreeMap, BTreeSet};
use std::time::Instant;

use decision::{Action, Decision};
use harness::memory::{Fault, Faults};
use score::{Error, Publish, Records};
use support::*;

/// Ten transactions, of which 3, 6 and 9 are held.
fn ten() -> Records {
    let mut transactions = Vec::new();
    for number in 0..10 {
        let held = number > 0 && number % 3 == 0;
        transactions.push((number, if held { 990.0 } else { 5.0 }));
    }
    records(&transactions)
}

/// The batch from this record on, as Lambda redelivers it.
fn from(records: &Records, lowest: &str) -> Records {
    let mut rest = Records::of_shard(records.shard());
    for record in records
        .iter()
        .skip_while(|record| record.sequence_number.as_str() != lowest)
    {
        rest.push(
            record.sequence_number.as_str(),
            record.arrived_at,
            record.data,
        );
    }
    rest
}

/// Delivers the batch as Lambda does, again and again until it is finished.
async fn deliver(handler: &mut TestHandler, mut records: Records) {
    for _ in 0..20 {
        let failed = handle(handler, &records).await;
        let Some(lowest) = failed.first() else { return };
        records = from(&records, lowest);
        assert!(!records.is_empty(), "{lowest} is no record of the batch");
        handler.objects.faults().clear();
    }
    panic!("not finished after 20 deliveries");
}

/// Checks what must exist after the ten transactions, independent of any failures before.
fn assert_complete(handler: &TestHandler) {
    assert_eq!(
        rows(handler).len(),
        10,
        "each transaction has one row for MERGE to find"
    );
    let mut published: BTreeMap<String, Vec<Decision>> = BTreeMap::new();
    for decision in handler.decisions.decisions() {
        published
            .entry(decision.decision_id.clone())
            .or_default()
            .push(decision);
    }
    assert_eq!(published.len(), 10, "each has a decision");
    for (id, same) in &published {
        assert!(
            same.iter().all(|d| d == &same[0]),
            "{id} was repeated as it was: {same:#?}"
        );
    }
    let held: Vec<_> = published
        .values()
        .filter(|d| d[0].action == Action::Hold)
        .map(|d| &d[0].transaction_id)
        .collect();
    assert_eq!(held, ["T3", "T6", "T9"]);
    let entries = ledger(handler);
    for id in held {
        assert!(
            entries
                .iter()
                .any(|e| holds(e).iter().any(|h| &h.transaction_id == id)),
            "{id} is not in the ledger"
        );
    }
}

#[tokio::test]
async fn a_crash_after_any_call_loses_and_duplicates_nothing() {
    let faults = Faults::none();
    let mut unharmed = handler(&faults);
    assert_eq!(handle(&mut unharmed, &ten()).await, [""; 0]);
    assert_complete(&unharmed);
    let calls = faults.calls();
    assert_eq!(
        calls
            .iter()
            .map(|call| call.split_whitespace().next().unwrap())
            .collect::<Vec<_>>(),
        ["put", "put_new", "publish", "submit", "put"],
        "transactions, ledger, decisions, statement, ledger"
    );
    for step in 0..calls.len() {
        let faults = Faults::none();
        let mut handler = handler(&faults);
        faults.die_after(step);
        // A process that died sends no response: Lambda redelivers the whole batch.
        let _ = handler.handle(ten(), now()).await;
        faults.clear();
        deliver(&mut handler, ten()).await;
        assert_complete(&handler);
        assert_eq!(ledger(&handler).len(), 1, "after step {step}");
        assert_eq!(
            handler.warehouse.submitted().len(),
            1,
            "the token makes both submissions one statement, after step {step}"
        );
        assert!(
            ledger(&handler)[0].statement_id.is_some(),
            "after step {step}"
        );
    }
}

#[tokio::test]
async fn a_lost_answer_changes_nothing() {
    for operation in ["put", "put_new", "publish", "submit"] {
        let faults = Faults::none();
        let mut handler = handler(&faults);
        faults.add(Fault::on(operation).times(1).late());
        deliver(&mut handler, ten()).await;
        assert_complete(&handler);
        assert_eq!(handler.warehouse.submitted().len(), 1, "{operation}");
    }
}

#[tokio::test]
async fn a_failing_bucket_reports_the_first_record_and_publishes_nothing() {
    for (operation, name) in [
        ("put", "transactions/"),
        ("put_new", "pending/"),
        ("put", "rejected/"),
    ] {
        let faults = Faults::none();
        let mut handler = handler(&faults);
        faults.add(Fault::on(operation).name(name));
        let mut records = ten();
        push(&mut records, 10, b"not a transaction");
        assert_eq!(
            handle(&mut handler, &records).await,
            [sequence_number(0)],
            "{operation} {name}"
        );
        assert!(
            handler.decisions.published().is_empty(),
            "{operation} {name}: a decision is published only after it is stored"
        );
        assert!(handler.warehouse.submitted().is_empty());
    }
}

#[tokio::test]
async fn a_partly_refused_publish_reports_the_lowest_refused_record() {
    let faults = Faults::none();
    let mut handler = handler(&faults);
    faults.add(Fault::on("record").after(4).times(2));
    assert_eq!(handle(&mut handler, &ten()).await, [sequence_number(4)]);
    assert_eq!(handler.decisions.published().len(), 8);
    assert!(
        handler.warehouse.submitted().is_empty(),
        "no final decision may overtake its provisional one"
    );
    faults.clear();
    deliver(&mut handler, from(&ten(), &sequence_number(4))).await;
    assert_complete(&handler);
}

#[tokio::test]
async fn a_failed_publish_reports_the_first_record_with_a_published_decision() {
    let faults = Faults::none();
    let mut handler = handler(&faults);
    handler.settings.publish = Publish::HoldsOnly;
    faults.add(Fault::on("publish"));
    assert_eq!(handle(&mut handler, &ten()).await, [sequence_number(3)]);
    faults.clear();
    assert_eq!(
        handle(&mut handler, &from(&ten(), &sequence_number(3))).await,
        [""; 0]
    );
    assert_eq!(
        handler
            .decisions
            .decisions()
            .iter()
            .map(|d| d.action)
            .collect::<Vec<_>>(),
        [Action::Hold; 3]
    );
    assert_eq!(rows(&handler).len(), 10);
}

#[tokio::test]
async fn a_failing_warehouse_leaves_the_submission_to_the_sweep() {
    let faults = Faults::none();
    let mut handler = handler(&faults);
    faults.add(Fault::on("submit"));
    assert_eq!(handle(&mut handler, &ten()).await, [""; 0]);
    assert_complete(&handler);
    assert_eq!(ledger(&handler)[0].statement_id, None);
}

#[tokio::test]
async fn a_hanging_warehouse_does_not_stall_the_batch() {
    let faults = Faults::none();
    let mut handler = handler(&faults);
    faults.add(Fault::on("submit").hang());
    let began = Instant::now();
    assert_eq!(handle(&mut handler, &ten()).await, [""; 0]);
    assert!(
        began.elapsed() >= handler.settings.patience
            && began.elapsed() < handler.settings.patience * 20
    );
    assert_complete(&handler);
    assert_eq!(ledger(&handler)[0].statement_id, None);
}

#[tokio::test]
async fn holds_beyond_the_limit_of_one_statement_get_several_statements() {
    const HOLDS: usize = 8_000;
    let mut handler = handler(&Faults::none());
    let mut records = Records::of_shard(SHARD);
    let wide = |number: usize| {
        transaction(number as u32, 990.0).replace("\"C", &format!("\"{}", "c".repeat(250)))
    };
    for number in 0..HOLDS / 100 {
        let lines: Vec<String> = (0..100).map(|line| wide(number * 100 + line)).collect();
        push(&mut records, number as u32, lines.join("\n").as_bytes());
    }
    for delivery in 1..=2 {
        assert_eq!(handle(&mut handler, &records).await, [""; 0]);
        let (entries, submitted) = (ledger(&handler), handler.warehouse.submitted());
        assert!(
            submitted
                .iter()
                .all(|(_, statement)| statement.sqls.len() <= 40),
            "the Data API takes no more"
        );
        assert!(
            entries.len() > 1 && entries.len() == submitted.len(),
            "{} entries",
            entries.len()
        );
        assert!(entries.iter().all(|entry| entry.statement_id.is_some()));
        let held: BTreeSet<&str> = entries
            .iter()
            .flat_map(holds)
            .map(|hold| hold.transaction_id.as_str())
            .collect();
        assert_eq!(held.len(), HOLDS, "delivery {delivery}");
    }
}

#[tokio::test]
async fn an_unwritten_statement_id_does_not_fail_the_batch() {
    let faults = Faults::none();
    let mut handler = handler(&faults);
    faults.add(Fault::on("put").name("pending/"));
    assert_eq!(handle(&mut handler, &ten()).await, [""; 0]);
    assert_eq!(handler.warehouse.submitted().len(), 1);
    assert_eq!(ledger(&handler)[0].statement_id, None);
}

#[tokio::test]
async fn a_redelivery_does_not_change_an_entry_that_has_progressed() {
    let mut handler = handler(&Faults::none());
    assert_eq!(handle(&mut handler, &ten()).await, [""; 0]);
    let mut entry = ledger(&handler).remove(0);
    entry.attempts = 2;
    entry.statement_id = Some("second".to_owned());
    let key = decision::keys::pending(&entry.name);
    handler
        .objects
        .set(&key, serde_json::to_vec(&entry).unwrap());
    assert_eq!(handle(&mut handler, &ten()).await, [""; 0]);
    assert_eq!(ledger(&handler), [entry]);
    assert_eq!(handler.warehouse.submitted().len(), 1);
}

#[tokio::test]
async fn holds_missing_from_another_bundles_entry_get_a_second_entry() {
    let mut handler = handler(&Faults::none());
    assert_eq!(handle(&mut handler, &ten()).await, [""; 0]);
    let mut entry = ledger(&handler).remove(0);
    if let decision::ledger::SettleWork::Confirm { holds } = &mut entry.work {
        holds.truncate(1);
    }
    handler.objects.set(
        &decision::keys::pending(&entry.name),
        serde_json::to_vec(&entry).unwrap(),
    );
    assert_eq!(handle(&mut handler, &ten()).await, [""; 0]);
    assert_complete(&handler);
    let names: BTreeSet<_> = ledger(&handler).into_iter().map(|e| e.name).collect();
    assert_eq!(
        names,
        BTreeSet::from([
            entry.name.clone(),
            format!("{}-{}", entry.name, handler.bundle.version())
        ])
    );
}

#[tokio::test]
async fn a_failure_at_a_record_without_sequence_number_fails_the_whole_batch() {
    let faults = Faults::none();
    let mut handler = handler(&faults);
    faults.add(Fault::on("put"));
    let mut records = Records::of_shard(SHARD);
    records.push("", now(), transaction(1, 5.0).as_bytes());
    let error = handler.handle(records, now()).await.unwrap_err();
    assert!(matches!(error, Error::NoSequenceNumber(_)), "{error}");
}

#[tokio::test]
async fn a_missing_profile_is_named_in_the_decision_and_in_the_row() {
    let mut handler = handler(&Faults::none());
    let files = harness::fixture::profiled(
        "2026-01-31T00:00:00Z".parse().unwrap(),
        Some(&[("C1", 20.0)]),
    );
    handler.bundle = bundle::Bundle::open(&files).unwrap();
    assert_eq!(
        handle(&mut handler, &records(&[(1, 9.5), (2, 9.5)])).await,
        [""; 0]
    );
    let degraded: Vec<Vec<String>> = handler
        .decisions
        .decisions()
        .into_iter()
        .map(|decision| decision.degraded)
        .collect();
    assert_eq!(
        degraded,
        [vec![], vec!["profile_missing:customer_id".to_owned()]]
    );
    let rows = rows(&handler);
    let told: Vec<bool> = rows
        .values()
        .map(|row| row.get("degraded").is_some())
        .collect();
    assert_eq!(told, [false, true]);
}
