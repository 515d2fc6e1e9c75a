//! The settle path does what the table says (cases/settle.json).

#![expect(
    clippy::panic,
    clippy::unwrap_used,
    reason = "a test fails by panicking"
)]

mod support;

use decision::ledger::{LedgerEntry, SettleWork};
use decision::{Action, SettledBy};
use harness::memory::Fault;
use serde::Deserialize;
use support::{NAME, World, at, hold, row};
use warehouse::{Row, Status};

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Case {
    claim: String,
    holds: Vec<Hold>,
    attempts: u32,
    statement: Statement,
    #[serde(default)]
    rows: Vec<Looks>,
    by: SettledBy,
    now: i64,
    then: Then,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Hold {
    transaction: String,
    deadline: i64,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Looks {
    transaction: String,
    looks: String,
}

/// What the warehouse and the ledger know of the statement.
#[derive(Clone, Copy, Debug, PartialEq, Deserialize)]
#[serde(rename_all = "snake_case")]
enum Statement {
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
struct Then {
    finals: Vec<Final>,
    #[serde(default)]
    pending: Option<Left>,
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
struct Final {
    transaction: String,
    action: Action,
    settled_by: SettledBy,
    held_ms: i64,
    evidence: bool,
}

#[derive(Debug, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
struct Left {
    attempts: u32,
    holds: Vec<String>,
}

#[tokio::test]
async fn each_case_of_the_table_ends_as_it_says() {
    let cases: Vec<Case> = serde_json::from_str(include_str!("cases/settle.json")).unwrap();
    assert_eq!(cases.len(), 35);
    for case in cases {
        let claim = case.claim.clone();
        let expected = format!("{:#?}", case.then);
        assert_eq!(format!("{:#?}", ends(&case).await), expected, "{claim}");
    }
}

#[tokio::test]
async fn a_final_decision_is_made_at_a_moment_that_the_warehouse_can_read() {
    let world = World::new(vec![row("a", "guilty")]);
    world.hold(NAME, &[hold("a", 600)]).await;
    let now = at(5) + jiff::SignedDuration::from_nanos(123_456_789);
    world
        .settler()
        .settle(NAME, SettledBy::Confirm, now)
        .await
        .unwrap();
    let decided_at = world.batched()["a"].decided_at;
    assert_eq!(
        decided_at,
        at(5) + jiff::SignedDuration::from_micros(123_456)
    );
}

async fn ends(case: &Case) -> Then {
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
    if case.statement == Statement::NeverSubmitted {
        world.write(NAME, &holds, case.attempts, None);
        world.warehouse.script([Status::Running]);
    } else {
        let id = world.submit(NAME, &holds, case.attempts).await;
        world.write(NAME, &holds, case.attempts, Some(&id));
        match case.statement {
            Statement::Finished | Statement::NeverSubmitted => {}
            Statement::Failed => world.warehouse.set_status(
                &id,
                Status::Failed {
                    error: "division by zero".into(),
                },
            ),
            Statement::Aborted => world.warehouse.set_status(&id, Status::Aborted),
            Statement::Running => world.warehouse.set_status(&id, Status::Running),
            Statement::SubmittedWithoutAnswer => world.write(NAME, &holds, case.attempts, None),
            Statement::Lost => world.warehouse.forget(&id),
            Statement::Unreachable => world.faults.add(Fault::on("status")),
            Statement::RowsUnreachable => world.faults.add(Fault::on("rows")),
            Statement::Hangs => world.faults.add(Fault::on("status").hang()),
            Statement::RowsHang => world.faults.add(Fault::on("rows").hang()),
        }
    }
    let report = world
        .settler()
        .settle(NAME, case.by, at(case.now))
        .await
        .unwrap();

    let outcomes = world.outcomes();
    assert_eq!(
        world.published(),
        outcomes,
        "{}: the stream tells what the bucket tells",
        case.claim
    );
    assert_eq!(
        world.batched(),
        outcomes,
        "{}: the batch for COPY tells what the bucket tells",
        case.claim
    );
    assert_eq!(
        report.settled(),
        outcomes.len(),
        "{}: the report counts each once",
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
        Final {
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
            SettleWork::Confirm { holds } => Left {
                attempts,
                holds: holds
                    .into_iter()
                    .map(|hold| hold.transaction_id.into_string())
                    .collect(),
            },
            SettleWork::Load { .. } => panic!("a load?"),
        });
    Then {
        finals: finals.collect(),
        pending: left,
        submitted: report.submitted,
        missing_rows: report.missing_rows,
        ignored_rows: report.ignored_rows,
        undecodable_rows: report.undecodable_rows,
        partial_rows: report.partial_rows,
    }
}
