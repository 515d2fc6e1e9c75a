//! Runs the cases of cases/settle.json.

#![expect(
    clippy::format_push_string,
    clippy::indexing_slicing,
    clippy::unwrap_used,
    reason = "a test fails by panicking"
)]

mod support;

use std::collections::BTreeMap;

use decision::{Decision, Hold};
use harness::holds::{World, at, hold, row};
use serde::Deserialize;
use support::{Stack, assert_deleted_last, ledgers, place, sent_again, with_amount};
use turns::Lane;
use warehouse::{Row, Value};

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Case {
    claim: String,
    /// The holds of each batch.
    batches: Vec<Vec<HoldCase>>,
    /// How the evidence row with each ordinal looks.
    #[serde(default)]
    rows: Vec<String>,
    #[serde(default)]
    missing_bundles: Vec<String>,
    #[serde(default)]
    step: StepCase,
    /// Seconds since the holds were placed.
    #[serde(default = "soon")]
    now: i64,
    /// The final decisions by name of the hold.
    finals: BTreeMap<String, String>,
    /// How many ledger objects are left.
    #[serde(default)]
    open: usize,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct HoldCase {
    transaction: String,
    #[serde(default = "late")]
    deadline: i64,
    /// For a reused id: the amount.
    amount: Option<f64>,
    /// For a transaction sent again: the record.
    record: Option<String>,
    version: Option<String>,
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Deserialize)]
#[serde(rename_all = "snake_case")]
enum StepCase {
    /// Completion events, until the evidence lane is idle.
    #[default]
    Confirm,
    /// The sweep's expiry.
    Expire,
}

fn soon() -> i64 {
    5
}

fn late() -> i64 {
    600
}

impl HoldCase {
    fn name(&self) -> String {
        let mut name = self.transaction.clone();
        if let Some(amount) = self.amount {
            name.push_str(&format!(" {amount}"));
        }
        if let Some(record) = &self.record {
            name.push_str(&format!(" record {record}"));
        }
        name
    }

    fn hold(&self) -> Hold {
        let mut hold = hold(&self.transaction, self.deadline);
        if let Some(amount) = self.amount {
            hold = with_amount(hold, amount);
        }
        if let Some(record) = &self.record {
            hold = sent_again(&hold, record);
        }
        if let Some(version) = &self.version {
            hold.bundle_version.clone_from(version);
        }
        hold
    }
}

fn evidence_row(ordinal: u32, looks: &str) -> Option<Row> {
    match looks {
        "missing" => None,
        "unknown" => {
            let mut unknown = row(ordinal, "innocent");
            unknown.0.insert("p".to_owned(), Value::Null);
            Some(unknown)
        }
        looks => Some(row(ordinal, looks)),
    }
}

fn described(decision: &Decision) -> String {
    let by = serde_json::to_value(decision.settled_by).unwrap();
    let mut text = format!(
        "{} by {} after {} ms",
        decision.action.as_str(),
        by.as_str().unwrap(),
        decision.held_ms.unwrap()
    );
    for degraded in &decision.degraded {
        text.push_str(&format!(", {degraded}"));
    }
    let has_evidence = !text.contains("_missing");
    assert_eq!(decision.evidence.is_some(), has_evidence, "{text}");
    text
}

#[tokio::test]
async fn each_case_has_the_expected_outcome() {
    let cases: Vec<Case> = serde_json::from_str(include_str!("cases/settle.json")).unwrap();
    assert_eq!(cases.len(), 20);
    for case in cases {
        run(&case).await;
    }
}

async fn run(case: &Case) {
    let claim = &case.claim;
    let rows = (0..).zip(&case.rows);
    let rows = rows.filter_map(|(ordinal, looks)| evidence_row(ordinal, looks));
    let world = World::new(rows.collect());
    let mut stack = Stack::new();
    stack.bundles.missing.extend(case.missing_bundles.clone());
    let mut batches = Vec::new();
    let mut names = BTreeMap::new();
    for holds in &case.batches {
        batches.push(holds.iter().map(HoldCase::hold).collect::<Vec<_>>());
        for hold in holds {
            names.insert(hold.hold().decision_id, hold.name());
        }
    }
    let keys = place(&world, &batches);
    match case.step {
        StepCase::Confirm => {
            stack.load(&world).await;
            // Each bundle version has an evidence turn of its own.
            for _ in 0..4 {
                stack.confirm(&world, at(case.now)).await.unwrap();
            }
            let waiting = turns::WaitingEntry::prefix(Lane::Evidence(0));
            assert_eq!(world.objects.keys(&waiting), [""; 0], "{claim}");
        }
        StepCase::Expire => {
            let settler = stack.settler(&world);
            settler.expire(&keys, at(case.now)).await.unwrap();
        }
    }
    let published = world.published();
    assert_eq!(world.slices(), published, "{claim}: the slices for COPY");
    let finals = published.iter();
    let finals = finals.map(|(id, decision)| (names[id].clone(), described(decision)));
    let finals: BTreeMap<String, String> = finals.collect();
    assert_eq!(
        format!("{finals:#?}"),
        format!("{:#?}", case.finals),
        "{claim}"
    );
    assert_eq!(ledgers(&world).len(), case.open, "{claim}");
    assert_deleted_last(&world, &batches, &keys);
}
