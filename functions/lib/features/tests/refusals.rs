//! Each mistake in a `bundle.toml` is refused with its place and the expected value.

#![expect(
    clippy::unwrap_used,
    reason = "a test fails by panicking, and says where it is"
)]

use std::error::Error as _;

use features::Definition;
use harness::fixture::DEFINITION;

/// An edit of the fixture: the text to find, and its replacement.
type Edit = (String, String);

fn swap(from: &str, to: &str) -> Edit {
    (from.to_owned(), to.to_owned())
}

/// A feature more, with these lines.
fn feature(lines: &str) -> Edit {
    let feature = format!("[[feature]]\nname = \"x\"\n{lines}\n[first]");
    swap("[first]", &feature)
}

fn table(line: &str) -> Edit {
    swap("[first]", &format!("[table]\n{line}\n[first]"))
}

fn refusal(text: &str) -> String {
    let error = Definition::parse(text).unwrap_err();
    error
        .source()
        .map_or_else(|| error.to_string(), |source| format!("{error}: {source}"))
}

#[track_caller]
fn assert_refused<const N: usize>(cases: [(Edit, &str); N]) {
    for ((from, to), expected) in cases {
        assert!(DEFINITION.contains(&from), "{from} is not in the fixture");
        let message = refusal(&DEFINITION.replace(&from, &to));
        assert!(message.contains(expected), "{from} → {to}: {message}");
    }
}

/// Features that are each a difference of the one before it, `links` deep.
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

#[test]
fn a_wrong_name_or_schema_is_refused() {
    assert_refused([
        (
            swap("name = \"small\"", "name = \"Small Bundle\""),
            "setting `name`: found `Small Bundle`, expected lower case",
        ),
        (swap("name = \"small\"", "nom = \"small\""), "nom"),
        (
            feature("category = \"channel\""),
            "`channel` is not a category of the schema",
        ),
        (
            feature("field = \"risk\""),
            "field `risk` is not a number of the schema",
        ),
        (
            swap("[\"customer_id\", \"terminal_id\"]", "[\"customer id\"]"),
            "schema",
        ),
        (
            swap("[\"customer_id\", \"terminal_id\"]", "[\"amount\"]"),
            "schema",
        ),
    ]);
}

#[test]
fn a_wrong_column_mapping_is_refused() {
    assert_refused([
        (
            table("risk = \"R\""),
            "setting `table`: `risk` is not a field of the schema, and not one of transaction_id",
        ),
        (
            table("customer_id = 7"),
            "`customer_id` must be a column's name: only amount may be a number",
        ),
        (table("amount = -1"), "`amount` must be a column's name"),
        (
            table("customer_id = { since = \"2026-01-01T00:00:00Z\", unit = \"s\" }"),
            "`customer_id` is not a timestamp",
        ),
        (
            table("occurred_at = { since = \"yesterday\", unit = \"s\" }"),
            "line",
        ),
    ]);
}

#[test]
fn a_wrong_feature_is_refused() {
    assert_refused([
        (
            swap("name = \"night\"", "name = \"amount\""),
            "feature `amount`: declared twice",
        ),
        (
            swap("name = \"night\"", "name = \"Night\""),
            "feature `Night`: expected a name of at most 64 lower case",
        ),
        (
            swap("name = \"night\"", "name = \"customer_id\""),
            "a field has this name",
        ),
        (
            swap("name = \"night\"", "name = \"label\""),
            "a field has this name",
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
            feature("category = \"channel\"\nmissing = 0"),
            "remove `missing`",
        ),
        (
            feature("ratio = [\"amount\", \"later\"]"),
            "refers to `later`: declare that feature before this one",
        ),
        (
            feature("difference = [\"amount\", \"later\"]"),
            "refers to `later`: declare that feature before this one",
        ),
        (
            swap("[first]", &chain(5)),
            "ratios and differences are nested 5 deep, expected at most 4",
        ),
        (
            feature("field = \"amount\"\nmissing = inf"),
            "missing: expected a finite number",
        ),
        (
            swap("name = \"night\"", "name = \"_profile_night\""),
            "expected a name of at most 64 lower case letters, digits and _, a letter first",
        ),
    ]);
}

#[test]
fn a_wrong_window_is_refused() {
    let window = "entity = \"customer_id\"\nwindow = \"7d\"\n";
    assert_refused([
        (
            feature("entity = \"merchant\"\ncount = true\nwindow = \"7d\""),
            "`merchant` is not an entity",
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
            "the distinct values of an entity within its own history are always 1",
        ),
        (
            feature(&format!("{window}fraud_rate = true")),
            "a fraud rate needs a delay",
        ),
        (
            feature("entity = \"customer_id\"\ncount = true"),
            "expected a window such as 7d",
        ),
        (
            feature("entity = \"customer_id\"\ncount = true\nwindow = \"7 days\""),
            "window `7 days`: expected a duration",
        ),
        (
            feature("entity = \"customer_id\"\ncount = true\nwindow = \"0d\""),
            "window `0d`: expected a duration",
        ),
        (
            feature("entity = \"customer_id\"\ncount = true\nwindow = \"9999999d\""),
            "expected a duration",
        ),
        (
            feature("entity = \"customer_id\"\ncount = true\nwindow = \"7d\"\ndelay = \"é\""),
            "delay `é`: expected a duration",
        ),
    ]);
}

#[test]
fn a_wrong_look_is_refused() {
    assert_refused([
        (
            swap("[\"amount\", \"night\"]", "[]"),
            "a look needs at least one feature",
        ),
        (
            swap("[\"amount\", \"night\"]", "[\"amount\", \"amount\"]"),
            "[first] lists it twice",
        ),
        (
            swap("[\"amount\", \"night\"]", "[\"noon\"]"),
            "[first] lists it, but no [[feature]] has this name",
        ),
    ]);
}

#[test]
fn wrong_cut_offs_are_refused() {
    let cut_offs = "cut_off = \"1d\"\nprofile_lag = \"1h\"\n";
    let without = DEFINITION.replace(cut_offs, "");
    let message = refusal(&without.replace("\"night\"]", "\"customer_mean_7d\"]"));
    let expected = "the first look reads windows from profiles: set cut_off and profile_lag";
    assert!(message.contains(expected), "{message}");
    let mean = "mean = \"amount\"\nwindow = \"7d\"";
    assert_refused([
        (
            swap(cut_offs, ""),
            "a window of a day or longer begins at a cut-off: set cut_off and profile_lag",
        ),
        (
            swap("cut_off = \"1d\"\n", ""),
            "setting `cut_off`: profile_lag is set without it",
        ),
        (
            swap("profile_lag = \"1h\"\n", ""),
            "setting `profile_lag`: expected a duration such as 1h",
        ),
        (
            swap("\"1h\"", "\"1d\""),
            "setting `profile_lag`: found `1d`, expected less than cut_off, which is `1d`",
        ),
        (
            swap("cut_off = \"1d\"", "cut_off = \"daily\""),
            "setting `cut_off`: found `daily`, expected a duration",
        ),
        (
            swap("[\"amount\", \"customer_mean_7d\"]", "[\"amount\"]"),
            "no feature needs profiles: remove cut_off and profile_lag",
        ),
        (
            swap(mean, "distinct = \"terminal_id\"\nwindow = \"1d\""),
            "choose a window shorter than cut_off",
        ),
        (
            swap(mean, "count = true\nwindow = \"all\""),
            "window `all`: only frauds and last_fraud_age may read all of the history",
        ),
    ]);
}

#[test]
fn a_wrong_threshold_setting_is_refused() {
    assert_refused([
        (
            swap("hold_share = 0.02", "hold_share = 0"),
            "setting `first.hold_share`: found 0, expected a number above 0 and up to 1",
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
            "setting `first.holds_a_day`: found 0, expected a number above 0",
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
            "setting `costs`: found -1, expected numbers above 0",
        ),
        (
            swap("missed_fraud = 100", "missed_fraud = nan"),
            "setting `costs`: found NaN, expected numbers above 0",
        ),
        (
            swap("review = 5", "review = 90"),
            "no hold would be reviewed",
        ),
    ]);
}

#[test]
fn a_wrong_policy_is_refused() {
    assert_refused([
        (
            swap("on_expiry = \"review\"", "on_expiry = \"hold\""),
            "setting `policy.on_expiry`: expected release, block or review",
        ),
        (
            swap("hold_deadline = \"10m\"", "hold_deadline = \"10\""),
            "setting `policy.hold_deadline`: found `10`, expected a duration",
        ),
    ]);
}

#[test]
fn wrong_training_settings_are_refused() {
    assert_refused([
        (swap("seed = 1", ""), "seed"),
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
            "setting `training.boost.rows`: found 1.5, expected a number above 0 and up to 1",
        ),
        (
            swap("min_leaf = 5", "min_leaf = 5\ncolumns = 0"),
            "setting `training.boost.columns`: found 0, expected a number above 0 and up to 1",
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
            "setting `training.logistic.penalty`: expected a number of at least 0",
        ),
    ]);
}

#[test]
fn text_that_is_no_definition_is_refused() {
    assert!(refusal("").contains("missing field"));
    assert!(refusal("= 1").contains("line 1"));
}
