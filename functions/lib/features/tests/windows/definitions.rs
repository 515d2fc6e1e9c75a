//! Definitions with every measure.

use std::fmt::Write as _;

use features::Definition;

/// Of the definition with cut-offs, in milliseconds.
pub(crate) const PERIOD: i64 = 12 * HOUR;
pub(crate) const LAG: i64 = HOUR;
pub(crate) const HOUR: i64 = 3_600_000;

const MEASURES: [(&str, &str); 11] = [
    ("count", "count = true"),
    ("sum", "sum = \"amount\""),
    ("mean", "mean = \"amount\""),
    ("sd", "sd = \"amount\""),
    ("sum_age", "sum = \"age\""),
    ("mean_age", "mean = \"age\""),
    ("sd_age", "sd = \"age\""),
    ("min_age", "min = \"age\""),
    ("max_age", "max = \"age\""),
    ("frauds", "frauds = true"),
    ("last_fraud", "last_fraud_age = true"),
];
const DELAYED: [(&str, &str); 1] = [("fraud_rate", "fraud_rate = true")];
const DISTINCT: [(&str, &str); 2] = [
    ("others", "distinct = \"OTHER\""),
    ("channels", "distinct = \"channel\""),
];
const OF_FRAUDS: [(&str, &str); 2] = [
    ("all_frauds", "frauds = true"),
    ("all_last_fraud", "last_fraud_age = true"),
];

const REST: &str = r#"
[costs]
missed_fraud = 100
false_block = 20
review = 5

[policy]
hold_deadline = "10m"
on_expiry = "review"
on_missing_evidence = "review"

[training]
span = "7d"
holdout = "2d"
label_delay = "7d"
negatives = 0.5
seed = 1

[training.boost]
rounds = 10
depth = 2
learning_rate = 0.3
min_leaf = 5
"#;

/// A length and a delay; an empty delay is none.
type Range = (&'static str, &'static str);

/// Long and short windows of both looks.
pub(crate) fn with_cut_offs() -> Definition {
    let mut features = Features::default();
    for entity in ["customer_id", "terminal_id"] {
        let ranges = [
            ("3d", ""),
            ("12h", ""),
            ("2d", "5h"),
            ("6h", ""),
            ("5h", "1d"),
        ];
        features.add(entity, &MEASURES, &ranges);
        features.add(
            entity,
            &DELAYED,
            &[("3d", "1h"), ("12h", "1d"), ("6h", "2h")],
        );
        features.add(entity, &DISTINCT, &[("6h", ""), ("11h", "2h")]);
        features.add(entity, &OF_FRAUDS, &[("all", ""), ("all", "3h")]);
    }
    let names = features.names.join(", ");
    features.definition("cut_off = \"12h\"\nprofile_lag = \"1h\"", &names)
}

/// Short windows of the second look, and all frauds.
pub(crate) fn without_cut_offs() -> Definition {
    let mut features = Features::default();
    for entity in ["customer_id", "terminal_id"] {
        let ranges = [("23h", ""), ("6h", ""), ("12h", "5h")];
        features.add(entity, &MEASURES, &ranges);
        features.add(entity, &DELAYED, &[("12h", "1h"), ("6h", "1d")]);
        features.add(entity, &DISTINCT, &[("6h", ""), ("20h", "2h")]);
        features.add(entity, &OF_FRAUDS, &[("all", ""), ("all", "3h")]);
    }
    features.definition("", "\"amount\"")
}

#[derive(Default)]
struct Features {
    text: String,
    /// In quotes.
    names: Vec<String>,
}

impl Features {
    fn add(&mut self, entity: &str, measures: &[(&str, &str)], ranges: &[Range]) {
        let other = match entity {
            "customer_id" => "terminal_id",
            _ => "customer_id",
        };
        for (measure, line) in measures {
            for (window, delay) in ranges {
                let name = format!("{entity}_{measure}_{window}_{delay}");
                let measure = line.replace("OTHER", other);
                let delay = match *delay {
                    "" => String::new(),
                    delay => format!("delay = \"{delay}\"\n"),
                };
                writeln!(
                    self.text,
                    "[[feature]]\nname = \"{name}\"\nentity = \"{entity}\"\n{measure}\n\
                     window = \"{window}\"\n{delay}"
                )
                .unwrap();
                self.names.push(format!("\"{name}\""));
            }
        }
    }

    fn definition(&self, cut_offs: &str, first: &str) -> Definition {
        let text = &self.text;
        let confirm = self.names.join(", ");
        Definition::parse(&format!(
            "name = \"small\"\n{cut_offs}\n[schema]\n\
             entities = [\"customer_id\", \"terminal_id\"]\nnumbers = [\"age\"]\n\
             categories = [\"channel\"]\n[[feature]]\nname = \"amount\"\nfield = \"amount\"\n\
             {text}\n[first]\nfeatures = [{first}]\nhold_share = 0.02\n\
             [confirm]\nfeatures = [{confirm}]\n{REST}"
        ))
        .unwrap()
    }
}
