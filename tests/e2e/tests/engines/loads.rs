//! The load of transactions: what it leaves in `transactions` and `holds`.

use std::ops::RangeInclusive;

use features::History;
use features::sql::{self, BadRows, CopySource, HoldGroup, TransactionsLoad};
use harness::fixture::all_measures;
use jiff::Timestamp;
use serde_json::{Value, json};
use warehouse::Warehouse as _;

use crate::histories::CLAIM;
use crate::world::World;

const GROUP: &str = "00000000000000aa";
const OTHER_GROUP: &str = "00000000000000bb";

async fn empty_world() -> World {
    World::new(&all_measures(), History::default()).await
}

/// A line of a batch. It arrived at this second, and its decision id says so.
fn line(id: &str, identity: &str, second: u32) -> Value {
    json!({
        "transaction_id": id,
        "occurred_at": "2026-01-31T09:00:00.5Z",
        "amount": 1.5,
        "customer_id": "C",
        "terminal_id": "S",
        "identity_hash": identity,
        "arrived_at": format!("2026-01-31T09:00:{second:02}Z"),
        "decision_id": format!("at {second}"),
        "bundle_version": "v",
        "transaction": {"anything": [1]},
    })
}

/// The line as one of the holds of a group.
fn held(mut line: Value, group: &str, index: u32) -> Value {
    line["_hold_group"] = json!(group);
    line["_hold_index"] = json!(index);
    line
}

fn group(group: &str, first: u32) -> HoldGroup {
    HoldGroup {
        group: group.to_owned(),
        first,
    }
}

/// A load that fails if a row does not convert.
struct Load<'a> {
    manifest: &'a str,
    turn: u64,
    hold_groups: &'a [HoldGroup],
    hours: &'a [RangeInclusive<Timestamp>],
}

impl<'a> Load<'a> {
    /// A load without holds and without bounds.
    const fn plain(manifest: &'a str, turn: u64) -> Self {
        Self {
            manifest,
            turn,
            hold_groups: &[],
            hours: &[],
        }
    }
}

impl World {
    async fn load(&self, load: Load<'_>) {
        let source = CopySource {
            manifest: load.manifest,
            iam_role: "default",
            bad_rows: BadRows::Fail,
        };
        let transactions = TransactionsLoad {
            turn: load.turn,
            claim_id: CLAIM,
            hold_groups: load.hold_groups,
            hours: load.hours,
        };
        let sqls = sql::load_transactions(&self.definition, source, transactions);
        self.run("load", sqls).await;
    }

    /// Id, identity and decision id of each transaction, sorted.
    async fn loaded(&self) -> Vec<String> {
        let columns = "transaction_id || ' ' || COALESCE(identity_hash, '-') || ' ' || decision_id";
        self.texts(&format!("SELECT {columns} AS text FROM transactions"))
            .await
    }

    /// Turn, ordinal and identity of each hold, sorted.
    async fn holds(&self) -> Vec<String> {
        let columns = "turn || ' ' || ordinal || ' ' || identity_hash";
        self.texts(&format!("SELECT {columns} AS text FROM holds"))
            .await
    }

    async fn texts(&self, query: &str) -> Vec<String> {
        let rows = self.query(query).await;
        let text = |row: &warehouse::Row| row.text("text").unwrap().to_owned();
        let mut texts: Vec<String> = rows.iter().map(text).collect();
        texts.sort();
        texts
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn each_identity_is_loaded_once_as_it_arrived_first() {
    let world = empty_world().await;
    let batches: [&[Value]; 2] = [
        &[line("A", "a", 7), line("A", "a", 5), line("B", "b", 9)],
        // The same transaction again, and the same id with other content.
        &[line("A", "a", 6), line("A", "other", 8)],
    ];
    let manifest = &world.put("first", &batches);
    let expected = ["A a at 5", "A other at 8", "B b at 9"];
    for turn in 0..2 {
        world.load(Load::plain(manifest, turn)).await;
        assert_eq!(world.loaded().await, expected, "turn {turn}");
    }
    // The first write wins, also over a row that arrived earlier.
    let manifest = &world.put("late", &[&[line("B", "b", 1), line("C", "c", 2)]]);
    world.load(Load::plain(manifest, 2)).await;
    let expected = ["A a at 5", "A other at 8", "B b at 9", "C c at 2"];
    assert_eq!(world.loaded().await, expected);
    assert_eq!(world.holds().await, [""; 0]);
}

#[tokio::test(flavor = "multi_thread")]
async fn every_held_row_of_a_turn_is_in_holds_also_if_its_transaction_is_known() {
    let world = empty_world().await;
    let batch = [
        held(line("A", "a", 1), GROUP, 0),
        line("B", "b", 2),
        held(line("A", "a", 3), GROUP, 1),
        held(line("C", "c", 4), OTHER_GROUP, 0),
    ];
    // The batch is claimed by two waiting entries, so its object is listed twice.
    let manifest = &world.put("batch", &[&batch, &batch]);
    let groups = [group(GROUP, 0), group(GROUP, 10), group(OTHER_GROUP, 20)];
    let of_turn = |turn: u64| {
        let held = ["0 a", "1 a", "10 a", "11 a", "20 c"];
        let mut rows = held.map(|held| format!("{turn} {held}"));
        rows.sort();
        rows
    };
    // The second load of a turn adds nothing, the next turn has its own rows.
    let mut expected = Vec::new();
    for (turn, is_repeated) in [(0, false), (0, true), (1, false)] {
        world
            .load(Load {
                manifest,
                turn,
                hold_groups: &groups,
                hours: &[],
            })
            .await;
        if !is_repeated {
            expected.extend(of_turn(turn));
        }
        assert_eq!(world.holds().await, expected);
        assert_eq!(world.loaded().await, ["A a at 1", "B b at 2", "C c at 4"]);
    }
    // A turn that does not name a group leaves out its holds.
    world
        .load(Load {
            manifest,
            turn: 2,
            hold_groups: &groups[2..],
            hours: &[],
        })
        .await;
    expected.push("2 20 c".to_owned());
    assert_eq!(world.holds().await, expected);
}

#[tokio::test(flavor = "multi_thread")]
async fn rows_of_1970_and_of_today_are_loaded_once_under_bounds_of_hours() {
    let world = empty_world().await;
    let at = |text: &str| text.parse::<Timestamp>().unwrap();
    let mut old = line("A", "a", 1);
    old["occurred_at"] = json!("1970-01-01T00:00:00Z");
    // The last time within the bounds.
    let mut last = line("B", "b", 2);
    last["occurred_at"] = json!("2026-01-31T10:00:00Z");
    let batch = [old, last, line("C", "c", 3)];
    let manifest = &world.put("hours", &[&batch]);
    let hours = [
        at("1970-01-01T00:00:00Z")..=at("1970-01-01T01:00:00Z"),
        at("2026-01-31T09:00:00Z")..=at("2026-01-31T10:00:00Z"),
    ];
    for turn in 0..2 {
        world
            .load(Load {
                manifest,
                turn,
                hold_groups: &[],
                hours: &hours,
            })
            .await;
        assert_eq!(world.loaded().await, ["A a at 1", "B b at 2", "C c at 3"]);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_row_without_identity_is_identified_by_its_id() {
    let world = empty_world().await;
    let by_hand = "INSERT INTO transactions (transaction_id, occurred_at, amount, decision_id)
        VALUES ('A', '2026-01-31T09:00:00Z', 1, 'by hand')";
    world.run("by hand", vec![by_hand.to_owned()]).await;
    let without = |id: &str, second| {
        let mut line = line(id, "", second);
        line["identity_hash"] = Value::Null;
        line
    };
    let batch = [line("A", "a", 1), without("B", 2), without("C", 3)];
    let manifest = &world.put("batch", &[&batch]);
    for turn in 0..2 {
        world.load(Load::plain(manifest, turn)).await;
        let expected = ["A - by hand", "B - at 2", "C - at 3"];
        assert_eq!(world.loaded().await, expected);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_load_that_leaves_out_bad_rows_names_them_in_its_last_result() {
    let world = empty_world().await;
    let mut bad = line("B", "b", 2);
    bad["amount"] = json!("no number");
    let manifest = &world.put("bad", &[&[line("A", "a", 1), bad]]);
    let source = CopySource {
        manifest,
        iam_role: "default",
        bad_rows: BadRows::LeaveOut,
    };
    let load = TransactionsLoad {
        turn: 0,
        claim_id: CLAIM,
        hold_groups: &[],
        hours: &[],
    };
    let sqls = sql::load_transactions(&world.definition, source, load);
    let statements = sqls.len();
    let id = world.run("load", sqls).await;
    assert_eq!(world.loaded().await, ["A a at 1"]);
    let refused = world.warehouse.rows(&id, statements).await.unwrap();
    let [row] = &refused[..] else {
        panic!("{refused:?}")
    };
    let file = row.text("file_name").map(str::trim);
    assert_eq!(file, Some("s3://b/bad-0.ndjson.gz"));
    assert_eq!(row.number("line_number"), Some(2.0));
    assert_eq!(row.text("column_name").map(str::trim), Some("amount"));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_burst_is_counted_to_the_last_in_evidence_and_in_training() {
    let world = empty_world().await;
    // Ten transactions of one card within a second, in batches of two shards. The last one is held.
    let burst = |number: u32| {
        let id = format!("T{number}");
        let mut line = line(&id, &format!("i{number}"), 30);
        line["occurred_at"] = json!(format!("2026-01-31T09:00:00.{number}Z"));
        line["arrived_at"] = json!(format!("2026-01-31T09:00:01.{number}Z"));
        line
    };
    let one: Vec<Value> = (0..6).map(burst).collect();
    let mut other: Vec<Value> = (6..9).map(burst).collect();
    other.push(held(burst(9), GROUP, 0));
    let manifest = &world.put("burst", &[&one, &other]);
    world
        .load(Load {
            manifest,
            turn: 7,
            hold_groups: &[group(GROUP, 0)],
            hours: &[],
        })
        .await;
    let cut_off = "2026-01-31T00:00:00Z".parse().unwrap();
    let found = world.evidence(7, 1, Some(cut_off)).await;
    let mut hold = harness::holds::hold("T9", 0);
    hold.occurred_at = "2026-01-31T09:00:00.9Z".parse().unwrap();
    let count = |row: &warehouse::Row| {
        let evidence = world.definition.evidence(&hold, &row.numbers("ordinal"));
        evidence.unwrap()["customer_id_count_0"]
    };
    assert_eq!(count(&found[0]), Some(10.0));
    let period = features::TrainingPeriod {
        from: cut_off,
        to: "2026-02-01T00:00:00Z".parse().unwrap(),
        as_of: "2026-02-01T00:00:00Z".parse().unwrap(),
    };
    // All good transactions, not only a sample.
    let mut definition = world.definition.clone();
    definition.training.negatives = 1.0;
    let training = sql::training_set(&definition, &period);
    let rows = crate::world::rows(&world.warehouse, training).await;
    assert_eq!(count(&rows["T9"]), Some(10.0));
}
