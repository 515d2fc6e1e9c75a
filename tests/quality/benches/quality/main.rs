//! Measures the quality and the cost of decisions against targets: `make bench-quality`, or one
//! part by `cargo bench --profile release --workspace --locked --bench quality -- scoring`.
//! Decisions are scored by the code that serves. Figures go to target/bench/quality.json. Targets
//! are our own.

#![expect(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    clippy::print_stdout,
    reason = "a bench prints, and fails by panicking"
)]

mod handbook;
mod parity;
mod profiles;
mod scoring;
mod training;
mod ulb;
mod unloaded;

use std::path::PathBuf;
use std::time::{Duration, Instant};

use serde_json::{Map, Value, json};

/// The parts of the bench by name.
const PARTS: [(&str, fn() -> Value); 7] = [
    ("scoring", scoring::measure),
    ("profiles", profiles::measure),
    ("training", training::measure),
    ("unloaded", unloaded::measure),
    ("ulb", ulb::measure),
    ("ulb-folds", ulb::folds),
    ("handbook", handbook),
];
/// Names the folder with the Handbook's data, which is not part of the project. Without the
/// variable, the part `handbook` is skipped.
const HANDBOOK: &str = "HANDBOOK_DIR";

fn main() {
    let chosen: Vec<String> = std::env::args()
        .skip(1)
        .filter(|argument| !argument.starts_with("--"))
        .collect();
    if let [training::CHILD, settings, looks] =
        chosen.iter().map(String::as_str).collect::<Vec<_>>()[..]
    {
        return println!("{}", training::child(settings, looks));
    }
    if let [unloaded::CHILD, transactions, features] =
        chosen.iter().map(String::as_str).collect::<Vec<_>>()[..]
    {
        return println!("{}", unloaded::child(transactions, features));
    }
    let unknown = chosen
        .iter()
        .find(|name| PARTS.iter().all(|(part, _)| part != name));
    assert!(
        unknown.is_none(),
        "unknown part {unknown:?}: expected one of {:?}",
        PARTS.map(|(name, _)| name)
    );
    let by_default = |name: &str| match name {
        // Comparing settings takes long.
        "ulb-folds" => false,
        "handbook" => std::env::var_os(HANDBOOK).is_some(),
        _ => true,
    };
    let path = folder().join("quality.json");
    for (name, measure) in PARTS {
        let named = chosen.iter().any(|chosen| chosen == name);
        if !named && (!chosen.is_empty() || !by_default(name)) {
            println!("{name}: skipped");
            continue;
        }
        let measured = measure();
        println!(
            "{name}: {}",
            serde_json::to_string_pretty(&measured).unwrap()
        );
        // Skipped parts keep their earlier figures.
        let before = std::fs::read(&path)
            .ok()
            .and_then(|bytes| serde_json::from_slice(&bytes).ok());
        let mut all: Map<String, Value> = before.unwrap_or_default();
        all.insert(name.to_owned(), measured);
        std::fs::write(&path, serde_json::to_vec_pretty(&all).unwrap()).unwrap();
    }
    println!("written to target/bench/quality.json");
}

fn handbook() -> Value {
    let folder = std::env::var_os(HANDBOOK).map(PathBuf::from);
    assert!(
        folder.is_some(),
        "set {HANDBOOK} to the folder with the Handbook's data"
    );
    let folder = folder.unwrap();
    let published = parity::measure(&folder);
    let mut found = handbook::measure(&folder.join("handbook_slice_d078_d135.csv.zst"));
    found["published_features"] = published;
    found
}

/// `target/bench`: the figures and the input data.
fn folder() -> PathBuf {
    let folder = local::root().join("target/bench");
    std::fs::create_dir_all(&folder).unwrap();
    folder
}

/// A measured figure with an upper target.
fn at_most(target: f64, measured: f64) -> Value {
    json!({ "measured": measured, "target_at_most": target, "met": measured <= target })
}

/// A measured figure with a lower target.
fn at_least(target: f64, measured: f64) -> Value {
    json!({ "measured": measured, "target_at_least": target, "met": measured >= target })
}

/// The shortest of several rounds: disturbances only make a round slower.
fn best<T>(rounds: usize, mut round: impl FnMut() -> T) -> Duration {
    let times = (0..rounds).map(|_| {
        let began = Instant::now();
        std::hint::black_box(round());
        began.elapsed()
    });
    times.min().unwrap_or_default()
}

/// Rounded to three decimal places.
fn rounded(number: f64) -> f64 {
    (number * 1e3).round() / 1e3
}

/// A field of `/proc/self/status` in MB.
fn memory_mb(name: &str) -> f64 {
    let status = std::fs::read_to_string("/proc/self/status").unwrap();
    let line = status
        .lines()
        .find_map(|line| line.strip_prefix(name)?.strip_prefix(':'))
        .unwrap();
    line.split_whitespace()
        .next()
        .unwrap()
        .parse::<f64>()
        .unwrap()
        / 1024.0
}
