//! How good the decisions are and what they cost, beside what was asked: `make bench-quality`, or one
//! part of it by `cargo bench --profile release --workspace --locked --bench quality -- scoring`.
//! Decisions are scored by the path that serves. Figures go to target/bench/quality.json.

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

use std::path::PathBuf;
use std::time::{Duration, Instant};

use serde_json::{Map, Value, json};

/// A part of the bench by name.
const PARTS: [(&str, fn() -> Value); 6] = [
    ("scoring", scoring::measure),
    ("profiles", profiles::measure),
    ("training", training::measure),
    ("ulb", ulb::measure),
    ("ulb-folds", ulb::folds),
    ("handbook", handbook),
];
/// The folder with the Handbook's data, which is no part of the project. Without it that part is left out.
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
    let stranger = chosen
        .iter()
        .find(|name| PARTS.iter().all(|(part, _)| part != name));
    assert!(
        stranger.is_none(),
        "{stranger:?} is none of the parts {:?}",
        PARTS.map(|(name, _)| name)
    );
    let by_default = |name: &str| match name {
        // How the settings were found takes its time.
        "ulb-folds" => false,
        "handbook" => std::env::var_os(HANDBOOK).is_some(),
        _ => true,
    };
    let path = folder().join("quality.json");
    for (name, measure) in PARTS {
        let named = chosen.iter().any(|chosen| chosen == name);
        if !named && (!chosen.is_empty() || !by_default(name)) {
            println!("{name}: left out");
            continue;
        }
        let found = measure();
        println!("{name}: {}", serde_json::to_string_pretty(&found).unwrap());
        // Parts that are left out keep the figures that they had.
        let before = std::fs::read(&path)
            .ok()
            .and_then(|bytes| serde_json::from_slice(&bytes).ok());
        let mut all: Map<String, Value> = before.unwrap_or_default();
        all.insert(name.to_owned(), found);
        std::fs::write(&path, serde_json::to_vec_pretty(&all).unwrap()).unwrap();
    }
    println!("written to target/bench/quality.json");
}

fn handbook() -> Value {
    let folder = std::env::var_os(HANDBOOK).map(PathBuf::from);
    assert!(
        folder.is_some(),
        "{HANDBOOK} has to name the folder with the Handbook's data"
    );
    let folder = folder.unwrap();
    let published = parity::measure(&folder);
    let mut found = handbook::measure(&folder.join("handbook_slice_d078_d135.csv.zst"));
    found["published_features"] = published;
    found
}

/// `target/bench`, where what is measured and what it needs lie.
fn folder() -> PathBuf {
    let folder = local::root().join("target/bench");
    std::fs::create_dir_all(&folder).unwrap();
    folder
}

/// A figure beside the most that was asked of it.
fn at_most(most: f64, reached: f64) -> Value {
    json!({ "reached": reached, "asked_at_most": most, "met": reached <= most })
}

/// A figure beside the least that was asked of it.
fn at_least(least: f64, reached: f64) -> Value {
    json!({ "reached": reached, "asked_at_least": least, "met": reached >= least })
}

/// The shortest of several rounds: all that can disturb a round makes it slower.
fn best<T>(rounds: usize, mut round: impl FnMut() -> T) -> Duration {
    let times = (0..rounds).map(|_| {
        let began = Instant::now();
        std::hint::black_box(round());
        began.elapsed()
    });
    times.min().unwrap_or_default()
}

fn rounded(number: f64) -> f64 {
    (number * 1e3).round() / 1e3
}

/// A figure of this process's memory, by its name in `/proc/self/status`, in MB.
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
