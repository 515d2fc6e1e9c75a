//! What the parts of a definition mean.

use features::FeatureSource;
use features::{Definition, FeatureKind, HoldBy, Measure, ReviewBy};
use harness::fixture::DEFINITION;
use jiff::{SignedDuration, Timestamp};

const CARD_FRAUD: &str = include_str!("../../../../infra/bundles/card-fraud/bundle.toml");

#[test]
fn the_shipped_bundle_has_the_expected_windows_and_small_profiles() {
    let definition = Definition::parse(CARD_FRAUD).unwrap();
    let cut_offs = definition.cut_offs.unwrap();
    assert_eq!(cut_offs.period, SignedDuration::from_hours(24));
    assert_eq!(cut_offs.lag, SignedDuration::from_hours(1));
    assert_eq!(definition.profiled_entities().collect::<Vec<_>>(), [0, 1]);
    let windows = definition.windows(&definition.confirm);
    assert_eq!(windows.len(), 15);
    // A profile costs at most 128 bytes: a key, the numbers, and its part of the buckets.
    for entity in definition.profiled_entities() {
        let windows = definition.profile_windows(entity);
        let numbers = windows
            .iter()
            .map(|(_, window)| window.measure.aggregates().len());
        assert!(8 + 8 * numbers.sum::<usize>() + 4 <= 128);
    }
    let (name, rate) = windows
        .iter()
        .find(|(_, window)| window.measure == Measure::FraudRate)
        .unwrap();
    assert_eq!(*name, "terminal_fraud_rate_1d");
    assert_eq!(rate.length, Some(SignedDuration::from_hours(24)));
    assert_eq!(rate.delay, SignedDuration::from_hours(7 * 24));
}

#[test]
fn a_transaction_is_served_by_the_profiles_that_are_active_when_it_arrives() {
    let cut_offs = Definition::parse(CARD_FRAUD).unwrap().cut_offs.unwrap();
    let at = |text: &str| text.parse::<Timestamp>().unwrap();
    for (occurred_at, arrived_at, cut_off) in [
        (
            "2026-01-31T01:00:00Z",
            "2026-01-31T01:00:00Z",
            "2026-01-31T00:00:00Z",
        ),
        (
            "2026-01-31T00:59:59Z",
            "2026-01-31T00:59:59.999999Z",
            "2026-01-30T00:00:00Z",
        ),
        // It arrives late, after the next profiles became active.
        (
            "2026-01-30T23:50:00Z",
            "2026-01-31T09:00:00Z",
            "2026-01-31T00:00:00Z",
        ),
        // A replay, and a clock that is wrong: the own time counts.
        (
            "2026-01-31T12:00:00Z",
            "2026-11-28T09:00:00Z",
            "2026-01-31T00:00:00Z",
        ),
        (
            "2026-03-31T12:00:00Z",
            "2026-01-31T09:00:00Z",
            "2026-03-31T00:00:00Z",
        ),
        (
            "1969-12-31T12:00:00Z",
            "1969-12-31T12:00:00Z",
            "1969-12-31T00:00:00Z",
        ),
    ] {
        assert_eq!(
            cut_offs.of(at(occurred_at), at(arrived_at)),
            at(cut_off),
            "{occurred_at}, arrived at {arrived_at}"
        );
    }
    let midnight = at("2026-01-31T00:00:00Z");
    assert_eq!(cut_offs.last(midnight), midnight);
    assert_eq!(cut_offs.active_from(midnight), at("2026-01-31T01:00:00Z"));
}

/// A transaction of which only the amount is known.
struct Bare;

impl FeatureSource for Bare {
    fn occurred_at(&self) -> Timestamp {
        Timestamp::UNIX_EPOCH
    }
    fn amount(&self) -> f64 {
        6.0
    }
    fn number(&self, _: usize) -> f64 {
        f64::NAN
    }
    fn category(&self, _: usize) -> f64 {
        f64::NAN
    }
    fn window(&self, _: usize) -> f64 {
        f64::NAN
    }
}

#[test]
fn a_missing_value_is_replaced_also_in_features_made_of_it() {
    let features = "[[feature]]\nname = \"usual\"\nentity = \"customer_id\"\nmean = \"amount\"\nwindow = \"7d\"\nmissing = 4\n\
                    [[feature]]\nname = \"over\"\ndifference = [\"amount\", \"usual\"]\n\
                    [[feature]]\nname = \"none\"\ndifference = [\"amount\", \"customer_mean_7d\"]\n[first]";
    let definition = Definition::parse(&DEFINITION.replace("[first]", features)).unwrap();
    let value = |name: &str| {
        let place = definition
            .features()
            .iter()
            .position(|feature| feature.name == name)
            .unwrap();
        definition.value(place, &Bare)
    };
    assert_eq!([value("usual"), value("over")], [4.0, 2.0]);
    assert!(value("none").is_nan() && value("customer_mean_7d").is_nan());
}

#[test]
fn windows_that_only_a_ratio_needs_are_computed() {
    let text = DEFINITION.replace(
        "[first]",
        "[[feature]]\nname = \"over\"\nratio = [\"amount\", \"customer_mean_7d\"]\n[first]",
    );
    let text = text.replace(
        "[\"amount\", \"customer_mean_7d\"]\n\n[costs]",
        "[\"over\"]\n\n[costs]",
    );
    let definition = Definition::parse(&text).unwrap();
    assert_eq!(definition.names(&definition.confirm), ["over"]);
    assert_eq!(
        definition.windows(&definition.confirm).first().unwrap().0,
        "customer_mean_7d"
    );
    assert!(matches!(
        definition.features().last().unwrap().kind,
        FeatureKind::Ratio(0, 2)
    ));
}

#[test]
fn thresholds_come_from_costs_or_from_a_budget() {
    let chosen = |from: &str, to: &str| {
        let definition = Definition::parse(&DEFINITION.replace(from, to)).unwrap();
        (definition.hold, definition.review)
    };
    assert_eq!(
        chosen("", ""),
        (HoldBy::Share(0.02), ReviewBy::Cost { review: 5.0 })
    );
    assert_eq!(
        chosen("hold_share = 0.02", "holds_a_day = 9").0,
        HoldBy::PerDay(9.0)
    );
    let text = DEFINITION
        .replace("hold_share = 0.02", "")
        .replace("[costs]", "[costs]\nfalse_hold = 2");
    assert_eq!(
        Definition::parse(&text).unwrap().hold,
        HoldBy::Cost { false_hold: 2.0 }
    );
    let text = DEFINITION
        .replace("review = 5", "")
        .replace("[confirm]", "[confirm]\nreviews_a_day = 3");
    assert_eq!(
        Definition::parse(&text).unwrap().review,
        ReviewBy::PerDay(3.0)
    );
}
