//! The evidence statement and its parameters.

#![expect(
    clippy::unwrap_used,
    reason = "a test fails by panicking, and says where it is"
)]

use decision::Hold;
use features::sql::{evidence, evidence_parameters, evidence_parts};
use harness::fixture::bundle;
use serde_json::{Value, json};

const MAX_SQLS: usize = 40;

fn hold(number: usize) -> Hold {
    serde_json::from_value(json!({
        "decision_id": format!("0-{number}-0"), "transaction_id": format!("T{number}"),
        "occurred_at": "2026-01-31T09:00:00Z", "amount": 600.0, "score": 0.9, "reasons": [],
        "entities": {"customer_id": "C".repeat(256), "terminal_id": "S".repeat(256)}, "model_version": "v",
        "decided_at": "2026-01-31T09:00:01Z", "deadline": "2026-01-31T09:10:00Z",
    }))
    .unwrap()
}

#[test]
fn a_transaction_that_is_held_twice_is_a_parameter_once() {
    let (bundle, one, two) = (bundle(), hold(1), hold(2));
    let again = Hold {
        decision_id: "0-3-0".to_owned(),
        amount: 700.0,
        ..one.clone()
    };
    let parameters = evidence_parameters(bundle.definition(), &[one, two, again]);
    let [(_, parameter)] = &parameters[..] else {
        panic!("{parameters:?}")
    };
    let asked: Vec<Value> = serde_json::from_str(parameter).unwrap();
    let asked: Vec<_> = asked
        .iter()
        .map(|item| (item["transaction_id"].as_str().unwrap(), &item["amount"]))
        .collect();
    assert_eq!(
        asked,
        [("T1", &json!(600.0)), ("T2", &json!(600.0))],
        "the first, as it is the one that is settled"
    );
}

#[test]
fn too_many_holds_for_one_statement_are_cut_into_parts() {
    let bundle = bundle();
    let holds: Vec<Hold> = (0..5_000).map(hold).collect();
    let texts = |holds: &[Hold]| {
        let parameters = evidence_parameters(bundle.definition(), holds).len();
        evidence(bundle.definition(), parameters).len()
    };
    let all = texts(&holds);
    assert!(all > MAX_SQLS, "{all} SQL texts");
    let parts = evidence_parts(bundle.definition(), &holds);
    for part in &parts {
        let sqls = texts(part);
        assert!((1..=MAX_SQLS).contains(&sqls), "{sqls} SQLs");
    }
    assert_eq!(parts.concat(), holds);
    assert_eq!(
        evidence_parts(bundle.definition(), &holds[..9]),
        [&holds[..9]]
    );
    assert_eq!(evidence_parts(bundle.definition(), &[]), [&[][..]; 0]);
}
