//! The windows of the Rust engine equal a direct computation from their definition.

#![expect(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    reason = "a test fails by panicking, and says where it is"
)]

mod definitions;
mod histories;
mod oracle;

use std::collections::{BTreeMap, BTreeSet};

use features::{Aggregate, Definition, History, Measure, NamedWindow, Parts, Window};
use proptest::prelude::*;
use proptest::test_runner::TestCaseResult;

use definitions::{with_cut_offs, without_cut_offs};
use histories::{at, cut_off, history};
use oracle::{Counted, Oracle};

fn is_close(found: f64, expected: f64, tolerance: f64) -> bool {
    (found.is_nan() && expected.is_nan()) || (found - expected).abs() <= tolerance
}

/// `count` tells what a window counts for a row.
fn check_rows(
    oracle: &Oracle<'_>,
    windows: &[NamedWindow<'_>],
    values: &[Vec<f64>],
    count: impl Fn(&Window, usize) -> Counted,
) -> TestCaseResult {
    prop_assert_eq!(values.len(), windows.len());
    for ((name, window), values) in windows.iter().zip(values) {
        prop_assert_eq!(values.len(), oracle.history.len());
        for (row, &value) in values.iter().enumerate() {
            let counted = count(window, row);
            let expected = oracle.value(window.measure, &counted);
            let tolerance = oracle.tolerance(window.measure, &counted, expected);
            prop_assert!(
                is_close(value, expected, tolerance),
                "{name} of row {row}: {value}, expected {expected}"
            );
        }
    }
    Ok(())
}

fn check_second_look(definition: &Definition, history: &History) -> TestCaseResult {
    let oracle = Oracle {
        history,
        has_cut_offs: definition.cut_offs.is_some(),
    };
    let values = history.second_windows(definition);
    let windows = definition.windows(&definition.confirm);
    let count = |window: &Window, row| oracle.second(window, row);
    check_rows(&oracle, &windows, &values, count)
}

fn check_parts(
    oracle: &Oracle<'_>,
    window: &Window,
    parts: Parts,
    counted: &Counted,
) -> TestCaseResult {
    let aggregates = window.measure.aggregates();
    for (&aggregate, found) in aggregates.iter().zip(parts.aggregates(window.measure)) {
        let expected = oracle.aggregate(window.measure, aggregate, counted);
        let largest = oracle.tolerance(window.measure, counted, expected);
        let tolerance = match aggregate {
            // Of the deviation's rounding, the variance has twice as much.
            Aggregate::Variance => 2.0 * largest * expected.sqrt() + largest,
            _ => largest,
        };
        prop_assert!(
            is_close(found, expected, tolerance),
            "{aggregate:?}: {found}, expected {expected}"
        );
    }
    Ok(())
}

fn counts_anything(window: &Window, counted: &Counted) -> bool {
    match window.measure.is_of_frauds() {
        true => !counted.frauds.is_empty(),
        false => !counted.rows.is_empty(),
    }
}

/// A number for each measure.
fn kind(measure: Measure) -> usize {
    match measure {
        Measure::Count => 0,
        Measure::Sum(_) => 1,
        Measure::Mean(_) => 2,
        Measure::Deviation(_) => 3,
        Measure::Min(_) => 4,
        Measure::Max(_) => 5,
        Measure::Distinct(_) => 6,
        Measure::FraudRate => 7,
        Measure::Frauds => 8,
        Measure::LastFraudAge => 9,
    }
}

#[test]
fn the_definitions_have_every_measure() {
    for definition in [with_cut_offs(), without_cut_offs()] {
        let windows = definition.windows(&definition.confirm);
        let kinds: BTreeSet<usize> = windows.iter().map(|(_, w)| kind(w.measure)).collect();
        assert_eq!(kinds.len(), 10);
    }
}

proptest! {
    #[test]
    fn the_first_look_has_the_windows_of_the_active_profiles(history in history()) {
        let definition = with_cut_offs();
        let oracle = Oracle { history: &history, has_cut_offs: true };
        let windows = definition.windows(&definition.first);
        let values = history.first_windows(&definition);
        check_rows(&oracle, &windows, &values, |window, row| oracle.first(window, row))?;
    }

    #[test]
    fn the_second_look_has_profiles_and_what_came_since(history in history()) {
        check_second_look(&with_cut_offs(), &history)?;
    }

    #[test]
    fn without_cut_offs_windows_begin_exactly(history in history()) {
        let definition = without_cut_offs();
        prop_assert!(history.first_windows(&definition).is_empty());
        prop_assert!(history.profiles(&definition, 0, at(histories::START)).is_empty());
        check_second_look(&definition, &history)?;
    }

    #[test]
    fn profiles_hold_the_parts_as_of_their_cut_off(history in history(), cut_off in cut_off()) {
        let definition = with_cut_offs();
        let oracle = Oracle { history: &history, has_cut_offs: true };
        for entity in 0..2 {
            let windows = definition.profile_windows(entity);
            let profiles = history.profiles(&definition, entity, at(cut_off));
            let mut profiles: BTreeMap<u32, Vec<Parts>> = profiles.into_iter().collect();
            for value in 0..4 {
                let found = profiles.remove(&value);
                let is_found = found.is_some();
                let found = found.unwrap_or_else(|| vec![Parts::EMPTY; windows.len()]);
                prop_assert_eq!(found.len(), windows.len());
                let mut is_expected = false;
                for ((_, window), parts) in windows.iter().zip(found) {
                    let counted = oracle.profile(window, value, cut_off);
                    is_expected |= counts_anything(window, &counted);
                    check_parts(&oracle, window, parts, &counted)?;
                }
                prop_assert_eq!(is_found, is_expected, "value {}", value);
            }
            prop_assert!(profiles.is_empty());
        }
    }

    #[test]
    fn the_label_is_that_of_the_last_known_report(history in history(), as_of in cut_off()) {
        let oracle = Oracle { history: &history, has_cut_offs: false };
        for row in 0..history.len() {
            prop_assert_eq!(history.is_fraud(row, at(as_of)), oracle.is_fraud(row, as_of, as_of));
        }
    }
}
