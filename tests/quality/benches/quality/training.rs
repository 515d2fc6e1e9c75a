//! Measures the training of one look and of both looks, on 300,000 transactions with 30 features.
//! It runs once with the settings of ulb-cards and once with those of card-fraud. The training set
//! has all frauds and a tenth of the good transactions, as the warehouse samples them. Each training runs in its own process, so that its peak memory
//! can be measured.

use std::fmt::Write as _;
use std::process::Command;
use std::time::Instant;

use features::Definition;
use jiff::Timestamp;
use rand::rngs::StdRng;
use rand::{RngExt as _, SeedableRng as _};
use rand_distr::{Distribution as _, StandardNormal};
use scoring::{Forest, logistic};
use serde_json::{Value, json};
use train::{ImportedModels, TrainingSet};

use crate::{at_most, memory_mb, rounded};

/// The first argument of the child process. Two more follow: the name of the settings and the
/// number of looks to train.
pub(crate) const CHILD: &str = "training-child";
const TABLE: &str = include_str!("../../../../infra/bundles/ulb-cards/bundle.toml");
const CARDS: &str = include_str!("../../../../infra/bundles/card-fraud/bundle.toml");
const ROWS: usize = 300_000;
const FEATURES: usize = 30;

pub(crate) fn measure() -> Value {
    let of = |settings: &str| json!({ "one_look": of_child(settings, "1"), "both_looks": of_child(settings, "2") });
    json!({
        "transactions": ROWS, "features": FEATURES, "cores": std::thread::available_parallelism().unwrap(),
        "as_ulb_cards": of("ulb-cards"), "as_card_fraud_from_a_tenth": of("card-fraud"),
    })
}

fn of_child(settings: &str, looks: &str) -> Value {
    let output = Command::new(std::env::current_exe().unwrap())
        .args([CHILD, settings, looks])
        .output()
        .unwrap();
    assert!(
        output.status.success(),
        "{}",
        String::from_utf8_lossy(&output.stderr)
    );
    let found: Value = serde_json::from_slice(&output.stdout).unwrap();
    let figure = |name: &str| found[name].as_f64().unwrap();
    json!({
        "seconds": at_most(60.0, rounded(figure("seconds"))), "cpu_seconds": rounded(figure("cpu_seconds")),
        "peak_memory_mb": at_most(1024.0, figure("peak_memory_mb").round()),
        "tried": found["tried"], "frauds": found["frauds"],
    })
}

/// Trains in this process and returns the figures that the child prints.
pub(crate) fn child(settings: &str, looks: &str) -> Value {
    let text = match settings {
        "ulb-cards" => definition(TABLE),
        _ => definition(&CARDS.replace("negatives = 0.3", "negatives = 0.1")),
    };
    assert!(text.contains("negatives = 0.1\n"));
    let set = simulated(&Definition::parse(&text).unwrap());
    // A look with an imported model is not trained.
    let imported = ImportedModels {
        first: None,
        confirm: (looks == "1").then(|| Forest::new(FEATURES, -5.0, &[]).unwrap().into()),
    };
    let (began, cpu_before) = (Instant::now(), cpu_seconds());
    let trained = train::train(&text, &set, None, imported, |_| {}).unwrap();
    json!({
        "seconds": began.elapsed().as_secs_f64(), "cpu_seconds": cpu_seconds() - cpu_before, "peak_memory_mb": memory_mb("VmHWM"),
        "frauds": set.frauds.iter().filter(|fraud| **fraud).count(), "tried": trained.report.first.leaderboard,
    })
}

/// User and system time of this process from `/proc/self/stat`, which counts in hundredths of a
/// second. On a busy machine it is a better measure than the elapsed time.
fn cpu_seconds() -> f64 {
    let stat = std::fs::read_to_string("/proc/self/stat").unwrap();
    let (_, after_name) = stat.rsplit_once(')').unwrap();
    let fields: Vec<&str> = after_name.split_whitespace().collect();
    fields[11..13]
        .iter()
        .map(|ticks| ticks.parse::<f64>().unwrap() / 100.0)
        .sum()
}

/// The given settings with other features: the amount and 29 numbers.
fn definition(settings: &str) -> String {
    let names: Vec<String> = (1..FEATURES).map(|place| format!("\"v{place}\"")).collect();
    let names = names.join(", ");
    let mut text = format!("name = \"numbers\"\n[schema]\nnumbers = [{names}]\n");
    for name in names.split(", ").chain(["\"amount\""]) {
        writeln!(text, "[[feature]]\nname = {name}\nfield = {name}").unwrap();
    }
    writeln!(
        text,
        "[first]\nfeatures = [\"amount\", {names}]\nhold_share = 0.02"
    )
    .unwrap();
    writeln!(text, "[confirm]\nfeatures = [\"amount\", {names}]").unwrap();
    let (_, rest) = settings.split_once("[costs]").unwrap();
    format!("{text}[costs]{rest}")
}

/// Normally distributed numbers. The fraud probability depends on ten of the 29 numbers: on eight
/// separately, and on the product of two. It also depends on the amount.
/// About one transaction in a hundred is a fraud.
fn simulated(definition: &Definition) -> TrainingSet {
    let mut rng = StdRng::seed_from_u64(300_000);
    let mut normal = |count: usize| -> Vec<f64> {
        (0..count)
            .map(|_| StandardNormal.sample(&mut rng))
            .collect()
    };
    let numbers: Vec<Vec<f64>> = (1..FEATURES).map(|_| normal(ROWS)).collect();
    let amounts: Vec<f64> = normal(ROWS).into_iter().map(f64::exp).collect();
    let fraud = |row: usize, chance: f64| {
        let sum: f64 = (0..8)
            .map(|column| numbers[column][row] / (column + 2) as f64)
            .sum();
        chance
            < logistic(
                -6.0 + 1.5 * sum + numbers[8][row] * numbers[9][row] + 0.3 * amounts[row].min(5.0),
            )
    };
    let mut chances = StdRng::seed_from_u64(30);
    let frauds: Vec<bool> = (0..ROWS)
        .map(|row| fraud(row, chances.random_range(0.0..1.0)))
        .collect();
    let sample = definition.training.good_sample();
    let is_in = |row: &usize| frauds[*row] || sample.contains(&format!("T{row}"));
    let rows: Vec<usize> = (0..ROWS).filter(is_in).collect();
    let pick = |column: &Vec<f64>| rows.iter().map(|row| column[*row]).collect();
    let span = definition.training.span;
    let time = |row: usize| Timestamp::UNIX_EPOCH + span * row as i32 / ROWS as i32;
    TrainingSet {
        occurred_at: rows.iter().copied().map(time).collect(),
        amounts: pick(&amounts),
        numbers: numbers.iter().map(pick).collect(),
        frauds: rows.iter().map(|row| frauds[*row]).collect(),
        good_weight: sample.weight(),
        ..TrainingSet::default()
    }
}
