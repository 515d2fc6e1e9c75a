use std::collections::HashSet;
use std::path::PathBuf;
use std::process::ExitCode;

use anyhow::{Context as _, Result};
use local::{Local, Options};

use crate::audit::audit;
use crate::init::init;
use crate::input;
use crate::show::line;
use crate::system::System;

/// Upload a bundle's definition and make the warehouse's tables.
#[derive(clap::Args, Debug)]
#[command(after_help = "Example:
  look local up && look init --bundle infra/bundles/card-fraud/bundle.toml")]
pub struct InitArgs {
    /// The definition.
    #[arg(long, default_value = "infra/bundles/card-fraud/bundle.toml")]
    bundle: PathBuf,
    /// Where the running system's state lies.
    #[arg(long, default_value = "target/local")]
    state: PathBuf,
}

/// Check the promises on a running system: every transaction of a file has one decision, every hold
/// one end, in the bucket and in the warehouse.
#[derive(clap::Args, Debug)]
#[command(after_help = "Example:
  look audit live.ndjson

Exit codes: 0 every promise kept, 1 one was broken, 2 wrong usage")]
pub struct AuditArgs {
    /// What was sent.
    file: PathBuf,
    /// Where the running system's state lies.
    #[arg(long, default_value = "target/local")]
    state: PathBuf,
    /// Print it as JSON.
    #[arg(long)]
    json: bool,
}

/// Opens the system that runs here, and lets it run on.
async fn open(state: &PathBuf) -> Result<System> {
    let local = Local::open(&Options::new(state))?.context("nothing runs here: start it with `look local up`")?;
    let system = System::of_local(&local).await;
    local.detach();
    system
}

impl InitArgs {
    /// Does it.
    pub async fn main(&self) -> Result<ExitCode> {
        let text =
            std::fs::read_to_string(&self.bundle).with_context(|| format!("can't read {}", self.bundle.display()))?;
        let definition = init(&open(&self.state).await?, &text).await?;
        eprintln!("{} is defined, its tables are there", definition.name);
        Ok(ExitCode::SUCCESS)
    }
}

impl AuditArgs {
    /// Does it.
    pub async fn main(&self) -> Result<ExitCode> {
        let sent: HashSet<String> = input::read(&self.file)?.into_iter().map(|row| row.transaction_id).collect();
        let audit = audit(&open(&self.state).await?, &sent, None).await?;
        if self.json {
            line(&serde_json::to_string(&audit)?);
        } else {
            for (name, count, fine) in audit.lines() {
                line(&format!("{} {name:<24}{count:>9}", if fine { " " } else { "✗" }));
            }
        }
        Ok(if audit.is_clean() { ExitCode::SUCCESS } else { ExitCode::FAILURE })
    }
}
