//! Customers, their history and their transactions.
//!
//! Half of the customers usually pay large amounts, the others small ones. The harness's bundle
//! holds amounts of 500 and more. It releases a hold if the customer's mean over seven days is
//! above 400, else it blocks it.

use std::collections::BTreeMap;
use std::ops::Range;

use decision::Action;
use jiff::{SignedDuration, Timestamp};
use look::audit::AuditScope;
use look::input::Row;
use look::system::System;
use serde_json::{Value, json};
use store::{Stream as _, StreamRecord};

/// Part of every transaction. It must not appear in a log.
pub const PAYLOAD: &str = "payload-that-no-log-may-show";

/// A customer id with SQL syntax. Its hold must be settled by its own history.
pub const HOSTILE_CUSTOMER: &str = r#"'); DELETE FROM transactions; --"\ :id ü%2F${}"#;

pub const CUSTOMERS: usize = 40;

/// The first look's decision on a transaction.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum First {
    Approve,
    Hold,
}

/// Records for the stream, and the final action that the evidence of each hold leads to; `None` for
/// an approved transaction.
#[derive(Clone, Debug, Default)]
pub struct Traffic {
    pub records: Vec<StreamRecord>,
    pub transactions: BTreeMap<String, Option<Action>>,
}

impl Traffic {
    /// So many transactions of all customers, with ids that begin with `name`. Every tenth is held.
    pub fn usual(name: &str, count: usize) -> Self {
        Self::usual_of(name, 0..count)
    }

    /// The transactions with these numbers. The number chooses the customer.
    pub fn usual_of(name: &str, numbers: Range<usize>) -> Self {
        let mut traffic = Self::default();
        let now = Timestamp::now();
        for number in numbers {
            let first = if number % 10 == 3 {
                First::Hold
            } else {
                First::Approve
            };
            traffic.add(format!("{name}{number:05}"), number, first, now);
        }
        traffic
    }

    /// So many held transactions.
    pub fn holds(name: &str, count: usize) -> Self {
        let mut traffic = Self::default();
        let now = Timestamp::now();
        for number in 0..count {
            traffic.add(format!("{name}{number:05}"), number, First::Hold, now);
        }
        traffic
    }

    /// A transaction of the customer of this number.
    pub fn add(&mut self, id: String, number: usize, first: First, at: Timestamp) {
        let (customer, much) = customer((number * 7 + number / 10) % CUSTOMERS);
        let held = first == First::Hold;
        let amount = match (held, much) {
            (true, _) => 600.0,
            (false, true) => 450.0,
            (false, false) => 20.0,
        };
        self.push(&transaction(&id, at, amount, &customer));
        let end = if much { Action::Release } else { Action::Block };
        self.transactions.insert(id, held.then_some(end));
    }

    /// A record of one transaction.
    pub fn push(&mut self, transaction: &Value) {
        self.records.push(StreamRecord {
            partition_key: transaction["customer_id"].as_str().unwrap().to_owned(),
            data: transaction.to_string().into_bytes(),
        });
    }

    pub fn extend(&mut self, other: Self) {
        self.records.extend(other.records);
        self.transactions.extend(other.transactions);
    }

    /// Puts all records on the stream.
    pub async fn publish(&self, system: &System) {
        for chunk in self.records.chunks(500) {
            let refused = system.transactions.publish(chunk).await.unwrap();
            assert_eq!(refused, [0; 0], "the stream takes every record");
        }
    }

    /// How many transactions are held.
    pub fn held(&self) -> usize {
        self.transactions.values().flatten().count()
    }

    /// All these transactions and no others.
    pub fn scope(&self) -> AuditScope {
        AuditScope::nothing_but(self.transactions.keys().cloned().collect())
    }
}

/// The name of a customer, and whether the customer usually pays large amounts.
fn customer(number: usize) -> (String, bool) {
    let much = number < CUSTOMERS / 2;
    (
        format!("{}{number}", if much { "much" } else { "little" }),
        much,
    )
}

pub fn transaction(id: &str, at: Timestamp, amount: f64, customer: &str) -> Value {
    json!({
        "transaction_id": id, "occurred_at": at, "amount": amount,
        "customer_id": customer, "terminal_id": "S1", "memo": PAYLOAD,
    })
}

/// A day of usual transactions of each customer, without frauds.
pub fn history(now: Timestamp) -> Vec<Row> {
    let rows = (0..(CUSTOMERS + 1) * 50).map(|number| {
        let (customer, much) = match number % (CUSTOMERS + 1) {
            CUSTOMERS => (HOSTILE_CUSTOMER.to_owned(), false),
            number => customer(number),
        };
        let (id, at) = (
            format!("H{number}"),
            now - SignedDuration::from_secs(90_000 - number as i64),
        );
        let amount = if much { 590.0 } else { 10.0 };
        let json = transaction(&id, at, amount, &customer).to_string();
        Row {
            json,
            transaction_id: id,
            occurred_at: at,
            partition_key: customer,
            fraud: None,
            reported_at: at,
        }
    });
    rows.collect()
}
