//! The moving windows of the Rust engine equal a direct computation from their definition.

#![expect(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    reason = "a test fails by panicking, and says where it is"
)]

use std::collections::{BTreeMap, BTreeSet};

use features::{Definition, DistinctField, Measure, Quantity, Window};
use features::{History, Label};
use harness::fixture::{self, all_measures};
use jiff::Timestamp;
use proptest::prelude::*;

const HOUR: i64 = 3_600_000;

fn history() -> impl Strategy<Value = History> {
    // Timestamps collide on purpose, and lie on the windows' edges.
    let seconds = prop_oneof![(0..240i64).prop_map(|hour| hour * HOUR), 0..240 * HOUR];
    let label = prop::option::weighted(0.3, (any::<bool>(), 0..300 * HOUR));
    // Few values, so that they repeat, and large ones beside small ones.
    let age = prop::option::weighted(
        0.8,
        prop_oneof![(-4..4i32).prop_map(f64::from), Just(1e9), Just(1e9 + 0.5)],
    );
    let field = (0..3u32, 0..4u32, prop::option::weighted(0.8, 0..3u32));
    prop::collection::vec((seconds, 0..1_000u32, field, age, label), 0..60).prop_map(|rows| {
        let at = |millis: i64| Timestamp::from_millisecond(1_700_000_000_000 + millis).unwrap();
        History {
            occurred_at: rows.iter().map(|row| at(row.0)).collect(),
            amounts: rows.iter().map(|row| f64::from(row.1) / 4.0).collect(),
            entities: vec![
                rows.iter().map(|row| row.2.0).collect(),
                rows.iter().map(|row| row.2.1).collect(),
            ],
            categories: vec![rows.iter().map(|row| row.2.2).collect()],
            numbers: vec![rows.iter().map(|row| row.3.unwrap_or(f64::NAN)).collect()],
            labels: rows
                .iter()
                .map(|row| {
                    row.4.map(|(is_fraud, millis)| Label {
                        reported_at: at(millis),
                        is_fraud,
                    })
                })
                .collect(),
        }
    })
}

/// The value of a window, computed directly from `(t − delay − length, t − delay]`.
fn defined(history: &History, window: &Window, value: u32, t: Timestamp) -> f64 {
    let at = |row: usize| history.occurred_at[row].as_millisecond();
    let end = t.as_millisecond() - window.delay.as_millis() as i64;
    let begin = end - window.length.as_millis() as i64;
    let column = &history.entities[window.entity];
    let inside: Vec<usize> = (0..history.len())
        .filter(|&r| column[r] == value && at(r) > begin && at(r) <= end)
        .collect();
    let n = inside.len() as f64;
    let of = |row: usize| match window.measure.quantity() {
        Some(Quantity::Number(number)) => history.numbers[number][row],
        _ => history.amounts[row],
    };
    let values: Vec<f64> = inside
        .iter()
        .map(|&row| of(row))
        .filter(|value| !value.is_nan())
        .collect();
    let (present, sum) = (values.len() as f64, values.iter().sum::<f64>());
    match window.measure {
        Measure::Count => n,
        Measure::Sum(_) => sum,
        Measure::Mean(_) => sum / present,
        Measure::Deviation(_) => (values
            .iter()
            .map(|value| (value - sum / present).powi(2))
            .sum::<f64>()
            / present)
            .sqrt(),
        Measure::Min(_) => values.iter().copied().reduce(f64::min).unwrap_or(f64::NAN),
        Measure::Max(_) => values.iter().copied().reduce(f64::max).unwrap_or(f64::NAN),
        Measure::Distinct(DistinctField::Entity(other)) => inside
            .iter()
            .map(|&r| history.entities[other][r])
            .collect::<BTreeSet<_>>()
            .len() as f64,
        Measure::Distinct(DistinctField::Category(other)) => inside
            .iter()
            .filter_map(|&r| history.categories[other][r])
            .collect::<BTreeSet<_>>()
            .len() as f64,
        Measure::FraudRate if inside.is_empty() => 0.0,
        Measure::FraudRate => {
            let known = |r: &&usize| {
                history.labels[**r].is_some_and(|label| label.is_fraud && label.reported_at <= t)
            };
            inside.iter().filter(known).count() as f64 / n
        }
    }
}

proptest! {
    #[test]
    fn every_window_of_every_row_equals_its_definition(history in history()) {
        let definition = Definition::parse(&all_measures()).unwrap();
        for look in [&definition.first, &definition.confirm] {
            let values = history.windows(&definition, look);
            let windows = definition.windows(look);
            prop_assert_eq!(values.len(), windows.len());
            for ((name, window), values) in windows.iter().zip(&values) {
                for (row, value) in values.iter().enumerate() {
                    let entity = history.entities[window.entity][row];
                    let expected = defined(&history, window, entity, look.window_end(history.occurred_at[row]));
                    // Profiles are kept as f32; the definition's own deviation of large values rounds.
                    let close = if look.cut_off.is_some() { 1e-6 } else { 1e-12 } * expected.abs().max(100.0);
                    let same = (value.is_nan() && expected.is_nan()) || (value - expected).abs() <= close;
                    prop_assert!(same, "{} of row {}: {}, expected {}", name, row, value, expected);
                }
            }
        }
    }

    #[test]
    fn a_profile_is_its_windows_at_the_cut_off(history in history(), hours in 0..300i64) {
        let definition = Definition::parse(&all_measures()).unwrap();
        let cut_off = Timestamp::from_millisecond(1_700_000_000_000 + hours * HOUR).unwrap();
        for entity in definition.profiled_entities() {
            let windows = definition.profile_columns(entity);
            let mut profiles: BTreeMap<u32, Vec<f64>> = history.profiles(&definition, entity, cut_off).into_iter().collect();
            for value in 0..4 {
                let expected: Vec<f64> =
                    windows.iter().map(|(_, window)| defined(&history, window, value, cut_off)).collect();
                let nothing: Vec<f64> = windows.iter().map(|(_, window)| window.measure.empty_value()).collect();
                // An entity without a profile has empty windows.
                let found = profiles.remove(&value).unwrap_or(nothing);
                for ((name, _), (found, expected)) in windows.iter().zip(found.iter().zip(&expected)) {
                    let same = (found.is_nan() && expected.is_nan()) || (found - expected).abs() <= 1e-12 * expected.abs().max(100.0);
                    prop_assert!(same, "{} of {}: {}, expected {}", name, value, found, expected);
                }
            }
            prop_assert!(profiles.is_empty());
        }
    }
}

#[test]
fn the_fixture_has_every_measure() {
    let definition = Definition::parse(&all_measures()).unwrap();
    let windows = definition.windows(&definition.confirm);
    assert_eq!(windows.len(), fixture::MEASURES.len() * 4);
}
