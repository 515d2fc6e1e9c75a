//! Compares our features with the 15 that the Handbook's authors published, value by value, for
//! days 115 to 135.

use std::collections::HashMap;
use std::fmt::Write as _;
use std::path::Path;

use features::{Calendar, Definition, TrainingPeriod};
use jiff::Timestamp;
use look::input::{self, Row};
use serde_json::{Value, json};
use train::TrainingSet;

const DEFINITION: &str = include_str!("../../../../infra/bundles/card-fraud/bundle.toml");
const FROM: &str = "2018-07-25T00:00:00Z";
const TO: &str = "2018-08-15T00:00:00Z";
/// The largest difference between our value and the published one, relative to the larger of it and
/// 1.
const CLOSE: f64 = 1e-6;

const FEATURES: [(&str, &str); 15] = [
    ("TX_AMOUNT", "amount"),
    ("TX_DURING_WEEKEND", "weekend"),
    ("TX_DURING_NIGHT", "night"),
    ("CUSTOMER_ID_NB_TX_1DAY_WINDOW", "customer_count_1d"),
    ("CUSTOMER_ID_AVG_AMOUNT_1DAY_WINDOW", "customer_mean_1d"),
    ("CUSTOMER_ID_NB_TX_7DAY_WINDOW", "customer_count_7d"),
    ("CUSTOMER_ID_AVG_AMOUNT_7DAY_WINDOW", "customer_mean_7d"),
    ("CUSTOMER_ID_NB_TX_30DAY_WINDOW", "customer_count_30d"),
    ("CUSTOMER_ID_AVG_AMOUNT_30DAY_WINDOW", "customer_mean_30d"),
    ("TERMINAL_ID_NB_TX_1DAY_WINDOW", "terminal_count_1d"),
    ("TERMINAL_ID_RISK_1DAY_WINDOW", "terminal_fraud_rate_1d"),
    ("TERMINAL_ID_NB_TX_7DAY_WINDOW", "terminal_count_7d"),
    ("TERMINAL_ID_RISK_7DAY_WINDOW", "terminal_fraud_rate_7d"),
    ("TERMINAL_ID_NB_TX_30DAY_WINDOW", "terminal_count_30d"),
    ("TERMINAL_ID_RISK_30DAY_WINDOW", "terminal_fraud_rate_30d"),
];

/// The shipped definition with a second look that uses all of these windows. They are shorter than
/// the cut-off period, so they begin exactly, as the published ones do.
fn definition() -> String {
    let text = DEFINITION.replacen("cut_off = \"1d\"", "cut_off = \"40d\"", 1);
    let (before, rest) = text.split_once("[first]").unwrap();
    let (first, rest) = rest.split_once("[confirm]").unwrap();
    let (_, rest) = rest.split_once("\n[costs]").unwrap();
    let mut features = String::new();
    let windows = FEATURES
        .map(|(_, name)| name)
        .into_iter()
        .filter(|name| name.contains('_'));
    // Windows of the same name in the definition are equal to these.
    for name in windows
        .clone()
        .filter(|name| !before.contains(&format!("name = \"{name}\"")))
    {
        let (what, window) = name.rsplit_once('_').unwrap();
        let (entity, measure) = what.split_once('_').unwrap();
        let measure = if measure == "mean" {
            "mean = \"amount\"".to_owned()
        } else {
            format!("{measure} = true")
        };
        let delay = if entity == "terminal" {
            "delay = \"7d\"\n"
        } else {
            ""
        };
        let _ = write!(
            features,
            "[[feature]]\nname = \"{name}\"\nentity = \"{entity}_id\"\n{measure}\nwindow = \"{window}\"\n{delay}\n"
        );
    }
    let names: Vec<&str> = windows.collect();
    format!("{before}{features}[first]{first}[confirm]\nfeatures = {names:?}\n\n[costs]{rest}")
}

/// Returns the number of values compared, the number that differ by more than 1e-6, and the largest
/// difference with its feature. Transactions of one customer in the same second are exempt, because
/// their order is not defined.
///
/// # Panics
/// If a file is missing or a published transaction is not in the other file.
pub(crate) fn measure(folder: &Path) -> Value {
    let rows = input::read(&folder.join("handbook_slice_d078_d135.csv.zst"), None).unwrap();
    let definition = Definition::parse(&definition()).unwrap();
    let past = input::past(&definition, &rows).unwrap();
    let [from, to]: [Timestamp; 2] = [FROM, TO].map(|text| text.parse().unwrap());
    let period = TrainingPeriod {
        from,
        to,
        as_of: to,
    };
    let set = TrainingSet::of_whole_history(&definition, &past, &period);
    let ours: Vec<&Row> = rows
        .iter()
        .filter(|row| (from..to).contains(&row.occurred_at))
        .collect();
    assert_eq!(ours.len(), set.len());
    let places: HashMap<&str, usize> = ours
        .iter()
        .enumerate()
        .map(|(place, row)| (row.transaction_id.as_str(), place))
        .collect();
    let mut at_once: HashMap<(&str, Timestamp), usize> = HashMap::new();
    for row in &ours {
        *at_once
            .entry((&row.partition_key, row.occurred_at))
            .or_default() += 1;
    }

    let file = std::fs::File::open(folder.join("handbook_features_d115_d135.csv.zst")).unwrap();
    let mut published = csv::Reader::from_reader(zstd::Decoder::new(file).unwrap());
    let header = published.headers().unwrap().clone();
    let column = |name: &str| header.iter().position(|other| other == name).unwrap();
    let (id, columns) = (
        column("TRANSACTION_ID"),
        FEATURES.map(|(theirs, _)| column(theirs)),
    );
    let (mut compared, mut different, mut exempt) = (0, 0, 0);
    let mut largest = (0.0, "");
    for record in published.records() {
        let record = record.unwrap();
        let place = places[&record[id]];
        let row = ours[place];
        if at_once[&(row.partition_key.as_str(), row.occurred_at)] > 1 {
            exempt += 1;
            continue;
        }
        for ((_, name), column) in FEATURES.into_iter().zip(columns) {
            let found = match name {
                "amount" => set.amounts[place],
                "weekend" => Calendar::Weekend.at(row.occurred_at),
                "night" => Calendar::Night.at(row.occurred_at),
                window => set.windows[window][place],
            };
            let theirs: f64 = record[column].parse().unwrap();
            let difference = (found - theirs).abs() / theirs.abs().max(1.0);
            compared += 1;
            different += usize::from(difference.is_nan() || difference > CLOSE);
            if difference.is_nan() || difference > largest.0 {
                largest = (difference, name);
            }
        }
    }
    json!({
        "transactions": ours.len(), "exempt_for_ties": exempt, "values_compared": compared, "values_different": different,
        "largest_difference": largest.0, "largest_difference_of": largest.1,
    })
}
