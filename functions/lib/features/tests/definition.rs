//! What a definition may say, and how each slip is refused.

#![expect(
    clippy::unwrap_used,
    reason = "a test fails by panicking, and says where it is"
)]

use std::error::Error as _;

use features::Facts;
use features::{Definition, HoldBy, Kind, Measure, ReviewBy};
use harness::fixture::DEFINITION;
use jiff::Timestamp;

const CARD_FRAUD: &str = include_str!("../../../../infra/bundles/card-fraud/bundle.toml");

/// So many features, each made of the one before it twice.
fn chain(links: u32) -> String {
    let mut text = String::from("[[feature]]\nname = \"made_0\"\nfield = \"amount\"\n");
    for link in 1..=links {
        let before = link - 1;
        let made_of = format!("[\"made_{before}\", \"made_{before}\"]");
        text.extend([
            "[[feature]]\nname = \"made_",
            &link.to_string(),
            "\"\ndifference = ",
            &made_of,
            "\n",
        ]);
    }
    text + "\n[first]"
}

fn refusal(text: &str) -> String {
    let error = Definition::parse(text).unwrap_err();
    error
        .source()
        .map_or_else(|| error.to_string(), |source| format!("{error}: {source}"))
}

#[test]
fn the_shipped_bundle_says_what_it_needs_of_the_warehouse() {
    let definition = Definition::parse(CARD_FRAUD).unwrap();
    assert_eq!(definition.first.every, Some(86_400));
    assert_eq!(definition.profiled().collect::<Vec<_>>(), [0, 1]);
    let windows = definition.windows(&definition.confirm);
    assert_eq!(windows.len(), 11);
    // A profile costs at most 64 bytes: a key, the values, and its part of the buckets.
    for entity in definition.profiled() {
        assert!(8 + 4 * definition.profile_columns(entity).len() + 4 <= 64);
    }
    let (name, rate) = windows
        .iter()
        .find(|(_, window)| window.measure == Measure::FraudRate)
        .unwrap();
    assert_eq!(
        (*name, rate.length, rate.delay),
        ("terminal_fraud_rate_1d", 86_400, 7 * 86_400)
    );
}

#[test]
fn a_cut_off_is_the_last_before_the_transaction() {
    let mut look = Definition::parse(CARD_FRAUD).unwrap().first;
    let at = |text: &str| text.parse::<Timestamp>().unwrap();
    for (moment, end) in [
        ("2026-01-31T00:00:00.000001Z", "2026-01-31T00:00:00Z"),
        ("2026-01-31T23:59:59Z", "2026-01-31T00:00:00Z"),
        // It may be among what the profiles of that very midnight were made of.
        ("2026-01-31T00:00:00Z", "2026-01-30T00:00:00Z"),
        ("1969-12-31T12:00:00Z", "1969-12-31T00:00:00Z"),
    ] {
        assert_eq!(look.end(at(moment)), at(end), "{moment}");
    }
    assert_eq!(
        look.cut_off(at("2026-01-31T00:00:00Z")),
        Some(at("2026-01-31T00:00:00Z"))
    );
    look.every = None;
    assert_eq!(
        (
            look.end(at("2026-01-31T01:02:03Z")),
            look.cut_off(at("2026-01-31T01:02:03Z"))
        ),
        (at("2026-01-31T01:02:03Z"), None)
    );
}

/// A transaction of which only the amount is known.
struct Bare;

impl Facts for Bare {
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
fn a_missing_value_is_what_its_definition_says_in_what_is_made_of_it_too() {
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
fn windows_that_only_a_ratio_needs_are_asked_for() {
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
        Kind::Ratio(0, 2)
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
        HoldBy::ADay(9.0)
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
        ReviewBy::ADay(3.0)
    );
}

#[test]
fn each_slip_is_refused_with_its_place_and_what_was_expected() {
    let feature = |lines: &str| {
        (
            "[first]".to_owned(),
            format!("[[feature]]\nname = \"x\"\n{lines}\n[first]"),
        )
    };
    let table = |line: &str| ("[first]".to_owned(), format!("[table]\n{line}\n[first]"));
    let swap = |from: &str, to: &str| (from.to_owned(), to.to_owned());
    let window = "entity = \"customer_id\"\nwindow = \"7d\"\n";
    let cases = [
        (
            swap("name = \"small\"", "name = \"Small Bundle\""),
            "setting `name`: expected lower case",
        ),
        (swap("name = \"small\"", "nom = \"small\""), "nom"),
        (swap("seed = 1", ""), "seed"),
        (
            swap("name = \"night\"", "name = \"amount\""),
            "feature `amount`: declared twice",
        ),
        (
            swap("name = \"night\"", "name = \"Night\""),
            "feature `Night`: expected a name of lower case",
        ),
        (
            swap("name = \"night\"", "name = \"customer_id\""),
            "this name is a field's",
        ),
        (
            swap("name = \"night\"", "name = \"label\""),
            "this name is a field's",
        ),
        (swap("calendar = \"night\"", "calendar = \"noon\""), "noon"),
        (
            swap(
                "calendar = \"night\"",
                "calendar = \"night\"\nfield = \"amount\"",
            ),
            "exactly one of field, category, calendar, ratio, difference",
        ),
        (
            table("risk = \"R\""),
            "setting `table`: `risk` is no field of the schema, nor transaction_id",
        ),
        (
            table("customer_id = 7"),
            "`customer_id` must be a column's name: only amount may be a number",
        ),
        (table("amount = -1"), "`amount` must be a column's name"),
        (
            table("customer_id = { since = \"2026-01-01T00:00:00Z\", unit = \"s\" }"),
            "`customer_id` is no moment",
        ),
        (
            table("occurred_at = { since = \"yesterday\", unit = \"s\" }"),
            "line",
        ),
        (
            feature("category = \"channel\""),
            "`channel` is no category of the schema",
        ),
        (
            feature("category = \"channel\"\nmissing = 0"),
            "leave `missing` out",
        ),
        (
            feature("field = \"risk\""),
            "field `risk` is no number of the schema",
        ),
        (
            feature("ratio = [\"amount\", \"later\"]"),
            "made of `later`, which is not declared before it",
        ),
        (
            feature("difference = [\"amount\", \"later\"]"),
            "made of `later`, which is not declared before it",
        ),
        (
            swap("[first]", &chain(5)),
            "made of others, 5 deep: expected 4 at the most",
        ),
        (
            feature("field = \"amount\"\nmissing = inf"),
            "missing: expected a finite number",
        ),
        (
            feature("entity = \"merchant\"\ncount = true\nwindow = \"7d\""),
            "`merchant` is no entity",
        ),
        (feature(window), "expected one measure"),
        (
            feature(&format!("{window}count = true\nsum = \"amount\"")),
            "expected one measure",
        ),
        (
            feature(&format!("{window}sum = \"risk\"")),
            "measure of `risk`, which is neither amount nor a number",
        ),
        (
            feature(&format!("{window}min = \"amount\"\nmax = \"amount\"")),
            "expected one measure",
        ),
        (
            feature(&format!("{window}distinct = \"channel\"")),
            "distinct of `channel`, which is no entity and no category",
        ),
        (
            feature(&format!("{window}distinct = \"customer_id\"")),
            "one distinct value of itself",
        ),
        (
            feature(&format!("{window}fraud_rate = true")),
            "a fraud rate without a delay",
        ),
        (
            feature("entity = \"customer_id\"\ncount = true"),
            "expected a window such as 7d",
        ),
        (
            feature("entity = \"customer_id\"\ncount = true\nwindow = \"7 days\""),
            "window `7 days`: expected a span",
        ),
        (
            feature("entity = \"customer_id\"\ncount = true\nwindow = \"0d\""),
            "window `0d`: expected a span",
        ),
        (
            feature("entity = \"customer_id\"\ncount = true\nwindow = \"9999999d\""),
            "expected a span",
        ),
        (
            feature("entity = \"customer_id\"\ncount = true\nwindow = \"7d\"\ndelay = \"é\""),
            "delay `é`: expected a span",
        ),
        (
            swap("[\"amount\", \"night\"]", "[]"),
            "a look needs at least one feature",
        ),
        (
            swap("[\"amount\", \"night\"]", "[\"amount\", \"amount\"]"),
            "[first] names it twice",
        ),
        (
            swap("[\"amount\", \"night\"]", "[\"noon\"]"),
            "[first] names it, but there is none",
        ),
        (
            swap("[\"amount\", \"night\"]", "[\"customer_mean_7d\"]"),
            "set first.cut_off, such as 1d",
        ),
        (
            swap("hold_share = 0.02", "hold_share = 0.02\ncut_off = \"1d\""),
            "the first look has no window to cut off",
        ),
        (
            swap(
                "hold_share = 0.02",
                "hold_share = 0.02\ncut_off = \"daily\"",
            ),
            "setting `first.cut_off`: expected a span",
        ),
        (
            swap("name = \"night\"", "name = \"profile_night\""),
            "begins with profile_",
        ),
        (
            swap("hold_share = 0.02", "hold_share = 0"),
            "setting `first.hold_share`: expected a share",
        ),
        (
            swap("hold_share = 0.02", ""),
            "setting `first`: expected one of hold_share, holds_a_day and",
        ),
        (
            swap("hold_share = 0.02", "hold_share = 0.02\nholds_a_day = 9"),
            "setting `first`: expected one of",
        ),
        (
            swap("review = 5", "review = 5\nfalse_hold = 1"),
            "setting `first`: expected one of",
        ),
        (
            swap("hold_share = 0.02", "holds_a_day = 0"),
            "setting `first.holds_a_day`: expected a number above 0",
        ),
        (
            swap("review = 5", ""),
            "setting `confirm`: expected one of reviews_a_day and costs.review",
        ),
        (
            swap("[confirm]", "[confirm]\nreviews_a_day = 5"),
            "setting `confirm`: expected one of",
        ),
        (
            swap("missed_fraud = 100", "missed_fraud = -1"),
            "setting `costs`: expected numbers above 0",
        ),
        (
            swap("missed_fraud = 100", "missed_fraud = nan"),
            "setting `costs`: expected numbers above 0",
        ),
        (swap("review = 5", "review = 90"), "would never be chosen"),
        (
            swap("on_expiry = \"review\"", "on_expiry = \"hold\""),
            "setting `policy.on_expiry`: expected release, block or review",
        ),
        (
            swap("hold_deadline = \"10m\"", "hold_deadline = \"10\""),
            "setting `policy.hold_deadline`: expected a span",
        ),
        (
            swap("max_attempts = 3", "max_attempts = 0"),
            "setting `policy.max_attempts`",
        ),
        (
            swap("holdout = \"2d\"", "holdout = \"7d\""),
            "setting `training.holdout`: expected less than",
        ),
        (
            swap("depth = 2", "depth = 17"),
            "setting `training.boost.depth`: expected 1 to 16",
        ),
        (
            swap("rounds = 10", "rounds = 0"),
            "setting `training.boost.rounds`: expected 1 to 2000",
        ),
        (
            swap("min_leaf = 5", "min_leaf = 0"),
            "setting `training.boost.min_leaf`: expected at least 1",
        ),
        (
            swap("min_leaf = 5", "min_leaf = 5\nrows = 1.5"),
            "setting `training.boost.rows`: expected a share",
        ),
        (
            swap("min_leaf = 5", "min_leaf = 5\ncolumns = 0"),
            "setting `training.boost.columns`: expected a share",
        ),
        (
            swap("min_leaf = 5", "min_leaf = 5\nl2 = -1"),
            "setting `training.boost.l2`: expected a number",
        ),
        (swap("min_leaf = 5", "min_leaf = 5\nleaves = 9"), "leaves"),
        (
            swap(
                "min_leaf = 5",
                "min_leaf = 5\n[training.forest]\ntrees = 0\ndepth = 1\nmin_leaf = 1",
            ),
            "setting `training.forest.trees`: expected 1 to 2000",
        ),
        (
            swap(
                "min_leaf = 5",
                "min_leaf = 5\n[training.logistic]\npenalty = inf",
            ),
            "setting `training.logistic.penalty`: expected a number from 0 on",
        ),
        (
            swap("[\"customer_id\", \"terminal_id\"]", "[\"customer id\"]"),
            "schema",
        ),
        (
            swap("[\"customer_id\", \"terminal_id\"]", "[\"amount\"]"),
            "schema",
        ),
    ];
    for ((from, to), expected) in cases {
        assert!(DEFINITION.contains(&from), "{from} is not in the fixture");
        let said = refusal(&DEFINITION.replace(&from, &to));
        assert!(said.contains(expected), "{from} → {to}: {said}");
    }
    assert!(refusal("").contains("missing field"));
    assert!(refusal("= 1").contains("line 1"));
}
