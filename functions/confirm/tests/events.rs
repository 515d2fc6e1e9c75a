//! Handles each event under events/confirm, as AWS sends it.

#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

mod support;

use std::collections::BTreeSet;
use std::path::Path;

use confirm::{CompletionEvent, Error, Handler, SettleReport};
use harness::holds::{NAME, PREFIX, World, at, hold, row};
use jiff::Timestamp;
use support::PlainModel;
use warehouse::Status;

const STATEMENT_ID: &str = "dd2e1ec9-2ee3-49a0-819f-905fa7d75a4a";

fn event(name: &str) -> CompletionEvent {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../events/confirm");
    serde_json::from_slice(&std::fs::read(folder.join(name)).unwrap()).unwrap()
}

async fn handle(
    world: &World,
    event: CompletionEvent,
    now: Timestamp,
) -> Result<SettleReport, Error> {
    let model = PlainModel::new();
    let handler = Handler {
        settler: model.settler(world),
        statement_prefix: PREFIX.to_owned(),
    };
    handler.handle(event, now).await
}

/// Handles an event about a statement with two holds. `status` is the statement's real status.
async fn handled(name: &str, status: Status) -> (SettleReport, World) {
    let world = World::new(vec![row("a", "guilty"), row("b", "innocent")]);
    let id = world.hold(NAME, &[hold("a", 600), hold("b", 600)]).await;
    world.warehouse.set_status(&id, status);
    let mut event = event(name);
    if event.detail.statement_name.is_none() {
        // The in-memory warehouse chooses its own ids.
        assert_eq!(event.detail.statement_id, STATEMENT_ID);
        event.detail.statement_id = id.0;
    }
    let report = handle(&world, event, at(5)).await.unwrap();
    (report, world)
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
async fn a_completion_event_settles_the_holds_of_its_statement() {
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
async fn the_status_of_the_warehouse_overrides_the_event() {
    let (report, _) = handled("failed.json", Status::Finished).await;
    assert_eq!(
        report.settled(),
        2,
        "the event says FAILED, the warehouse says finished"
    );
    let (report, world) = handled("finished.json", Status::Running).await;
    assert_eq!(
        report,
        SettleReport {
            waiting: 1,
            ..SettleReport::default()
        },
        "the event says FINISHED, the warehouse says running"
    );
    assert!(world.entry(NAME).is_some());
}

#[tokio::test]
async fn a_repeated_event_and_an_event_of_another_stack_change_nothing() {
    let (_, world) = handled("finished.json", Status::Finished).await;
    let published = world.decisions.published();
    for name in ["finished.json", "without_statement_name.json"] {
        let report = handle(&world, event(name), at(6)).await.unwrap();
        assert_eq!(
            report,
            SettleReport {
                absent: 1,
                ..SettleReport::default()
            },
            "{name}"
        );
    }
    world.hold("other-confirm-1", &[hold("z", 600)]).await;
    let mut theirs = event("finished.json");
    theirs.detail.statement_name = Some("other-confirm-1".to_owned());
    let report = handle(&world, theirs, at(6)).await.unwrap();
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
async fn an_undecodable_row_does_not_delay_other_holds() {
    let world = World::new(vec![row("a", "undecodable"), row("b", "innocent")]);
    world.hold(NAME, &[hold("a", 600), hold("b", 600)]).await;
    let report = handle(&world, event("finished.json"), at(5)).await.unwrap();
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
async fn a_refused_decision_is_published_by_the_next_event() {
    let world = World::new(vec![row("a", "guilty"), row("b", "innocent")]);
    world.hold(NAME, &[hold("a", 600), hold("b", 600)]).await;
    world
        .faults
        .add(harness::memory::Fault::on("record").after(1).times(1));
    let error = handle(&world, event("finished.json"), at(5))
        .await
        .unwrap_err();
    assert!(
        error.to_string().contains("did not accept 1 of 2 final"),
        "{error}"
    );
    handle(&world, event("finished.json"), at(6)).await.unwrap();
    assert_eq!(world.published(), world.outcomes());
    assert_eq!(
        world.outcomes()["a"].decided_at,
        at(5),
        "the first final decision stays"
    );
}
