//! One definition, two engines: the warehouse's SQL computes the same values as Rust, over a
//! history of edge cases and over simulated cards with the shipped definition. And what the load
//! statements leave in the tables.

#![expect(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    reason = "a test fails by panicking"
)]

mod histories;
mod loads;
mod reports;
mod texts;
mod world;

use features::sql::profile_column;
use features::{Measure, TrainingPeriod, sql};
use harness::fixture::all_measures;
use jiff::{SignedDuration, Timestamp};
use look::simulate;
use warehouse::Value;

use histories::{CLAIM, ROWS, history, hold_inserts, simulated};
use world::{World, rows};

const SHIPPED: &str = include_str!("../../../../infra/bundles/card-fraud/bundle.toml");

#[tokio::test(flavor = "multi_thread")]
async fn both_engines_agree_on_a_history_of_edge_cases() {
    let world = World::new(&all_measures(), history()).await;
    let all: Vec<usize> = (0..ROWS).collect();
    world.compare_evidence(0, &all).await;
    // A transaction that is held twice counts once, and each of its holds has evidence.
    world.compare_evidence(1_000, &[5, 5, 7]).await;
    world.compare_training_set(Timestamp::UNIX_EPOCH).await;
    world.compare_profiles(world.history.occurred_at[0]).await;

    // A column that was added later is NULL in older rows. Their profiles are empty, as in serving.
    let columns = "transaction_id, occurred_at, amount, terminal_id";
    let without_customer =
        format!("INSERT INTO transactions ({columns}) VALUES ('N', '2029-01-01', 1, 'S')");
    world.run("insert", vec![without_customer]).await;
    let [from, to] =
        ["2028-12-31T00:00:00Z", "2030-01-01T00:00:00Z"].map(|text| text.parse().unwrap());
    let period = TrainingPeriod {
        from,
        to,
        as_of: to,
    };
    let found = rows(
        &world.warehouse,
        sql::training_set(&world.definition, &period),
    )
    .await;
    let windows = world.definition.windows(&world.definition.first);
    let counted = windows
        .iter()
        .filter(|(_, window)| window.measure == Measure::Count);
    let counts = counted
        .map(|(name, window)| {
            found["N"].number(&profile_column(name, window.measure.aggregates()[0]))
        })
        .collect::<Vec<_>>();
    assert!(
        counts.len() > 1
            && counts
                .iter()
                .all(|count| count.is_none_or(|count| count == 0.0)),
        "{counts:?}"
    );

    // A held transaction counts once, whether it is loaded or not. The last one is in no other
    // window.
    let last = (0..ROWS)
        .max_by_key(|&row| world.history.occurred_at[row])
        .unwrap();
    let delete = format!("DELETE FROM transactions WHERE transaction_id = 'T{last}'");
    world.run("delete", vec![delete]).await;
    world.compare_evidence(2_000, &[last]).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn evidence_names_the_holds_with_a_reused_id() {
    let world = World::new(&all_measures(), history()).await;
    // T1 is loaded with other content. The other content of T2 is held in the same turn.
    let columns = "transaction_id, occurred_at, amount, identity_hash";
    let other = "'2023-11-20', 1, 'other'";
    world
        .run(
            "conflicts",
            [
                hold_inserts(&world.definition, &world.history, 3, &[0, 1, 2, 2]),
                vec![
                    format!("INSERT INTO transactions ({columns}) VALUES ('T1', {other})"),
                    format!(
                        "INSERT INTO holds (turn, claim_id, ordinal, {columns}) \
                         VALUES (3, '{CLAIM}', 4, 'T2', {other})"
                    ),
                ],
            ]
            .concat(),
        )
        .await;
    let found = world.evidence(3, 5, None).await;
    let conflicts: Vec<&Value> = found.iter().map(|row| &row.0["_id_conflict"]).collect();
    let expected = [false, true, true, true, true].map(Value::Bool);
    assert_eq!(conflicts, expected.iter().collect::<Vec<_>>());
    // The other content of T2 is in another range.
    let found = world.evidence(3, 3, None).await;
    assert_eq!(found[2].0["_id_conflict"], Value::Bool(false));
}

/// A profile's window `customer_count_0` of `customer` and a recent window
/// `profile_customer_count_0` of `profile_customer` need different names in one training set.
#[tokio::test(flavor = "multi_thread")]
async fn both_engines_agree_if_a_name_is_another_one_with_our_prefix() {
    let text = all_measures()
        .replace("customer_id", "customer")
        .replace("terminal_id", "profile_customer");
    let world = World::new(&text, history()).await;
    world
        .compare_evidence(0, &(0..ROWS).collect::<Vec<_>>())
        .await;
    world.compare_training_set(Timestamp::UNIX_EPOCH).await;
    world.compare_profiles(world.history.occurred_at[0]).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn both_engines_agree_on_simulated_cards_with_the_shipped_definition() {
    let world = World::new(SHIPPED, simulated()).await;
    let rows = world.history.len();
    let frauds = world.history.reports.iter().flatten().count();
    assert!(rows > 2_000 && frauds > 100, "{frauds} frauds of {rows}");
    // The holds lie all over the six weeks. The last ones have full windows of 28 days and a delay.
    world
        .compare_evidence(0, &(0..rows).step_by(11).collect::<Vec<_>>())
        .await;
    let midnight = simulate::start() + SignedDuration::from_hours(40 * 24);
    assert!(world.definition.profiled_entities().count() > 0);
    // From noon on, the windows of the first look end half a day before the first rows.
    world
        .compare_training_set(midnight + SignedDuration::from_hours(12))
        .await;
    world.compare_profiles(midnight).await;
}
