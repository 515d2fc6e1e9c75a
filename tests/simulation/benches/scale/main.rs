//! Simulates the whole system at up to 1,000 shards: `make bench-scale`, or parts of it, such as
//! `make bench-scale PART=10`, `PART=outage` or `PART=columnar`. `PART=100x3x8x2x30x10` simulates
//! 100 shards, three times as slow, with 8 evidence lanes, a batching window of 2 and a grace time
//! of 30 seconds, for 10 minutes. `PART=columnar:10,20` reads histories of 10 and 20 million rows.
//!
//! The functions' own handlers run over a bucket, a stream and a warehouse in memory, in simulated
//! time. Figures go to target/bench/scale.json. Fails if holds end late, if a quota is exceeded,
//! or if the rows that statements read grow with the history.

#![expect(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    clippy::panic,
    clippy::print_stdout,
    clippy::print_stderr,
    reason = "a bench prints, and fails by panicking"
)]

mod bucket;
mod clock;
mod columnar;
mod cost;
mod decisions;
mod function;
mod holds;
mod latency;
mod outage;
mod quota;
mod redshift;
mod report;
mod scenario;
mod stack;
mod traffic;

use std::process::ExitCode;

use report::Report;
use scenario::Scenario;

/// By default, in this order: shards, slowness, evidence lanes, batching window and grace time.
const SCENARIOS: [Scenario; 8] = [
    Scenario::new(1, 1, 2, 0, 15),
    Scenario::new(1, 3, 2, 0, 30),
    Scenario::new(10, 1, 4, 0, 15),
    Scenario::new(10, 3, 8, 0, 30),
    Scenario::new(100, 1, 12, 0, 20),
    Scenario::new(100, 3, 24, 3, 40),
    Scenario::new(1_000, 1, 64, 5, 20),
    Scenario::new(1_000, 3, 64, 5, 40),
];

fn main() -> ExitCode {
    let parts: Vec<String> = std::env::args()
        .skip(1)
        .filter(|argument| !argument.starts_with("--"))
        .collect();
    let is_chosen = |name: &str| parts.is_empty() || parts.iter().any(|part| part == name);
    let mut scenarios: Vec<Scenario> = Vec::new();
    for scenario in SCENARIOS {
        if is_chosen(&scenario.shards.to_string()) {
            scenarios.push(scenario);
        }
    }
    scenarios.extend(parts.iter().filter_map(|part| Scenario::parse(part)));
    let mut report = Report::read();
    for scenario in scenarios {
        let simulation = scenario.run();
        eprintln!("{}", serde_json::to_string_pretty(&simulation).unwrap());
        report.add_simulation(&simulation);
    }
    if is_chosen("outage") {
        report.add_outage(&outage::run());
    }
    if let Some(sizes) = columnar::sizes(&parts) {
        report.add_columnar(columnar::run(&sizes));
    }
    report.print();
    println!("written to target/bench/scale.json");
    let problems = report.problems();
    for problem in &problems {
        println!("FAILED: {problem}");
    }
    match problems.is_empty() {
        true => ExitCode::SUCCESS,
        false => ExitCode::FAILURE,
    }
}
