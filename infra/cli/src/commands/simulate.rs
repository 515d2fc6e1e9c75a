use std::fs::{self, File};
use std::io::{BufWriter, Write as _};
use std::path::PathBuf;
use std::process::ExitCode;

use anyhow::{Context as _, Result};
use indicatif::ProgressIterator as _;
use jiff::Timestamp;
use serde_json::json;

use crate::simulate::{Simulation, Size, row, start};

/// Write simulated card transactions and their fraud reports. The frauds follow the Fraud Detection
/// Handbook: amounts above 220, compromised terminals (28 days), compromised customers (14 days).
#[derive(clap::Args, Debug)]
#[command(after_help = "Examples:
  look simulate --out cards
  look simulate --customers 5000 --terminals 10000 --days 183 --seed 7 --out cards

Writes transactions.ndjson and labels.ndjson to the folder. The same seed and sizes give the same
files.")]
pub struct SimulateArgs {
    /// The number of customers.
    #[arg(long, default_value_t = 1_000)]
    customers: u32,
    /// The number of terminals.
    #[arg(long, default_value_t = 2_000)]
    terminals: u32,
    /// The number of days.
    #[arg(long, default_value_t = 42)]
    days: u32,
    /// Midnight of the first day.
    #[arg(long, default_value_t = start())]
    start: Timestamp,
    /// The same seed gives the same transactions.
    #[arg(long, default_value_t = 1)]
    seed: u64,
    /// The folder to write to.
    #[arg(long)]
    out: PathBuf,
    /// Print counts as JSON.
    #[arg(long)]
    json: bool,
}

impl SimulateArgs {
    pub fn main(&self) -> Result<ExitCode> {
        fs::create_dir_all(&self.out)
            .with_context(|| format!("can't create {}", self.out.display()))?;
        let create = |name: &str| {
            let path = self.out.join(name);
            File::create(&path)
                .map(BufWriter::new)
                .with_context(|| format!("can't write {}", path.display()))
        };
        let (mut transactions, mut labels) =
            (create("transactions.ndjson")?, create("labels.ndjson")?);
        let size = Size {
            customers: self.customers,
            terminals: self.terminals,
            days: self.days,
            seed: self.seed,
        };
        let mut written = 0_usize;
        let mut frauds = 0_usize;
        for day in Simulation::new(size).progress_count(u64::from(self.days)) {
            for row in day.iter().map(|simulated| row(simulated, self.start)) {
                writeln!(transactions, "{}", row.json)?;
                written += 1;
                if row.fraud == Some(true) {
                    let label = json!({ "transaction_id": row.transaction_id, "reported_at": row.reported_at, "is_fraud": true });
                    writeln!(labels, "{label}")?;
                    frauds += 1;
                }
            }
        }
        transactions.flush()?;
        labels.flush()?;
        if self.json {
            crate::show::line(&json!({ "transactions": written, "frauds": frauds }).to_string());
        } else {
            eprintln!(
                "{written} transactions with {frauds} frauds in {}",
                self.out.display()
            );
        }
        Ok(ExitCode::SUCCESS)
    }
}
