//! The figures as a file and as a table, and what they must not exceed.

use std::path::PathBuf;

use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::columnar;
use crate::latency::{COPY_FILE, COPY_ROW, SLICES};
use crate::outage::Outage;
use crate::scenario::Simulation;

/// The content of target/bench/scale.json.
#[derive(Default, Deserialize, Serialize)]
pub(crate) struct Report {
    simulation: Vec<Value>,
    outage: Value,
    #[serde(default)]
    columnar: Vec<Value>,
}

impl Report {
    /// The figures of earlier runs: parts that do not run now keep them.
    pub(crate) fn read() -> Self {
        let bytes = std::fs::read(path()).unwrap_or_default();
        let mut report: Self = serde_json::from_slice(&bytes).unwrap_or_default();
        // A file of an earlier version.
        report.simulation.retain(|row| !row["minutes"].is_null());
        report
    }

    pub(crate) fn add_simulation(&mut self, simulation: &Simulation) {
        // Another part may have run meanwhile.
        *self = Self::read();
        let new = serde_json::to_value(simulation).unwrap();
        let place = |row: &Value| [&row["shards"], &row["slowness"]].map(Value::as_u64);
        self.simulation.retain(|row| place(row) != place(&new));
        self.simulation.push(new);
        self.simulation.sort_by_key(place);
        self.write();
    }

    pub(crate) fn add_outage(&mut self, outage: &Outage) {
        *self = Self::read();
        self.outage = serde_json::to_value(outage).unwrap();
        self.write();
    }

    pub(crate) fn add_columnar(&mut self, columnar: Vec<Value>) {
        *self = Self::read();
        self.columnar = columnar;
        self.write();
    }

    fn write(&self) {
        let path = path();
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::fs::write(path, serde_json::to_vec_pretty(self).unwrap()).unwrap();
    }

    pub(crate) fn print(&self) {
        println!(
            "shards  slow  lanes  window  submissions/s  results/s  S3/batch     p50 s     p99 s  \
             late  expired %  objects   holds  USD/million"
        );
        for row in &self.simulation {
            let number = |name: &str| row[name].as_f64().unwrap();
            let seconds = |name: &str| row["hold_to_final_ms"][name].as_f64().unwrap() / 1e3;
            println!(
                "{:>6}  {:>4}  {:>5}  {:>4} s  {:>13.2}  {:>9.2}  {:>8.1}  {:>8.1}  {:>8.1}  \
                 {:>4}  {:>9.2}  {:>7}  {:>6}  {:>11.3}",
                number("shards"),
                number("slowness"),
                number("evidence_lanes"),
                number("window_seconds"),
                number("submissions_per_second"),
                number("results_per_second"),
                number("s3_requests_per_batch"),
                seconds("p50"),
                seconds("p99"),
                number("late_finals"),
                number("expired") / number("held") * 100.0,
                number("largest_turn_objects"),
                number("largest_turn_holds"),
                number("usd_per_million"),
            );
        }
        if !self.outage.is_null() {
            println!("outage: {}", self.outage);
        }
        columnar::print(&self.columnar);
        println!(
            "COPY shares files and rows among {SLICES} slices. With 2 µs a row not shared, {} shards \
             of 1,000 tx/s would be the most.",
            (1.0 / ((COPY_ROW + COPY_FILE / SLICES / 5_000.0) * 1_000.0)) as u64,
        );
    }

    /// What the figures exceed.
    pub(crate) fn problems(&self) -> Vec<String> {
        let mut problems = columnar::problems(&self.columnar);
        let zero = ["late_finals", "unsettled", "throttled"];
        for row in &self.simulation {
            let name = format!("{} shards ×{}", row["shards"], row["slowness"]);
            for key in zero.iter().filter(|key| row[**key].as_u64() != Some(0)) {
                problems.push(format!("{name}: {key} is {}, expected 0", row[*key]));
            }
            problems.extend(self.too_many_submissions(row));
        }
        if !self.outage.is_null() {
            for key in zero
                .iter()
                .filter(|key| self.outage[**key].as_u64() != Some(0))
            {
                problems.push(format!(
                    "outage: {key} is {}, expected 0",
                    self.outage[*key]
                ));
            }
        }
        problems
    }

    /// At 1,000 shards, at most twice the submissions of 10 shards and one per 5,000 holds.
    fn too_many_submissions(&self, row: &Value) -> Option<String> {
        let at_ten = |other: &&Value| other["shards"] == 10 && other["slowness"] == row["slowness"];
        let ten = self.simulation.iter().find(at_ten)?;
        let submissions = |row: &Value| row["submissions_per_second"].as_f64().unwrap();
        let seconds = row["minutes"].as_f64()? * 60.0;
        let holds_per_second = row["held"].as_f64()? / seconds;
        let most = 2.0 * submissions(ten) + holds_per_second / 5_000.0;
        let is_too_many = row["shards"] == 1_000 && submissions(row) > most;
        let found = submissions(row);
        is_too_many.then(|| {
            format!("1000 shards: {found} submissions a second, expected at most {most:.2}")
        })
    }
}

fn path() -> PathBuf {
    let root = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../..");
    root.join("target/bench/scale.json")
}
