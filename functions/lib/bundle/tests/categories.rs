//! Categories as features: both looks use the fraud rate that training found for each value.

use std::collections::BTreeMap;

use bundle::{Bundle, Error, Scratch};
use decision::{Batch, Hold, Origin};
use features::{Categories, FraudCount};
use harness::fixture::{categorised, files};
use jiff::Timestamp;
use serde_json::{Value, json};

fn count(transactions: usize, frauds: usize) -> FraudCount {
    FraudCount {
        transactions,
        frauds,
    }
}

fn tables() -> Categories {
    let mut tables = Categories::default();
    tables.learn(
        "channel",
        count(1_000, 300),
        [("phone", count(100, 95)), ("shop", count(900, 205))],
    );
    tables
}

fn transaction(channel: &Value) -> String {
    let transaction = json!({
        "transaction_id": "a", "occurred_at": "2026-01-31T09:00:00Z", "amount": 6.0, "customer_id": "C", "terminal_id": "T",
        "channel": channel,
    });
    transaction.to_string()
}

#[test]
fn an_unseen_category_has_the_overall_fraud_rate() {
    let bundle = Bundle::open(&categorised(&tables()).unwrap()).unwrap();
    let rate = (95.0 + 20.0 * 0.3) / 120.0;
    for (channel, held, value) in [
        (json!("phone"), true, rate),
        (json!("shop"), false, (205.0 + 20.0 * 0.3) / 920.0),
        (json!("fax"), false, 0.3),
        (json!(null), false, 0.3),
    ] {
        let text = transaction(&channel);
        let mut batch = Batch::new(bundle.schema());
        batch
            .read(
                text.as_bytes(),
                Origin { record: 0, item: 0 },
                Timestamp::MAX,
            )
            .unwrap();
        let mut scratch = Scratch::default();
        assert_eq!(
            bundle.first_scores(&batch, &mut scratch).scores[0] > 0.5,
            held,
            "{channel}"
        );
        let reason = &bundle.first_reasons(&batch, 0)[0];
        assert_eq!((reason.feature.as_str(), reason.value), ("channel", value));

        let golden: Value = serde_json::from_slice(&files()["golden.json"]).unwrap();
        let mut hold: Hold = serde_json::from_value(golden["confirm"][0]["hold"].clone()).unwrap();
        hold.categories.extend(
            channel
                .as_str()
                .map(|channel| ("channel".to_owned(), channel.to_owned())),
        );
        let confirmed = bundle.confirm(&hold, &BTreeMap::new());
        assert_eq!(
            (confirmed.score > 0.5, confirmed.reasons[0].value),
            (held, value)
        );
    }
}

#[test]
fn a_bundle_without_its_tables_or_with_others_is_refused() {
    let mut files = categorised(&tables()).unwrap();
    files.remove("categories.json").unwrap();
    assert!(matches!(Bundle::open(&files), Err(Error::Missing(name)) if name == "categories.json"));
    let mut others = tables();
    others.learn("country", count(10, 1), []);
    let said = categorised(&others).unwrap_err().to_string();
    assert_eq!(said, "categories.json is invalid");
    assert!(categorised(&Categories::default()).is_err());
}
