use jiff::Timestamp;
use serde_json::{Value, json};

use super::*;
use crate::audit::Audit;
use crate::consume::{DecisionLog, ReadDecision};

fn decision(id: &str, values: Value) -> ReadDecision {
    let mut decision = json!({
        "decision_id": id,
        "transaction_id": id,
        "stage": "provisional",
        "action": "hold",
        "score": 0.9,
        "reasons": [{"feature": "amount", "value": 600.0, "contribution": 1.25}],
        "bundle_version": "v",
        "decided_at": Timestamp::UNIX_EPOCH,
    });
    if let (Some(all), Value::Object(values)) = (decision.as_object_mut(), values) {
        all.extend(values);
    }
    ReadDecision {
        decision: serde_json::from_value(decision).unwrap(),
        read_at: Timestamp::UNIX_EPOCH,
    }
}

/// A run with one hold, which was released. Its id and its source hold HTML.
fn outcome() -> Outcome {
    let id = "<b>t & 'u'</b>";
    let released = json!({
        "stage": "final",
        "action": "release",
        "evidence": {"customer_mean": 12.5, "terminal_rate": null},
        "settled_by": "confirm",
        "held_ms": 250,
    });
    let summary = json!({
        "transactions": 1,
        "approved": 0,
        "held": 1,
        "released": 1,
        "blocked": 0,
        "review": 0,
        "rejected": 0,
        "lost": 0,
        "unsettled": 0,
        "put_to_decision_ms": {"p50": 1000.0, "p99": 2000.0},
        "hold_to_final_ms": {"p50": 250.0, "p99": 250.0},
        "score_us_per_transaction": 2.5,
        "settled_by": {"confirm": 1},
        "impact": {
            "good_held": 1, "good_released": 1, "customers_held": 1, "customers_released": 1,
            "good_held_ms": {"p50": 250.0, "p99": 250.0},
            "fraud_amount": 200.0, "fraud_amount_stopped": 100.0,
        },
    });
    Outcome {
        source: "<script>alert(1)</script>".to_owned(),
        summary: serde_json::from_value(summary).unwrap(),
        audit: Audit::default(),
        log: DecisionLog {
            provisional: [(id.to_owned(), decision(id, json!({})))].into(),
            finals: [(id.to_owned(), decision(id, released))].into(),
            ..DecisionLog::default()
        },
        fraud: [(id.to_owned(), false)].into(),
    }
}

#[test]
fn text_from_transactions_is_escaped() {
    let page = html(&outcome());
    assert!(
        page.contains("&lt;script&gt;alert(1)&lt;/script&gt;"),
        "{page}"
    );
    assert!(
        page.contains("<td>&lt;b&gt;t &amp; 'u'&lt;/b&gt;</td>"),
        "{page}"
    );
    assert!(
        !page.contains("<script>") && !page.contains("<b>t"),
        "{page}"
    );
}

#[test]
fn the_report_says_how_long_released_customers_waited() {
    let page = html(&outcome());
    assert!(
        page.contains("released 1 of them, from 1 customers, after 0.2 s (p50)"),
        "{page}"
    );
    assert!(page.contains("Fraud worth 100 of 200"), "{page}");
}
