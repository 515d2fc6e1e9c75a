//! Runs the cases of cases/settle.json.

#![expect(
    clippy::panic,
    clippy::unwrap_used,
    reason = "a test fails by panicking"
)]

mod support;

use decision::ledger::{LedgerEntry, SettleWork};
use decision::{Action, SettledBy};
use harness::holds::{NAME, World, at, hold, row};
use harness::memory::Fault;
use serde::Deserialize;
use support::PlainModel;
use warehouse::{Row, Status};

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Case {
    claim: String,
    holds: Vec<HoldCase>,
    #[serde(default = "first_attempt")]
    attempts: u32,
    statement: StatementCase,
    #[serde(default)]
    rows: Vec<RowCase>,
    #[serde(default = "by_confirm")]
    by: SettledBy,
    /// Seconds since the holds were placed.
    now: i64,
    then: Expected,
}

fn first_attempt() -> u32 {
    1
}

fn by_confirm() -> SettledBy {
    SettledBy::Confirm
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct HoldCase {
    transaction: String,
    deadline: i64,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct RowCase {
    transaction: String,
    looks: String,
}

/// The state of the statement in the warehouse and in the ledger.
#[derive(Clone, Copy, Debug, PartialEq, Deserialize)]
#[serde(rename_all = "snake_case")]
enum StatementCase {
    Finished,
    Failed,
    Aborted,
    Running,
    NeverSubmitted,
    SubmittedWithoutAnswer,
    Lost,
    Unreachable,
    RowsUnreachable,
    Hangs,
    RowsHang,
}

#[derive(Debug, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
struct Expected {
    finals: Vec<FinalCase>,
    #[serde(default)]
    pending: Option<Remaining>,
    #[serde(default)]
    submitted: usize,
    #[serde(default)]
    missing_rows: usize,
    #[serde(default)]
    ignored_rows: usize,
    #[serde(default)]
    undecodable_rows: usize,
    #[serde(default)]
    partial_rows: usize,
}

#[derive(Debug, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
struct FinalCase {
    transaction: String,
    action: Action,
    settled_by: SettledBy,
    held_ms: i64,
    evidence: bool,
}

#[derive(Debug, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
struct Remaining {
    attempts: u32,
    holds: Vec<String>,
}

#[tokio::test]
async fn each_case_has_the_expected_outcome() {
    let cases: Vec<Case> = serde_json::from_str(include_str!("cases/settle.json")).unwrap();
    assert_eq!(cases.len(), 35);
    for case in cases {
        let claim = case.claim.clone();
        let expected = format!("{:#?}", case.then);
        assert_eq!(format!("{:#?}", outcome(&case).await), expected, "{claim}");
    }
}

#[tokio::test]
async fn decided_at_has_the_precision_of_the_warehouse() {
    let world = World::new(vec![row("a", "guilty")]);
    world.hold(NAME, &[hold("a", 600)]).await;
    let now = at(5) + jiff::SignedDuration::from_nanos(123_456_789);
    let model = PlainModel::new();
    model
        .settler(&world)
        .settle(NAME, SettledBy::Confirm, now)
        .await
        .unwrap();
    let decided_at = world.batched()["a"].decided_at;
    assert_eq!(
        decided_at,
        at(5) + jiff::SignedDuration::from_micros(123_456)
    );
}

async fn outcome(case: &Case) -> Expected {
    let rows: Vec<Row> = case
        .rows
        .iter()
        .map(|looks| row(&looks.transaction, &looks.looks))
        .collect();
    let world = World::new(rows);
    let holds: Vec<_> = case
        .holds
        .iter()
        .map(|h| hold(&h.transaction, h.deadline))
        .collect();
    if case.statement == StatementCase::NeverSubmitted {
        world.write(NAME, &holds, case.attempts, None);
        world.warehouse.script([Status::Running]);
    } else {
        let id = world.submit(NAME, &holds, case.attempts).await;
        world.write(NAME, &holds, case.attempts, Some(&id));
        match case.statement {
            StatementCase::Finished | StatementCase::NeverSubmitted => {}
            StatementCase::Failed => world.warehouse.set_status(
                &id,
                Status::Failed {
                    error: "division by zero".into(),
                },
            ),
            StatementCase::Aborted => world.warehouse.set_status(&id, Status::Aborted),
            StatementCase::Running => world.warehouse.set_status(&id, Status::Running),
            StatementCase::SubmittedWithoutAnswer => world.write(NAME, &holds, case.attempts, None),
            StatementCase::Lost => world.warehouse.forget(&id),
            StatementCase::Unreachable => world.faults.add(Fault::on("status")),
            StatementCase::RowsUnreachable => world.faults.add(Fault::on("rows")),
            StatementCase::Hangs => world.faults.add(Fault::on("status").hang()),
            StatementCase::RowsHang => world.faults.add(Fault::on("rows").hang()),
        }
    }
    let model = PlainModel::new();
    let report = model
        .settler(&world)
        .settle(NAME, case.by, at(case.now))
        .await
        .unwrap();

    let outcomes = world.outcomes();
    assert_eq!(
        world.published(),
        outcomes,
        "{}: the stream has the decisions of the bucket",
        case.claim
    );
    assert_eq!(
        world.batched(),
        outcomes,
        "{}: the batch for COPY has the decisions of the bucket",
        case.claim
    );
    assert_eq!(
        report.settled(),
        outcomes.len(),
        "{}: the report counts each decision once",
        case.claim
    );
    let finals = outcomes.into_values().map(|decision| {
        assert_eq!(
            decision.decision_id,
            format!("000000000000-495-{}-final", decision.transaction_id)
        );
        assert_eq!(
            decision.degraded.is_empty(),
            decision.evidence.is_some(),
            "{}",
            case.claim
        );
        FinalCase {
            transaction: decision.transaction_id.into_string(),
            action: decision.action,
            settled_by: decision.settled_by.unwrap(),
            held_ms: decision.held_ms.unwrap(),
            evidence: decision.evidence.is_some(),
        }
    });
    let left = world
        .entry(NAME)
        .map(|LedgerEntry { work, attempts, .. }| match work {
            SettleWork::Confirm { holds } => Remaining {
                attempts,
                holds: holds
                    .into_iter()
                    .map(|hold| hold.transaction_id.into_string())
                    .collect(),
            },
            SettleWork::Load { .. } => panic!("the ledger entry of a load"),
        });
    Expected {
        finals: finals.collect(),
        pending: left,
        submitted: report.submitted,
        missing_rows: report.missing_rows,
        ignored_rows: report.ignored_rows,
        undecodable_rows: report.undecodable_rows,
        partial_rows: report.partial_rows,
    }
}
