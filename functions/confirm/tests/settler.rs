//! The settler by itself: parts of ledger objects, damaged objects, slices and forgotten batches.

#![expect(
    clippy::indexing_slicing,
    clippy::unwrap_used,
    reason = "a test fails by panicking"
)]

mod support;

use confirm::{Forgotten, Known, PartToSettle, SettleReport};
use decision::{Action, Hold, SettledBy, keys};
use harness::holds::{World, at, hold};
use harness::memory::Fault;
use jiff::SignedDuration;
use support::{Stack, assert_settled, evidence, ledgers, place, sent_again};
use turns::{ClaimedEntry, Lane, WaitingEntry};

fn part(ledger: &str, places: impl IntoIterator<Item = usize>) -> PartToSettle {
    support::part(ledger, places, &Known::NoEvidence)
}

fn holds(ids: &[&str]) -> Vec<Hold> {
    ids.iter().map(|id| hold(id, 600)).collect()
}

async fn settle(
    stack: &Stack,
    world: &World,
    parts: Vec<PartToSettle>,
) -> Result<SettleReport, confirm::Error> {
    let settler = stack.settler(world);
    settler.settle(parts, SettledBy::Confirm, at(5)).await
}

#[tokio::test]
async fn a_part_of_a_batch_leaves_its_ledger_object_for_the_rest() {
    let stack = Stack::new();
    let world = World::new(Vec::new());
    let all = holds(&["a", "b", "c"]);
    let keys = place(&world, std::slice::from_ref(&all));
    let first = settle(&stack, &world, vec![part(&keys[0], [1])])
        .await
        .unwrap();
    assert_eq!((first.settled(), first.deleted), (1, 0));
    assert_eq!(world.published().len(), 1);
    let second = settle(&stack, &world, vec![part(&keys[0], [0, 2])])
        .await
        .unwrap();
    assert_eq!(
        (second.settled(), second.deleted),
        (3, 1),
        "it publishes the first again"
    );
    assert_settled(&world, &all);
}

#[tokio::test]
async fn a_batch_without_its_ledger_object_counts_as_settled() {
    let stack = Stack::new();
    let world = World::new(Vec::new());
    let all = holds(&["a"]);
    let keys = place(&world, std::slice::from_ref(&all));
    let parts = || {
        vec![
            part("holds/20261124T0124/gone.ndjson", [0]),
            part(&keys[0], [0]),
        ]
    };
    let report = settle(&stack, &world, parts()).await.unwrap();
    assert_eq!((report.absent, report.settled()), (1, 1));
    let report = settle(&stack, &world, parts()).await.unwrap();
    assert_eq!((report.absent, report.settled()), (2, 0));
    assert_settled(&world, &all);
}

#[tokio::test]
async fn a_damaged_ledger_object_keeps_no_other_hold_open() {
    let stack = Stack::new();
    let world = World::new(Vec::new());
    let batches = [holds(&["a"]), holds(&["b"])];
    let keys = place(&world, &batches);
    let good = world.objects.bytes(&keys[0]).unwrap();
    world.objects.set(&keys[0], "{\"waiting\":");
    let parts = || vec![part(&keys[0], [0]), part(&keys[1], [0])];
    let report = settle(&stack, &world, parts()).await.unwrap();
    assert_eq!((report.damaged, report.settled()), (1, 1));
    let expired = stack.settler(&world).expire(&keys, at(601)).await.unwrap();
    assert_eq!((expired.damaged, expired.absent), (1, 1));
    assert_eq!(ledgers(&world), keys[..1]);
    world.objects.set(&keys[0], good);
    settle(&stack, &world, parts()).await.unwrap();
    assert_settled(&world, &batches.concat());
}

#[tokio::test]
async fn a_damaged_outcome_keeps_no_other_hold_open() {
    let stack = Stack::new();
    let other = decision::settle::Outcome {
        identity: hold("z", 600).identity,
        ..outcome_of("a").await
    };
    let other = serde_json::to_vec(&other).unwrap();
    for damage in [b"{".to_vec(), Vec::new(), other] {
        let world = World::new(Vec::new());
        let all = holds(&["a", "b"]);
        let keys = place(&world, std::slice::from_ref(&all));
        let outcome = keys::outcome(all[0].identity);
        world.objects.set(&outcome, damage.clone());
        let report = settle(&stack, &world, vec![part(&keys[0], 0..2)])
            .await
            .unwrap();
        assert_eq!(
            (report.damaged, report.settled(), report.deleted),
            (1, 1, 0)
        );
        assert!(world.published().contains_key(&all[1].decision_id));
        assert_eq!(
            world.objects.bytes(&outcome),
            Some(damage),
            "it is not replaced"
        );
        let known = stack.settler(&world).publish_known(&keys[0]).await.unwrap();
        assert_eq!((known.report.damaged, known.waiting), (1, None));
        assert_eq!(ledgers(&world), keys);
        // Repaired.
        world.objects.set(
            &outcome,
            serde_json::to_vec(&outcome_of("a").await).unwrap(),
        );
        stack.settler(&world).expire(&keys, at(700)).await.unwrap();
        assert_settled(&world, &all);
    }
}

async fn outcome_of(id: &str) -> decision::settle::Outcome {
    let world = World::new(Vec::new());
    let keys = place(&world, &[holds(&[id])]);
    settle(&Stack::new(), &world, vec![part(&keys[0], [0])])
        .await
        .unwrap();
    world.outcomes().remove(id).unwrap()
}

#[tokio::test]
async fn a_place_that_the_ledger_object_lacks_is_damage() {
    let stack = Stack::new();
    let world = World::new(Vec::new());
    let all = holds(&["a"]);
    let keys = place(&world, std::slice::from_ref(&all));
    let report = settle(&stack, &world, vec![part(&keys[0], 0..2)])
        .await
        .unwrap();
    assert_eq!((report.damaged, report.settled()), (1, 1));
    assert_settled(&world, &all);
}

#[tokio::test]
async fn refused_decisions_keep_their_ledger_objects_and_are_the_last_error() {
    let stack = Stack::new();
    let world = World::new(Vec::new());
    let batches = [holds(&["a"]), holds(&["b"]), holds(&["c"])];
    let keys = place(&world, &batches);
    world.faults.add(Fault::on("record").after(1).times(1));
    let parts = || keys.iter().map(|key| part(key, [0])).collect();
    let error = settle(&stack, &world, parts()).await.unwrap_err();
    assert_eq!(
        error.to_string(),
        "the stream did not accept 1 of 3 final decisions"
    );
    assert!(error.is_transient());
    assert_eq!(ledgers(&world), keys[1..2], "the others are done");
    assert_eq!(world.slices().len(), 3);
    settle(&stack, &world, parts()).await.unwrap();
    assert_settled(&world, &batches.concat());
}

#[tokio::test]
async fn a_repetition_writes_the_same_slice_and_its_waiting_entry() {
    let stack = Stack::new();
    let world = World::new(Vec::new());
    let all = holds(&["a", "b"]);
    let keys = place(&world, std::slice::from_ref(&all));
    settle(&stack, &world, vec![part(&keys[0], 0..2)])
        .await
        .unwrap();
    let slices = world.objects.keys(keys::OUTCOME_SLICES);
    let waiting = world.objects.keys(&WaitingEntry::prefix(Lane::Outcomes));
    assert_eq!((slices.len(), waiting.len()), (1, 1));
    place(&world, std::slice::from_ref(&all));
    stack.settler(&world).expire(&keys, at(900)).await.unwrap();
    assert_eq!(world.objects.keys(keys::OUTCOME_SLICES), slices);
    assert_settled(&world, &all);
    let claimed = ClaimedEntry {
        key: waiting[0].clone(),
        file: None,
    };
    assert_eq!(claimed.object_key(), Some(slices[0].clone()));
    let bytes = world.objects.bytes(&slices[0]).unwrap().len() as u64;
    assert_eq!(claimed.entry().unwrap().bytes(), bytes);
}

#[tokio::test]
async fn a_slice_says_when_its_earliest_decision_was_made() {
    let stack = Stack::new();
    let world = World::new(Vec::new());
    let keys = place(&world, &[holds(&["b"])]);
    stack.settler(&world).expire(&keys, at(700)).await.unwrap();
    let keys = place(&world, &[holds(&["a", "b"])]);
    stack.settler(&world).expire(&keys, at(900)).await.unwrap();
    assert_eq!(world.outcomes()["a"].decided_at, at(900));
    let waiting = world.objects.keys(&WaitingEntry::prefix(Lane::Outcomes));
    let slices = waiting.iter().filter_map(|key| WaitingEntry::parse(key));
    let decided = slices.filter_map(|entry| match entry {
        WaitingEntry::Outcomes(slice) => Some(slice.decided_at),
        _ => None,
    });
    assert_eq!(decided.collect::<Vec<_>>(), [at(700), at(700)]);
}

#[tokio::test]
async fn decided_at_has_the_precision_of_the_warehouse() {
    let stack = Stack::new();
    let world = World::new(Vec::new());
    let keys = place(&world, &[holds(&["a"])]);
    let now = at(700) + SignedDuration::from_nanos(123_456_789);
    stack.settler(&world).expire(&keys, now).await.unwrap();
    let expected = at(700) + SignedDuration::from_micros(123_456);
    assert_eq!(world.outcomes()["a"].decided_at, expected);
}

#[tokio::test]
async fn the_first_entity_is_the_partition_key_else_the_transaction_id() {
    let stack = Stack::new();
    let world = World::new(Vec::new());
    let mut all = holds(&["a", "b"]);
    all[1].entities.remove("terminal_id");
    let keys = place(&world, &[all]);
    settle(&stack, &world, vec![part(&keys[0], 0..2)])
        .await
        .unwrap();
    let records = world.decisions.published();
    let partition_keys: Vec<_> = records.iter().map(|record| &record.partition_key).collect();
    assert_eq!(partition_keys, ["t1", "b"]);
}

#[tokio::test]
async fn slices_have_at_most_500_decisions_and_four_slices_of_ledger_objects_are_in_memory() {
    let stack = Stack::new();
    let world = World::new(Vec::new());
    let counts = [300, 300, 700, 300, 300, 300];
    let many = |(batch, holds): (usize, &usize)| {
        let ids = (0..*holds).map(|number| hold(&format!("{batch}-{number}"), 600));
        ids.collect::<Vec<Hold>>()
    };
    let batches: Vec<Vec<Hold>> = counts.iter().enumerate().map(many).collect();
    let keys = place(&world, &batches);
    let parts = counts.into_iter().zip(&keys);
    let parts = parts.map(|(holds, key)| part(key, 0..holds)).collect();
    let report = settle(&stack, &world, parts).await.unwrap();
    assert_eq!((report.settled(), report.deleted), (2_200, 6));
    assert_eq!(report.missing_evidence, 2_200);
    assert_settled(&world, &batches.concat());
    assert_eq!(world.objects.keys(keys::OUTCOME_SLICES).len(), 7);
    let mut open = 0;
    for call in world.faults.calls() {
        open += usize::from(call.starts_with("get holds/"));
        open -= usize::from(call.starts_with("delete holds/"));
        assert!(open <= 4, "{open} ledger objects at {call}");
    }
}

#[tokio::test]
async fn the_first_of_several_holds_of_one_transaction_determines_the_outcome() {
    let stack = Stack::new();
    let first = hold("a", 600);
    let again = sent_again(&first, "7");
    for slow_request in [None, Some(0), Some(1)] {
        let world = World::new(Vec::new());
        let batches = [vec![first.clone()], vec![again.clone()]];
        let keys = place(&world, &batches);
        if let Some(request) = slow_request {
            let fault = Fault::on("put_new").after(request).times(1);
            world.faults.add(fault.slow());
        }
        let parts = vec![
            support::part(&keys[1], [0], &evidence(0.9)),
            support::part(&keys[0], [0], &evidence(0.1)),
        ];
        settle(&stack, &world, parts).await.unwrap();
        assert_settled(&world, &batches.concat());
        let outcome = &world.outcomes()["a"];
        assert_eq!(outcome.action, Action::Release, "{slow_request:?}");
    }
}

#[tokio::test]
async fn a_forgotten_batch_is_published_as_far_as_it_is_known() {
    let stack = Stack::new();
    let world = World::new(Vec::new());
    let all = holds(&["a", "b"]);
    let keys = place(&world, std::slice::from_ref(&all));
    let waiting = world
        .objects
        .keys(&WaitingEntry::prefix(Lane::Transactions));
    let settler = stack.settler(&world);

    let unknown = settler.publish_known(&keys[0]).await.unwrap();
    assert_eq!(unknown.waiting, Some(waiting[0].clone()));
    assert_eq!(unknown.report, SettleReport::default());

    settle(&stack, &world, vec![part(&keys[0], [1])])
        .await
        .unwrap();
    let partly = settler.publish_known(&keys[0]).await.unwrap();
    assert_eq!(partly.waiting, Some(waiting[0].clone()));
    assert_eq!((partly.report.settled(), partly.report.deleted), (1, 0));

    let outcome = outcome_of("a").await;
    let json = serde_json::to_vec(&outcome).unwrap();
    world.objects.set(&keys::outcome(outcome.identity), json);
    let known = settler.publish_known(&keys[0]).await.unwrap();
    assert_eq!(known.waiting, None);
    assert_eq!((known.report.settled(), known.report.deleted), (2, 1));
    assert_settled(&world, &all);

    let gone = settler.publish_known(&keys[0]).await.unwrap();
    let expected = Forgotten {
        report: SettleReport {
            absent: 1,
            ..SettleReport::default()
        },
        waiting: None,
    };
    assert_eq!(gone, expected);
}
