//! Measures the memory of a training from the files that a warehouse with 100 million transactions
//! would unload: all frauds and 2 % of the good transactions. Each file is generated, compressed and
//! read in turn, as `train` gets them from the bucket. Runs in its own process, so that its peak
//! memory can be measured.
//!
//! The learners grow few trees: the peak does not depend on their number.

use std::fmt::Write as _;
use std::process::Command;
use std::time::Instant;

use features::sql::{has_held_column, profile_column, recent_column};
use features::{Definition, Measure};
use rand::rngs::StdRng;
use rand::{RngExt as _, SeedableRng as _};
use serde_json::{Value, json};
use train::{ImportedModels, RowLimit, TrainingSet, TrainingSetReader};

use crate::{at_most, memory_mb, rounded};

/// The first argument of the child process. The number of transactions in the warehouse and of
/// features in each look follow.
pub(crate) const CHILD: &str = "unloaded-child";
const CARDS: &str = include_str!("../../../../infra/bundles/card-fraud/bundle.toml");
const TRANSACTIONS: usize = 100_000_000;
const FRAUDS_OF_1_000: usize = 3;
const ROWS_OF_A_FILE: usize = 100_000;
/// The default of `TrainMemoryMB`.
const MEMORY_MB: usize = 3_008;

pub(crate) fn measure() -> Value {
    json!({ "half_of_the_features": of_child(6), "as_shipped": of_child(12) })
}

fn of_child(features: usize) -> Value {
    let output = Command::new(std::env::current_exe().unwrap())
        .args([CHILD, &TRANSACTIONS.to_string(), &features.to_string()])
        .output()
        .unwrap();
    let error = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{error}");
    let mut found: Value = serde_json::from_slice(&output.stdout).unwrap();
    let figure = |name: &str| found[name].as_f64().unwrap();
    let peak = at_most(MEMORY_MB as f64, figure("peak_memory_mb"));
    let bytes = (figure("peak_memory_mb") - figure("memory_before_mb")) * f64::from(1 << 20);
    let per_row = (bytes / figure("rows")).round();
    let budget = (figure("limit_bytes_per_row")).round();
    found["peak_memory_mb"] = peak;
    found["bytes_per_row"] = at_most(budget, per_row);
    found
}

/// Trains in this process and returns the figures that the child prints.
pub(crate) fn child(transactions: &str, features: &str) -> Value {
    let transactions: usize = transactions.parse().unwrap();
    let text = definition(features.parse().unwrap());
    let definition = Definition::parse(&text).unwrap();
    let frauds = transactions * FRAUDS_OF_1_000 / 1_000;
    let good = (transactions - frauds) as f64 * definition.training.negatives;
    let rows = frauds + good as usize;
    let before = memory_mb("VmRSS");
    let limit = RowLimit::of_memory(&definition, MEMORY_MB << 20);
    assert!(rows <= limit.rows, "{rows} rows, but {limit:?}");
    let began = Instant::now();
    let set = read(&definition, frauds, rows);
    let read_seconds = began.elapsed().as_secs_f64();
    let read_mb = memory_mb("VmHWM");
    let began = Instant::now();
    let trained = train::train(&text, &set, None, ImportedModels::default(), |_| {}).unwrap();
    let twice = RowLimit::of_memory(&definition, (2 * MEMORY_MB) << 20).rows - limit.rows;
    json!({
        "transactions": trained.report.transactions, "rows": set.len(), "frauds": frauds,
        "features": [definition.first.features.len(), definition.confirm.features.len()],
        "read_seconds": rounded(read_seconds), "train_seconds": rounded(began.elapsed().as_secs_f64()),
        "memory_before_mb": before.round(), "peak_memory_of_reading_mb": read_mb.round(),
        "peak_memory_mb": memory_mb("VmHWM").round(), "rows_that_fit": limit.rows,
        "limit_bytes_per_row": ((MEMORY_MB << 20) as f64 / twice as f64).round(),
    })
}

/// The shipped definition with a small sample, few trees and the first features of each look.
fn definition(features: usize) -> String {
    let mut text = String::new();
    for (place, part) in CARDS.split("\nfeatures = [").enumerate() {
        let Some((names, rest)) = part.split_once(']').filter(|_| place > 0) else {
            text.push_str(part);
            continue;
        };
        let names = names.split(',').filter(|name| name.contains('"'));
        let names: Vec<&str> = names.take(features).collect();
        write!(text, "\nfeatures = [{}]{rest}", names.join(",")).unwrap();
    }
    text = text.replace("negatives = 0.3", "negatives = 0.02");
    for (from, to) in [("rounds = ", "rounds = 2 # "), ("trees = ", "trees = 2 # ")] {
        assert!(text.contains(from), "{from}");
        text = text.replace(from, to);
    }
    text
}

fn read(definition: &Definition, frauds: usize, rows: usize) -> TrainingSet {
    let mut rng = StdRng::seed_from_u64(100);
    let mut reader = TrainingSetReader::new(definition, rows);
    let header = header(definition);
    let columns = header.matches(',').count() - 6;
    for first in (0..rows).step_by(ROWS_OF_A_FILE) {
        let mut csv = header.clone();
        for row in first..rows.min(first + ROWS_OF_A_FILE) {
            let is_fraud = row * frauds / rows != (row + 1) * frauds / rows;
            let (day, hour, second) = (1 + row % 21, row % 24, row % 3_600);
            let (minute, second) = (second / 60, second % 60);
            let time = format!("2026-01-{day:02} {hour:02}:{minute:02}:{second:02}.25");
            let amount = rng.random_range(1.0..200.0) * if is_fraud { 1.2 } else { 1.0 };
            let label = u8::from(is_fraud);
            write!(
                csv,
                "\nT{row},{time},{time},{amount:.2},C{row},S{row},{label}"
            )
            .unwrap();
            for _ in 0..columns {
                write!(csv, ",{:.2}", rng.random_range(1.0..50.0)).unwrap();
            }
        }
        csv.push('\n');
        let file = store::gzip(csv.as_bytes());
        drop(csv);
        reader.read(store::gunzip_reader(&file)).unwrap();
    }
    reader.finish()
}

fn header(definition: &Definition) -> String {
    let schema = definition.schema();
    assert!(schema.numbers.is_empty() && schema.categories.is_empty());
    let mut header =
        "transaction_id,occurred_at,arrived_at,amount,customer_id,terminal_id,label".to_owned();
    for entity in definition.profiled_entities() {
        for (name, window) in definition.profile_windows(entity) {
            for aggregate in window.measure.aggregates() {
                write!(header, ",{}", profile_column(name, *aggregate)).unwrap();
            }
        }
    }
    for (name, window) in definition.windows(&definition.confirm) {
        for aggregate in window.measure.aggregates() {
            write!(header, ",{}", recent_column(name, *aggregate)).unwrap();
        }
        if matches!(window.measure, Measure::Distinct(_)) {
            write!(header, ",{}", has_held_column(name)).unwrap();
        }
    }
    header
}
