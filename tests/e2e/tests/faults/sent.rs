//! The records of the stream: readable transactions, copies of some, and unreadable items.

use std::collections::BTreeMap;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use decision::Action;
use e2e::traffic::{HOSTILE_CUSTOMER, Traffic, transaction};
use jiff::Timestamp;
use look::audit::AuditScope;
use serde_json::{Value, json};
use store::StreamRecord;

const HOSTILE_ID: &str = r#"O'Brien"\'; DROP TABLE outcomes; --/../:id"#;

const GOOD: usize = 2_000;

/// All records and their expected decisions.
pub(crate) struct Sent {
    /// Records, in the order in which they go on the stream.
    pub(crate) records: Vec<StreamRecord>,
    /// The expected final action of every hold; `None` for an approved transaction.
    pub(crate) transactions: BTreeMap<String, Option<Action>>,
    /// The bytes of every unreadable item, and the stage at which reading fails.
    pub(crate) unreadable: BTreeMap<Vec<u8>, &'static str>,
}

impl Sent {
    /// All these transactions and no others.
    pub(crate) fn scope(&self) -> AuditScope {
        AuditScope::nothing_but(self.transactions.keys().cloned().collect())
    }
}

pub(crate) fn sent(now: Timestamp) -> Sent {
    let mut sent = Sent {
        records: Vec::new(),
        transactions: BTreeMap::new(),
        unreadable: BTreeMap::new(),
    };
    let Traffic {
        records,
        transactions,
    } = Traffic::usual("T", GOOD);
    sent.records.extend(records);
    sent.transactions.extend(transactions);
    let data = transaction(HOSTILE_ID, now, 600.0, HOSTILE_CUSTOMER)
        .to_string()
        .into_bytes();
    sent.records.push(StreamRecord {
        partition_key: HOSTILE_CUSTOMER.to_owned(),
        data,
    });
    sent.transactions
        .insert(HOSTILE_ID.to_owned(), Some(Action::Block));
    // A producer that got no answer sends again, both holds and approved transactions.
    let again: Vec<StreamRecord> = [0, 3]
        .into_iter()
        .flat_map(|from| sent.records.iter().skip(from).step_by(50))
        .cloned()
        .collect();
    sent.records.extend(again);
    several_in_one(&mut sent, now);
    let unreadable = unreadable(now);
    for (data, stage) in unreadable {
        let partition_key = format!("poison-{}", sent.unreadable.len());
        sent.records.push(StreamRecord {
            partition_key,
            data: data.clone(),
        });
        sent.unreadable.insert(data, stage);
    }
    spread(&mut sent.records);
    // Some copies follow so closely that both are in one batch.
    for place in [33, 153, 1_003] {
        let again = sent.records[place].clone();
        sent.records.insert(place, again);
    }
    sent
}

/// Records with several transactions, as lines and as a KPL frame, each with one unreadable item.
fn several_in_one(sent: &mut Sent, now: Timestamp) {
    let line = |id: &str| transaction(id, now, 30.0, "little20").to_string();
    let data = format!("{}\n{{\"transaction_id\":7}}\n{}\n", line("L1"), line("L2")).into_bytes();
    sent.records.push(StreamRecord {
        partition_key: "lines".to_owned(),
        data,
    });
    sent.transactions
        .extend([("L1".to_owned(), None), ("L2".to_owned(), None)]);
    sent.unreadable
        .insert(br#"{"transaction_id":7}"#.to_vec(), "transaction");

    let event: Value =
        serde_json::from_str(include_str!("../../../../events/score/kpl.json")).unwrap();
    let data = STANDARD
        .decode(event["Records"][0]["kinesis"]["data"].as_str().unwrap())
        .unwrap();
    sent.records.push(StreamRecord {
        partition_key: "kpl".to_owned(),
        data,
    });
    // T000031 has an amount of 990 and no other history, so its mean is above 400.
    let ends = [
        ("T000030", None),
        ("T000031", Some(Action::Release)),
        ("T000032", None),
    ];
    sent.transactions
        .extend(ends.map(|(id, end)| (id.to_owned(), end)));
    sent.unreadable.insert(b"bad user record".to_vec(), "json");
}

fn unreadable(now: Timestamp) -> Vec<(Vec<u8>, &'static str)> {
    let good = transaction("bad", now, 600.0, "little20");
    let with = |field: &str, value: Value| {
        let mut bad = good.clone();
        bad[field] = value;
        (bad.to_string().into_bytes(), "transaction")
    };
    let mut without = good.clone();
    without.as_object_mut().unwrap().remove("amount");
    let text = good.to_string();
    vec![
        (b"this is not json".to_vec(), "json"),
        (vec![0xFF, 0xFE, 0x00, 0x80], "json"),
        (b" \n ".to_vec(), "record"),
        (text.as_bytes()[..text.len() / 2].to_vec(), "json"),
        (
            format!("{{\"transaction_id\":\"deep\",\"x\":{}", "[".repeat(50_000)).into_bytes(),
            "json",
        ),
        (vec![b'x'; 1_000_000], "json"),
        ([&[0xF3, 0x89, 0x9A, 0xC2][..], b"broken"].concat(), "kpl"),
        (text.replace("600.0", "NaN").into_bytes(), "json"),
        (
            text.replace("\"amount\"", "\"amount\":1,\"amount\"")
                .into_bytes(),
            "transaction",
        ),
        (without.to_string().into_bytes(), "transaction"),
        with("amount", json!(-1)),
        with("amount", json!("600")),
        with("amount", json!(1e300)),
        with("transaction_id", json!("x".repeat(65))),
        with("transaction_id", json!("line\nbreak")),
        with("customer_id", json!([7])),
        with("occurred_at", json!("2026-01-31T09:00:00")),
        with("occurred_at", json!("2999-01-31T09:00:00Z")),
    ]
}

/// Distributes the records at the end among the others, so that unreadable records lie among
/// readable ones.
fn spread(records: &mut [StreamRecord]) {
    let good = GOOD;
    for (place, last) in (good..records.len()).enumerate() {
        records.swap((place * 31) % good, last);
    }
}
