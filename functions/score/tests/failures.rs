//! Promises 3 and 4: the same bytes give the same decisions however the batches are cut; a failing
//! dependency loses nothing and doubles nothing.

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
use proptest::prelude::*;
use score::{Error, Records, judge};
use support::*;

/// Ten transactions, of which 3, 6 and 9 are held.
fn ten() -> Records {
    let amounts = (0..10).map(|number| {
        (
            number,
            if number > 0 && number % 3 == 0 {
                990.0
            } else {
                5.0
            },
        )
    });
    records(&amounts.collect::<Vec<_>>())
}

/// What is left of a batch from this record on: what Lambda brings again.
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

/// Delivers the batch again, as Lambda does, until it is finished.
async fn deliver(context: &Twins, mut records: Records) {
    for _ in 0..20 {
        let failed = handle(context, &records).await;
        let Some(lowest) = failed.first() else { return };
        records = from(&records, lowest);
        assert!(!records.is_empty(), "{lowest} is no record of the batch");
        context.objects.faults().clear();
    }
    panic!("not finished after 20 deliveries");
}

/// Everything that must be there after the ten, whatever happened in between.
fn assert_complete(context: &Twins) {
    assert_eq!(
        rows(context).len(),
        10,
        "each transaction has one row for MERGE to find"
    );
    let mut published: BTreeMap<String, Vec<Decision>> = BTreeMap::new();
    for decision in context.decisions.decisions() {
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
    let entries = ledger(context);
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
async fn a_crash_after_any_call_loses_nothing_and_doubles_nothing() {
    let faults = Faults::none();
    let unharmed = context(&faults);
    assert_eq!(handle(&unharmed, &ten()).await, [""; 0]);
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
        let context = context(&faults);
        faults.die_after(step);
        // A process that died answers nothing: Lambda brings all of it again.
        let _ = context.handle(&ten(), now()).await;
        faults.clear();
        deliver(&context, ten()).await;
        assert_complete(&context);
        assert_eq!(ledger(&context).len(), 1, "after step {step}");
        assert_eq!(
            context.warehouse.submitted().len(),
            1,
            "the token makes both submissions one, after step {step}"
        );
        assert!(
            ledger(&context)[0].statement_id.is_some(),
            "after step {step}"
        );
    }
}

#[tokio::test]
async fn an_answer_that_is_lost_changes_nothing() {
    for operation in ["put", "put_new", "publish", "submit"] {
        let faults = Faults::none();
        let context = context(&faults);
        faults.add(Fault::on(operation).times(1).late());
        deliver(&context, ten()).await;
        assert_complete(&context);
        assert_eq!(context.warehouse.submitted().len(), 1, "{operation}");
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
        let context = context(&faults);
        faults.add(Fault::on(operation).name(name));
        let mut records = ten();
        push(&mut records, 10, b"not a transaction");
        assert_eq!(
            handle(&context, &records).await,
            [sequence_number(0)],
            "{operation} {name}"
        );
        assert!(
            context.decisions.published().is_empty(),
            "{operation} {name}: nobody hears of what is not safe"
        );
        assert!(context.warehouse.submitted().is_empty());
    }
}

#[tokio::test]
async fn a_stream_that_takes_some_reports_the_lowest_it_did_not_take() {
    let faults = Faults::none();
    let context = context(&faults);
    faults.add(Fault::on("record").after(4).times(2));
    assert_eq!(handle(&context, &ten()).await, [sequence_number(4)]);
    assert_eq!(context.decisions.published().len(), 8);
    assert!(
        context.warehouse.submitted().is_empty(),
        "no final decision may overtake its provisional one"
    );
    faults.clear();
    deliver(&context, from(&ten(), &sequence_number(4))).await;
    assert_complete(&context);
}

#[tokio::test]
async fn a_stream_that_takes_nothing_reports_the_first_that_was_to_be_published() {
    let faults = Faults::none();
    let mut context = context(&faults);
    context.settings.publish_approvals = false;
    faults.add(Fault::on("publish"));
    assert_eq!(handle(&context, &ten()).await, [sequence_number(3)]);
    faults.clear();
    assert_eq!(
        handle(&context, &from(&ten(), &sequence_number(3))).await,
        [""; 0]
    );
    assert_eq!(
        context
            .decisions
            .decisions()
            .iter()
            .map(|d| d.action)
            .collect::<Vec<_>>(),
        [Action::Hold; 3]
    );
    assert_eq!(rows(&context).len(), 10);
}

#[tokio::test]
async fn a_failing_warehouse_is_left_to_the_sweep() {
    let faults = Faults::none();
    let context = context(&faults);
    faults.add(Fault::on("submit"));
    assert_eq!(handle(&context, &ten()).await, [""; 0]);
    assert_complete(&context);
    assert_eq!(ledger(&context)[0].statement_id, None);
}

#[tokio::test]
async fn a_warehouse_that_hangs_stalls_no_batch_and_is_left_to_the_sweep() {
    let faults = Faults::none();
    let context = context(&faults);
    faults.add(Fault::on("submit").hang());
    let began = Instant::now();
    assert_eq!(handle(&context, &ten()).await, [""; 0]);
    assert!(
        began.elapsed() >= context.settings.patience
            && began.elapsed() < context.settings.patience * 20
    );
    assert_complete(&context);
    assert_eq!(ledger(&context)[0].statement_id, None);
}

#[tokio::test]
async fn more_holds_than_one_statement_can_ask_about_are_asked_about_in_several() {
    const HOLDS: usize = 8_000;
    let context = context(&Faults::none());
    let mut records = Records::of_shard("000000000006");
    let wide = |number: usize| {
        transaction(number as u32, 990.0).replace("\"C", &format!("\"{}", "c".repeat(250)))
    };
    for number in 0..HOLDS / 100 {
        let lines: Vec<String> = (0..100).map(|line| wide(number * 100 + line)).collect();
        push(&mut records, number as u32, lines.join("\n").as_bytes());
    }
    for delivery in 1..=2 {
        assert_eq!(handle(&context, &records).await, [""; 0]);
        let (entries, submitted) = (ledger(&context), context.warehouse.submitted());
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
async fn a_statement_id_that_cannot_be_written_is_left_to_the_sweep() {
    let faults = Faults::none();
    let context = context(&faults);
    faults.add(Fault::on("put").name("pending/"));
    assert_eq!(handle(&context, &ten()).await, [""; 0]);
    assert_eq!(context.warehouse.submitted().len(), 1);
    assert_eq!(ledger(&context)[0].statement_id, None);
}

#[tokio::test]
async fn a_redelivery_leaves_an_entry_that_is_further_as_it_is() {
    let context = context(&Faults::none());
    assert_eq!(handle(&context, &ten()).await, [""; 0]);
    let mut entry = ledger(&context).remove(0);
    entry.attempts = 2;
    entry.statement_id = Some("second".to_owned());
    let key = decision::keys::pending(&entry.name);
    context
        .objects
        .set(&key, serde_json::to_vec(&entry).unwrap());
    assert_eq!(handle(&context, &ten()).await, [""; 0]);
    assert_eq!(ledger(&context), [entry]);
    assert_eq!(context.warehouse.submitted().len(), 1);
}

#[tokio::test]
async fn holds_that_another_bundle_did_not_place_get_an_entry_of_their_own() {
    let context = context(&Faults::none());
    assert_eq!(handle(&context, &ten()).await, [""; 0]);
    let mut entry = ledger(&context).remove(0);
    if let decision::ledger::SettleWork::Confirm { holds } = &mut entry.work {
        holds.truncate(1);
    }
    context.objects.set(
        &decision::keys::pending(&entry.name),
        serde_json::to_vec(&entry).unwrap(),
    );
    assert_eq!(handle(&context, &ten()).await, [""; 0]);
    assert_complete(&context);
    let names: BTreeSet<_> = ledger(&context).into_iter().map(|e| e.name).collect();
    assert_eq!(
        names,
        BTreeSet::from([
            entry.name.clone(),
            format!("{}-{}", entry.name, context.bundle.version())
        ])
    );
}

#[tokio::test]
async fn a_failure_without_a_name_to_report_it_by_fails_the_whole_batch() {
    let faults = Faults::none();
    let context = context(&faults);
    faults.add(Fault::on("put"));
    let mut records = Records::of_shard("000000000006");
    records.push("", now(), transaction(1, 5.0).as_bytes());
    let error = context.handle(&records, now()).await.unwrap_err();
    assert!(matches!(error, Error::Nameless(_)), "{error}");
}

proptest! {
    /// Scores, actions, reasons, deadlines and rows: all but the object's name.
    #[test]
    fn the_same_bytes_give_the_same_decisions_however_the_batches_are_cut(
        amounts in prop::collection::vec(prop_oneof![0.0..2000.0, Just(f64::NAN)], 1..60),
        cuts in prop::collection::vec(1_usize..20, 1..60),
        per_record in 1_usize..5,
    ) {
        let lines: Vec<String> = (0..).zip(&amounts).map(|(number, amount)| transaction(number, *amount)).collect();
        let mut all = Records::of_shard("000000000006");
        for (number, lines) in (0..).zip(lines.chunks(per_record)) {
            push(&mut all, number, lines.join("\n").as_bytes());
        }
        let bundle = bundle();
        let whole = judge(&bundle, &all, true, now());
        let (mut outgoing, mut held, mut rejected, mut rows) = (Vec::new(), Vec::new(), Vec::new(), Vec::new());
        let mut cuts = cuts.iter().cycle();
        let mut left = all.iter().peekable();
        while left.peek().is_some() {
            let mut part = Records::of_shard("000000000006");
            for record in left.by_ref().take(*cuts.next().unwrap()) {
                part.push(record.sequence_number.as_str(), record.arrived_at, record.data);
            }
            let judged = judge(&bundle, &part, true, now());
            outgoing.extend(judged.outgoing);
            held.extend(judged.holds);
            rejected.extend(judged.rejected);
            if !judged.body.is_empty() {
                rows.extend(store::gunzip("part", &judged.body).unwrap());
            }
        }
        prop_assert_eq!(outgoing, whole.outgoing);
        prop_assert_eq!(held, whole.holds);
        let mut by_name = whole.rejected;
        by_name.sort_by(|a, b| a.name.cmp(&b.name));
        rejected.sort_by(|a, b| a.name.cmp(&b.name));
        prop_assert_eq!(rejected, by_name);
        if !whole.body.is_empty() {
            prop_assert_eq!(rows, store::gunzip("whole", &whole.body).unwrap());
        }
    }
}

#[tokio::test]
async fn what_was_not_known_stands_in_the_decision_and_in_the_bucket() {
    let faults = Faults::none();
    let mut context = context(&faults);
    let files = harness::fixture::profiled(
        "2026-01-31T00:00:00Z".parse().unwrap(),
        Some(&[("C1", 20.0)]),
    );
    context.bundle = bundle::Bundle::open(&files).unwrap();
    assert_eq!(
        handle(&context, &records(&[(1, 9.5), (2, 9.5)])).await,
        [""; 0]
    );
    let degraded: Vec<Vec<String>> = context
        .decisions
        .decisions()
        .into_iter()
        .map(|decision| decision.degraded)
        .collect();
    assert_eq!(
        degraded,
        [vec![], vec!["profile_missing:customer_id".to_owned()]]
    );
    let rows = rows(&context);
    let told: Vec<bool> = rows
        .values()
        .map(|row| row.get("degraded").is_some())
        .collect();
    assert_eq!(told, [false, true]);
}
