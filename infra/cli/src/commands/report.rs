use std::path::PathBuf;
use std::process::ExitCode;

use anyhow::{Context as _, Result};

use crate::outcome::Outcome;
use crate::report;
use crate::show::line;
use crate::summary::table;

/// Write the HTML report of a run again, from its results.
#[derive(clap::Args, Debug)]
#[command(after_help = "Examples:
  look report
  look report --run target/run --out report.html

Exit codes: 0 every guarantee holds, 1 one is broken or there is no such run, 2 wrong usage")]
pub struct ReportArgs {
    /// The output folder of the run.
    #[arg(long, default_value = "target/run")]
    run: PathBuf,
    /// The page. By default report.html in the folder of the run.
    #[arg(long)]
    out: Option<PathBuf>,
    /// Print the run's summary as JSON.
    #[arg(long)]
    json: bool,
}

impl ReportArgs {
    pub fn main(&self) -> Result<ExitCode> {
        let outcome = Outcome::read(&self.run)?;
        let page = self
            .out
            .clone()
            .unwrap_or_else(|| self.run.join("report.html"));
        std::fs::write(&page, report::html(&outcome))
            .with_context(|| format!("can't write {}", page.display()))?;
        if self.json {
            line(&serde_json::to_string_pretty(&outcome.summary)?);
        } else {
            line(&table(&outcome.summary, &outcome.audit));
        }
        eprintln!("report: {}", page.display());
        Ok(if outcome.audit.is_clean() {
            ExitCode::SUCCESS
        } else {
            ExitCode::FAILURE
        })
    }
}
