//! Small bundles for tests.

use std::collections::BTreeMap;
use std::fmt::Write as _;

use bundle::{Bundle, Golden, GoldenConfirm, GoldenFirst, Models};
use decision::{Action, Hold, Policy};
use features::{Categories, Definition, Profiles, TableBuilder};
use jiff::Timestamp;
use scoring::{Forest, Node, Split, Tree};

/// The definition of the small bundle.
pub const DEFINITION: &str = include_str!("fixture.toml");

/// Holds amounts of 500 and more. Releases a hold if `customer_mean_7d` is over 400, else blocks
/// it.
///
/// # Panics
/// If the bundle is refused.
#[expect(clippy::expect_used, reason = "a fixture that can't be built is a bug")]
pub fn bundle() -> Bundle {
    Bundle::open(&files()).expect("the fixture opens")
}

/// What a small bundle holds.
#[derive(Clone, Copy, Debug)]
pub struct Limits {
    /// The smallest amount that is held.
    pub hold_from: f64,
    /// How long a hold lasts at most.
    pub hold_minutes: u64,
}

impl Limits {
    /// Those of [`bundle()`].
    pub const DEFAULT: Self = Self {
        hold_from: 500.0,
        hold_minutes: 10,
    };
}

/// The files of [`bundle()`] by name.
///
/// # Panics
/// If the bundle is refused.
pub fn files() -> BTreeMap<String, Vec<u8>> {
    files_with(Limits::DEFAULT)
}

/// The files of a bundle like [`bundle()`] with other limits.
///
/// # Panics
/// If the bundle is refused.
#[expect(clippy::expect_used, reason = "a fixture that can't be built is a bug")]
pub fn files_with(limits: Limits) -> BTreeMap<String, Vec<u8>> {
    let threshold = limits.hold_from - 0.01;
    let first = Forest::new(2, 0.0, &[fork(0, threshold, -3.0, 3.0)]).expect("a tree");
    let policy = Policy {
        hold_deadline_seconds: limits.hold_minutes * 60,
        ..policy()
    };
    bundle::build(
        &definition(limits),
        policy,
        models(first, confirm()),
        &Categories::default(),
        None,
        golden(),
    )
    .expect("the fixture builds")
}

/// [`DEFINITION`] with the deadline of these limits.
pub fn definition(limits: Limits) -> String {
    let deadline = format!("hold_deadline = \"{}m\"", limits.hold_minutes);
    DEFINITION.replace("hold_deadline = \"10m\"", &deadline)
}

fn models(first: Forest, confirm: Forest) -> Models {
    Models {
        first: first.into(),
        confirm: confirm.into(),
    }
}

fn fork(feature: usize, threshold: f64, below: f64, other: f64) -> Tree {
    let leaf = |value| Node { value, split: None };
    let split = Split {
        feature,
        threshold,
        below: 1,
        other: 2,
        missing_below: false,
    };
    vec![
        Node {
            value: 0.0,
            split: Some(split),
        },
        leaf(below),
        leaf(other),
    ]
}

#[expect(clippy::expect_used, reason = "a fixture that can't be built is a bug")]
fn confirm() -> Forest {
    Forest::new(2, 0.0, &[fork(1, 400.0, 3.0, -3.0)]).expect("a tree")
}

#[expect(clippy::expect_used, reason = "a fixture that can't be built is a bug")]
fn golden() -> Golden {
    let transaction = serde_json::json!({
        "transaction_id": "golden", "occurred_at": "2026-01-31T09:00:00Z", "amount": 600.0,
        "customer_id": "C1", "terminal_id": "S1",
    });
    let hold: Hold = serde_json::from_value(serde_json::json!({
        "decision_id": "0-1-0", "transaction_id": "golden", "identity": "0".repeat(32),
        "arrived_at": "2026-01-31T09:00:00Z", "occurred_at": "2026-01-31T09:00:00Z", "amount": 600.0,
        "entities": {"customer_id": "C1", "terminal_id": "S1"}, "score": 0.9, "reasons": [], "bundle_version": "v",
        "decided_at": "2026-01-31T09:00:01Z", "deadline": "2026-01-31T09:10:00Z",
    }))
    .expect("a hold");
    let evidence = BTreeMap::from([("customer_mean_7d".to_owned(), Some(20.0))]);
    Golden {
        first: vec![GoldenFirst {
            transaction,
            windows: BTreeMap::new(),
            score: 0.0,
        }],
        confirm: vec![GoldenConfirm {
            hold,
            evidence,
            score: 0.0,
        }],
    }
}

/// The definition with a profile of the customer's mean amount in the first look.
pub fn profiled_definition() -> String {
    DEFINITION.replace(
        "[\"amount\", \"night\"]",
        "[\"amount\", \"customer_mean_7d\"]",
    )
}

/// A bundle that holds transactions of customers with a mean amount of up to 50, with the profiles
/// of these customers, or without profiles.
///
/// # Panics
/// If the bundle is refused.
#[expect(clippy::expect_used, reason = "a fixture that can't be built is a bug")]
pub fn profiled(cut_off: Timestamp, means: Option<&[(&str, f64)]>) -> BTreeMap<String, Vec<u8>> {
    let text = profiled_definition();
    let definition = Definition::parse(&text).expect("a definition");
    let profiles = means.map(|means| {
        let mut table = TableBuilder::new(&definition, 0).expect("customers have profiles");
        for (customer, mean) in means {
            // A customer without a mean amount has no transactions with an amount.
            let values = if mean.is_nan() { 0.0 } else { 1.0 };
            table.push(customer, [values, *mean].into_iter());
        }
        Profiles::build(cut_off, vec![table]).expect("each customer once")
    });
    let mut golden = golden();
    for vector in &mut golden.first {
        vector.windows = BTreeMap::from([("customer_mean_7d".to_owned(), Some(20.0))]);
    }
    let first = Forest::new(2, 0.0, &[fork(1, 50.0, 3.0, -3.0)]).expect("a tree");
    bundle::build(
        &text,
        policy(),
        models(first, confirm()),
        &Categories::default(),
        profiles.as_ref(),
        golden,
    )
    .expect("the fixture builds")
}

/// The definition with a category in both looks.
pub fn categorised_definition() -> String {
    let feature = "categories = [\"channel\"]\n\n[[feature]]\nname = \"channel\"\ncategory = \"channel\"\n\n[[feature]]\nname = \"amount\"";
    let text = DEFINITION.replacen("\n[[feature]]\nname = \"amount\"", feature, 1);
    let text = text.replace("[\"amount\", \"night\"]", "[\"amount\", \"channel\"]");
    text.replace(
        "[\"amount\", \"customer_mean_7d\"]\n\n[costs]",
        "[\"channel\", \"customer_mean_7d\"]\n\n[costs]",
    )
}

/// A bundle that holds and blocks transactions of a channel with a fraud rate above one half.
///
/// # Errors
/// If the bundle is refused with these tables.
#[expect(clippy::expect_used, reason = "a fixture that can't be built is a bug")]
pub fn categorised(tables: &Categories) -> Result<BTreeMap<String, Vec<u8>>, bundle::Error> {
    let first = Forest::new(2, 0.0, &[fork(1, 0.5, -3.0, 3.0)]).expect("a tree");
    let confirm = Forest::new(2, 0.0, &[fork(0, 0.5, -3.0, 3.0)]).expect("a tree");
    bundle::build(
        &categorised_definition(),
        policy(),
        models(first, confirm),
        tables,
        None,
        golden(),
    )
}

pub fn policy() -> Policy {
    Policy {
        hold_at: 0.5,
        release_below: 0.2,
        block_at: 0.8,
        hold_deadline_seconds: 600,
        on_expiry: Action::Review,
        on_missing_evidence: Action::Review,
    }
}

/// Every measure of a window, over every kind of field, as lines of a definition.
pub const MEASURES: [(&str, &str); 16] = [
    ("count", "count = true"),
    ("sum", "sum = \"amount\""),
    ("mean", "mean = \"amount\""),
    ("sd", "sd = \"amount\""),
    ("min", "min = \"amount\""),
    ("max", "max = \"amount\""),
    ("sum_age", "sum = \"age\""),
    ("mean_age", "mean = \"age\""),
    ("sd_age", "sd = \"age\""),
    ("min_age", "min = \"age\""),
    ("max_age", "max = \"age\""),
    ("distinct", "distinct = \"OTHER\""),
    ("channels", "distinct = \"channel\""),
    ("fraud_rate", "fraud_rate = true"),
    ("frauds", "frauds = true"),
    ("last_fraud_age", "last_fraud_age = true"),
];

/// A definition for the comparison of engines: every measure, for both entities, over two windows,
/// one with a delay and, if allowed, one without, in both looks. Its transactions also have a number
/// `age` and a category `channel`.
pub fn all_measures() -> String {
    let (mut features, mut names) = (String::new(), Vec::new());
    for (entity, other) in [
        ("customer_id", "terminal_id"),
        ("terminal_id", "customer_id"),
    ] {
        for (measure, line) in MEASURES {
            let windows = match measure {
                // Different values can be counted within a cut-off period only.
                "distinct" | "channels" => ["6h", "3h"],
                "frauds" | "last_fraud_age" => ["3d", "all"],
                _ => ["3d", "6h"],
            };
            let delays = match measure {
                "fraud_rate" => ["delay = \"2d\"", "delay = \"1h\""],
                _ => ["", "delay = \"1h\""],
            };
            for (place, (window, delay)) in windows.into_iter().zip(delays).enumerate() {
                let name = format!("{entity}_{measure}_{place}");
                let line = line.replace("OTHER", other);
                let _ = write!(
                    features,
                    "[[feature]]\nname = \"{name}\"\nentity = \"{entity}\"\n{line}\nwindow = \"{window}\"\n{delay}\n\n"
                );
                names.push(format!("\"{name}\""));
            }
        }
    }
    let fields =
        "numbers = [\"age\"]\ncategories = [\"channel\"]\n\n[[feature]]\nname = \"amount\"";
    let text = DEFINITION.replacen("\n[[feature]]\nname = \"amount\"", fields, 1);
    let text = text.replace("cut_off = \"1d\"", "cut_off = \"12h\"");
    let text = text.replace("[first]", &format!("{features}[first]"));
    let names = names.join(", ");
    let text = text.replace("[\"amount\", \"night\"]", &format!("[{names}]"));
    text.replace(
        "[\"amount\", \"customer_mean_7d\"]\n\n[costs]",
        &format!("[{names}]\n\n[costs]"),
    )
}
