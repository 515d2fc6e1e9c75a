//! The load of fraud reports: what it leaves in `fraud_reports`, `known_frauds` and
//! `unmatched_reports`.

use features::History;
use harness::fixture::all_measures;
use serde_json::{Value, json};

use crate::world::World;

/// A report on a transaction, made and arrived on these days of January.
fn report(id: &str, reported: u32, arrived: u32, is_fraud: bool) -> Value {
    json!({
        "transaction_id": id,
        "reported_at": format!("2026-01-{reported:02}T00:00:00Z"),
        "arrived_at": format!("2026-01-{arrived:02}T00:00:00Z"),
        "is_fraud": is_fraud,
    })
}

impl World {
    async fn insert(&self, id: &str, identity: &str) {
        let columns = "transaction_id, identity_hash, occurred_at, arrived_at, amount, customer_id";
        let values = format!("'{id}', '{identity}', '2026-01-01', '2026-01-01', 1, 'C'");
        let insert = format!("INSERT INTO transactions ({columns}) VALUES ({values})");
        self.run("insert", vec![insert]).await;
    }

    /// Id, identity if there is one, day of the report, day of its arrival and what it says of each
    /// row, sorted.
    async fn reports(&self, table: &str) -> Vec<String> {
        let identity = match table {
            "known_frauds" => "|| identity_hash || ' '",
            _ => "",
        };
        let query = format!(
            "SELECT transaction_id || ' ' {identity} || EXTRACT(DAY FROM reported_at) || ' '
              || EXTRACT(DAY FROM arrived_at) || ' '
              || CASE WHEN is_fraud THEN 'fraud' ELSE 'good' END AS text
            FROM {table}"
        );
        self.sorted(&query).await
    }

    async fn unmatched(&self) -> Vec<String> {
        self.sorted("SELECT transaction_id AS text FROM unmatched_reports")
            .await
    }

    async fn sorted(&self, query: &str) -> Vec<String> {
        let rows = self.query(query).await;
        let text = |row: &warehouse::Row| row.text("text").unwrap().to_owned();
        let mut texts: Vec<String> = rows.iter().map(text).collect();
        texts.sort();
        texts
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_report_is_appended_if_it_says_something_new() {
    let world = World::new(&all_measures(), History::default()).await;
    world.insert("A", "a").await;
    let first = report("A", 3, 3, true);
    world
        .load_reports("first", std::slice::from_ref(&first))
        .await;
    // A full dump repeats the report, also under the day of the dump, and adds one.
    let dump = [first, report("A", 5, 5, true), report("B", 5, 5, false)];
    world.load_reports("dump", &dump).await;
    let expected = ["A 3 3 fraud", "B 5 5 good"];
    assert_eq!(world.reports("fraud_reports").await, expected);
    // A retraction, a correction of it, and a late file with an earlier report.
    let news = [report("A", 7, 7, false), report("A", 9, 9, true)];
    world.load_reports("news", &news).await;
    world
        .load_reports("late", &[report("A", 2, 10, true)])
        .await;
    let expected = [
        "A 2 10 fraud",
        "A 3 3 fraud",
        "A 7 7 good",
        "A 9 9 fraud",
        "B 5 5 good",
    ];
    assert_eq!(world.reports("fraud_reports").await, expected);
    let expected = [
        "A a 2 10 fraud",
        "A a 3 3 fraud",
        "A a 7 7 good",
        "A a 9 9 fraud",
    ];
    assert_eq!(world.reports("known_frauds").await, expected);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_report_may_come_before_its_transaction() {
    let world = World::new(&all_measures(), History::default()).await;
    let early = [report("A", 3, 3, true), report("B", 3, 3, false)];
    world.load_reports("early", &early).await;
    assert_eq!(world.reports("known_frauds").await, [""; 0]);
    // Only frauds are looked for.
    assert_eq!(world.unmatched().await, ["A"]);
    world.insert("A", "a").await;
    world
        .load_reports("other", &[report("C", 4, 4, true)])
        .await;
    assert_eq!(world.reports("known_frauds").await, ["A a 3 3 fraud"]);
    assert_eq!(world.unmatched().await, ["C"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_fraud_report_on_an_id_with_two_contents_is_about_both() {
    let world = World::new(&all_measures(), History::default()).await;
    world.insert("A", "a").await;
    world.insert("A", "other").await;
    world
        .load_reports("frauds", &[report("A", 3, 3, true)])
        .await;
    let expected = ["A a 3 3 fraud", "A other 3 3 fraud"];
    assert_eq!(world.reports("known_frauds").await, expected);
}
