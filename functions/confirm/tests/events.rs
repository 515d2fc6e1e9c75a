//! Every event under events/confirm, as AWS sends it, through the handler.

#![expect(
    clippy::panic,
    clippy::unwrap_used,
    reason = "a test fails by panicking"
)]

mod support;

use std::collections::BTreeSet;
use std::path::Path;

use confirm::{Event, SettleReport, handle};
use support::{NAME, PREFIX, World, at, hold, row};
use warehouse::Status;

const STATEMENT_ID: &str = "dd2e1ec9-2ee3-49a0-819f-905fa7d75a4a";

fn event(name: &str) -> Event {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../events/confirm");
    serde_json::from_slice(&std::fs::read(folder.join(name)).unwrap()).unwrap()
}

/// What comes of an event about a statement whose holds wait; `status` is the truth about it.
async fn handled(name: &str, status: Status) -> (SettleReport, World) {
    let world = World::new(vec![row("a", "guilty"), row("b", "innocent")]);
    let id = world.hold(NAME, &[hold("a", 600), hold("b", 600)]).await;
    world.warehouse.set_status(&id, status);
    let event = match event(name) {
        // The twin gives its own ids; the event is about this statement.
        Event { mut detail } if detail.statement_name.is_none() => {
            assert_eq!(detail.statement_id, STATEMENT_ID);
            detail.statement_id = id.0;
            Event { detail }
        }
        event => event,
    };
    (
        handle(&world.settler(), PREFIX, event, at(5))
            .await
            .unwrap(),
        world,
    )
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
async fn the_end_of_a_statement_settles_its_holds_whatever_else_the_event_says() {
    for name in [
        "finished.json",
        "batch.json",
        "unknown_fields.json",
        "without_statement_name.json",
    ] {
        let (report, world) = handled(name, Status::Finished).await;
        assert_eq!(
            report,
            SettleReport {
                blocked: 1,
                released: 1,
                ..SettleReport::default()
            },
            "{name}"
        );
        assert_eq!(world.published().len(), 2, "{name}");
        assert_eq!(world.entry(NAME), None, "{name}");
    }
}

#[tokio::test]
async fn a_failed_or_aborted_statement_is_submitted_again() {
    for (name, status) in [
        ("failed.json", Status::Failed { error: "x".into() }),
        ("aborted.json", Status::Aborted),
    ] {
        let (report, world) = handled(name, status).await;
        assert_eq!(
            report,
            SettleReport {
                submitted: 1,
                ..SettleReport::default()
            },
            "{name}"
        );
        assert_eq!(world.entry(NAME).unwrap().attempts, 2, "{name}");
    }
}

#[tokio::test]
async fn an_event_is_a_hint_and_the_warehouse_is_believed() {
    let (report, _) = handled("failed.json", Status::Finished).await;
    assert_eq!(report.settled(), 2, "it said FAILED and had finished");
    let (report, world) = handled("finished.json", Status::Running).await;
    assert_eq!(
        report,
        SettleReport {
            waiting: 1,
            ..SettleReport::default()
        },
        "it said FINISHED and runs"
    );
    assert!(world.entry(NAME).is_some());
}

#[tokio::test]
async fn an_event_that_comes_again_or_is_not_ours_changes_nothing() {
    let (_, world) = handled("finished.json", Status::Finished).await;
    let published = world.decisions.published();
    for name in ["finished.json", "without_statement_name.json"] {
        let report = handle(&world.settler(), PREFIX, event(name), at(6))
            .await
            .unwrap();
        assert_eq!(
            report,
            SettleReport {
                absent: 1,
                ..SettleReport::default()
            },
            "{name}"
        );
    }
    let (_, others) = (
        world.hold("other-confirm-1", &[hold("z", 600)]).await,
        &world,
    );
    let mut theirs = event("finished.json");
    theirs.detail.statement_name = Some("other-confirm-1".to_owned());
    let report = handle(&others.settler(), PREFIX, theirs, at(6))
        .await
        .unwrap();
    assert_eq!(
        report,
        SettleReport {
            absent: 1,
            ..SettleReport::default()
        }
    );
    assert!(
        world.entry("other-confirm-1").is_some(),
        "it belongs to another stack"
    );
    assert_eq!(world.decisions.published(), published);
}

#[tokio::test]
async fn an_undecodable_row_does_not_keep_the_others_waiting() {
    let world = World::new(vec![row("a", "undecodable"), row("b", "innocent")]);
    world.hold(NAME, &[hold("a", 600), hold("b", 600)]).await;
    let report = handle(&world.settler(), PREFIX, event("finished.json"), at(5))
        .await
        .unwrap();
    let expected = SettleReport {
        released: 1,
        review: 1,
        missing_rows: 1,
        undecodable_rows: 1,
        ..SettleReport::default()
    };
    assert_eq!(report, expected);
    assert_eq!(world.entry(NAME), None);
}

#[tokio::test]
async fn a_decision_that_the_stream_did_not_take_is_published_by_the_next() {
    let world = World::new(vec![row("a", "guilty"), row("b", "innocent")]);
    world.hold(NAME, &[hold("a", 600), hold("b", 600)]).await;
    world
        .faults
        .add(harness::memory::Fault::on("record").after(1).times(1));
    let error = handle(&world.settler(), PREFIX, event("finished.json"), at(5))
        .await
        .unwrap_err();
    assert!(
        error.to_string().starts_with("1 of 2 final decisions"),
        "{error}"
    );
    handle(&world.settler(), PREFIX, event("finished.json"), at(6))
        .await
        .unwrap();
    assert_eq!(world.published(), world.outcomes());
    assert_eq!(
        world.outcomes()["a"].decided_at,
        at(5),
        "the first to decide has decided"
    );
}
