//! The product's SQL on DuckDB, as a cost model of Redshift's blocks and zone maps: the rows that
//! it reads must not grow with the history.

mod checks;
mod statements;

use std::path::Path;
use std::process::{Command, Stdio};

use local::Venv;
use serde::Deserialize;
use serde_json::Value;

pub(crate) use checks::problems;
use statements::Plan;

/// In millions of rows.
const SIZES: [u64; 3] = [30, 100, 300];
/// Eight of DuckDB's row groups, so that each history ends at the same place of a row group.
const ROWS_PER_DAY: u64 = 983_040;

/// The output of measure.py.
#[derive(Deserialize)]
struct Measured {
    histories: Vec<Value>,
    unused_rewrites: Vec<String>,
}

/// The sizes of the histories if this part of the bench is chosen: by default, by `columnar`, or
/// by `columnar:10,20`.
pub(crate) fn sizes(parts: &[String]) -> Option<Vec<u64>> {
    if parts.is_empty() {
        return Some(SIZES.to_vec());
    }
    let of_part = |part: &String| part.strip_prefix("columnar").map(str::to_owned);
    let part = parts.iter().find_map(of_part)?;
    let size = |text: &str| text.parse().unwrap();
    match part.strip_prefix(':') {
        Some(sizes) => Some(sizes.split(',').map(size).collect()),
        None => Some(SIZES.to_vec()),
    }
}

/// Generates the histories and measures. Needs 30 bytes of disk a row.
pub(crate) fn run(sizes: &[u64]) -> Vec<Value> {
    let root = local::root();
    let folder = root.join("target/bench/columnar");
    std::fs::create_dir_all(&folder).unwrap();
    let whole_days = |size: &u64| (size * 1_000_000).div_ceil(ROWS_PER_DAY) * ROWS_PER_DAY;
    let rows: Vec<u64> = sizes.iter().map(whole_days).collect();
    let plan = serde_json::to_vec_pretty(&Plan::of(&folder, &rows)).unwrap();
    let plan_file = folder.join("plan.json");
    std::fs::write(&plan_file, plan).unwrap();
    let venv = Venv::duckdb(&root, &folder).unwrap();
    let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("benches/scale/columnar/measure.py");
    let output = Command::new(venv.python())
        .env("PYTHONDONTWRITEBYTECODE", "1")
        .args([&script, &plan_file])
        .stderr(Stdio::inherit())
        .output()
        .unwrap();
    assert!(output.status.success(), "{} failed", script.display());
    let measured: Measured = serde_json::from_slice(&output.stdout).unwrap();
    let unused = measured.unused_rewrites;
    assert!(
        unused.is_empty(),
        "rewrites that change nothing: {unused:?}"
    );
    measured.histories
}

pub(crate) fn print(histories: &[Value]) {
    if histories.is_empty() {
        return;
    }
    println!("history rows  evidence rows     s  load rows     s  labels rows     s");
    for row in histories {
        let number = |name: &str| row[name].as_f64().unwrap();
        println!(
            "{:>12}  {:>13}  {:>4.1}  {:>9}  {:>4.1}  {:>11}  {:>4.1}",
            number("history_rows"),
            number("evidence_rows_read"),
            number("evidence_s"),
            number("load_rows_read"),
            number("load_s"),
            number("labels_rows_read"),
            number("labels_s"),
        );
    }
}
