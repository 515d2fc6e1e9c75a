//! Handles each event under events/confirm, as AWS sends it.

#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

mod support;

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

use decision::Action;
use harness::holds::{World, at, hold, row};
use harness::memory::{Fault, Faults, Objects, Stream, Warehouse};
use support::{Stack, assert_settled, event, ledgers, place};
use turns::{Lane, Progress, TurnId, TurnNumber};
use warehouse::Status;

/// The lanes that this event names, and how they stand after it.
async fn handled(stack: &Stack, world: &World, name: &str, seconds: i64) -> String {
    let progress = stack.handle(world, event(name), at(seconds)).await;
    format!("{:?}", progress.unwrap())
}

async fn two_holds(stack: &Stack) -> World {
    let world = World::new(vec![row(0, "guilty"), row(1, "innocent")]);
    world.objects.set_time(at(1));
    place(&world, &[vec![hold("a", 600), hold("b", 600)]]);
    stack.load(&world).await;
    world
}

#[tokio::test]
async fn each_event_has_a_test() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../events/confirm");
    let files = std::fs::read_dir(folder)
        .unwrap()
        .map(|file| file.unwrap().file_name().into_string().unwrap());
    let tested = [
        "aborted.json",
        "batch.json",
        "failed.json",
        "finished.json",
        "unknown_fields.json",
        "without_statement_name.json",
    ];
    assert_eq!(
        files.collect::<BTreeSet<_>>(),
        tested.map(str::to_owned).into()
    );
}

#[tokio::test]
async fn a_completion_event_settles_the_holds_of_its_lane() {
    for name in [
        "finished.json",
        "batch.json",
        "unknown_fields.json",
        "without_statement_name.json",
    ] {
        let stack = Stack::new();
        let world = two_holds(&stack).await;
        let progress = stack.handle(&world, event(name), at(5)).await.unwrap();
        assert_eq!(progress["evidence-0"], Progress::Ended, "{name}");
        assert_settled(&world, &[hold("a", 600), hold("b", 600)]);
    }
}

#[tokio::test]
async fn a_failed_or_aborted_statement_is_tried_again_later() {
    for (name, status) in [
        ("failed.json", Status::Failed { error: "x".into() }),
        ("aborted.json", Status::Aborted),
    ] {
        let stack = Stack::new();
        let world = two_holds(&stack).await;
        let (id, _) = world.warehouse.submitted().pop().unwrap();
        world.warehouse.set_status(&id, status);
        let progress = stack.handle(&world, event(name), at(1)).await.unwrap();
        let stands = progress["evidence-0"];
        assert!(matches!(stands, Progress::RetryAt(_)), "{name}: {stands:?}");
        assert_eq!(ledgers(&world).len(), 1, "{name}");
    }
}

#[tokio::test]
async fn the_status_of_the_warehouse_overrides_the_event() {
    let stack = Stack::new();
    let world = two_holds(&stack).await;
    assert_eq!(
        handled(&stack, &world, "failed.json", 5).await,
        r#"{"evidence-0": Ended}"#,
        "the event says FAILED, the warehouse says finished"
    );
    let world = two_holds(&stack).await;
    world.warehouse.script([Status::Running]);
    assert_eq!(
        handled(&stack, &world, "finished.json", 5).await,
        r#"{"evidence-0": Running}"#,
        "the event says FINISHED, the warehouse says running"
    );
    assert_eq!(ledgers(&world).len(), 1);
}

#[tokio::test]
async fn a_repeated_event_changes_nothing() {
    let stack = Stack::new();
    let world = two_holds(&stack).await;
    handled(&stack, &world, "finished.json", 5).await;
    let published = world.decisions.published();
    let again = handled(&stack, &world, "finished.json", 6).await;
    assert_eq!(again, r#"{"evidence-0": Idle}"#);
    let nameless = handled(&stack, &world, "without_statement_name.json", 6).await;
    assert_eq!(nameless, r#"{"evidence-0": Idle, "evidence-1": Idle}"#);
    assert_eq!(world.decisions.published(), published);
}

#[tokio::test]
async fn events_of_other_stacks_and_other_lanes_are_ignored() {
    let stack = Stack::new();
    let world = two_holds(&stack).await;
    let calls = world.faults.calls();
    for name in [
        "other/evidence-0/1/0",
        "second-look/transactions/1/0",
        "second-look/outcomes/1/0",
        "second-look-train-1",
    ] {
        let mut theirs = event("finished.json");
        theirs.detail.statement_name = Some(name.to_owned());
        let progress = stack.handle(&world, theirs, at(5)).await.unwrap();
        assert_eq!(progress, BTreeMap::new(), "{name}");
    }
    assert_eq!(world.faults.calls(), calls, "nothing is read or written");
}

#[tokio::test]
async fn a_failing_lane_does_not_keep_another_from_being_advanced() {
    let stack = Stack::new();
    let world = two_holds(&stack).await;
    let turn = TurnId {
        lane: Lane::Evidence(1),
        number: TurnNumber::FIRST,
    };
    world.objects.set(&turn.claim_key(), "damaged");
    let failed = stack
        .handle(&world, event("without_statement_name.json"), at(5))
        .await;
    assert!(failed.is_err());
    assert_settled(&world, &[hold("a", 600), hold("b", 600)]);
}

#[tokio::test]
async fn refused_decisions_repeat_the_turn_and_the_first_outcome_stays() {
    let stack = Stack::new();
    let world = two_holds(&stack).await;
    world.faults.add(Fault::on("record").after(1).times(1));
    let error = stack.confirm(&world, at(5)).await.unwrap_err();
    let text = startup::chain(&error);
    assert!(text.contains("did not accept 1 of 2 final"), "{text}");
    assert_eq!(ledgers(&world).len(), 1);
    stack.confirm(&world, at(6)).await.unwrap();
    assert_settled(&world, &[hold("a", 600), hold("b", 600)]);
    assert_eq!(world.outcomes()["a"].decided_at, at(5));
}

/// A warehouse in which evidence statements about this ordinal fail.
fn failing_at(bad: u32) -> World {
    let faults = Faults::none();
    let answer = move |sql: &str, _: &[(String, String)]| {
        let bound = |text: &str| {
            let (_, rest) = sql.split_once(text)?;
            rest.split(|c: char| !c.is_ascii_digit())
                .next()?
                .parse()
                .ok()
        };
        let Some(from) = bound("ordinal >= ") else {
            return Ok(Vec::new());
        };
        let to: u32 = bound("ordinal < ").unwrap();
        if (from..to).contains(&bad) {
            return Err("division by zero".to_owned());
        }
        Ok((from..to).map(|ordinal| row(ordinal, "innocent")).collect())
    };
    World {
        objects: Objects::with(&faults),
        decisions: Stream::with(&faults),
        warehouse: Warehouse::with(&faults).answering(answer),
        faults,
    }
}

#[tokio::test]
async fn evidence_that_fails_is_split_down_to_the_hold_that_makes_it_fail() {
    let stack = Stack::new();
    let holds: Vec<_> = ["a", "b", "c", "d", "e"].map(|id| hold(id, 600)).to_vec();
    let world = failing_at(3);
    place(&world, std::slice::from_ref(&holds));
    stack.load(&world).await;
    for second in 5..20 {
        stack.confirm(&world, at(second)).await.unwrap();
    }
    assert_settled(&world, &holds);
    for (id, outcome) in world.outcomes() {
        let expected = if id == "d" {
            Action::Block
        } else {
            Action::Release
        };
        assert_eq!(outcome.action, expected, "{id}");
        assert_eq!(outcome.evidence.is_some(), id != "d", "{id}");
    }
}
