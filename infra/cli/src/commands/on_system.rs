use std::path::PathBuf;
use std::process::ExitCode;

use anyhow::{Context as _, Result};
use jiff::Timestamp;
use local::{Local, Options};

use crate::audit::{Audit, AuditLine, AuditScope, audit};
use crate::consume;
use crate::history;
use crate::init::init;
use crate::input::{self, Described};
use crate::show::{Steps, line, thousands};
use crate::system::System;

/// Upload a bundle's definition and create the tables of the warehouse.
#[derive(clap::Args, Debug)]
#[command(after_help = "Examples:
  look local up && look init
  look init --stack second-look --bundle infra/bundles/card-fraud/bundle.toml")]
pub struct InitArgs {
    /// The bundle's definition.
    #[arg(long, default_value = "infra/bundles/card-fraud/bundle.toml")]
    bundle: PathBuf,
    #[command(flatten)]
    which: Which,
}

/// Write a history and its fraud reports to the bucket. The function load copies both to the
/// warehouse. The transactions of a history get no decisions.
#[derive(clap::Args, Debug)]
#[command(after_help = "Examples:
  look history cards/transactions.ndjson --labels cards/labels.ndjson
  look history 2025.csv.zst --before 2026-01-01T00:00:00Z --stack second-look")]
pub struct HistoryArgs {
    /// NDJSON or CSV, plain, .gz or .zst, with is_fraud, and reported_at if it is known.
    file: PathBuf,
    /// NDJSON lines of transaction_id, reported_at, is_fraud, for a file without labels.
    #[arg(long)]
    labels: Option<PathBuf>,
    /// Only transactions and reports before this time. By default, now.
    #[arg(long)]
    before: Option<Timestamp>,
    #[command(flatten)]
    described: Described,
    #[command(flatten)]
    which: Which,
}

/// Check the guarantees on a running system: every transaction of a file has one decision and every
/// hold one final decision, in the bucket, in the warehouse and, with --stream, on the stream. The
/// audit names each broken guarantee and how to repair it.
///
/// Transactions of the last minutes may not have reached the warehouse yet: exclude them with --to.
#[derive(clap::Args, Debug)]
#[command(after_help = "Examples:
  look audit live.ndjson
  look audit live.ndjson --nothing-else --stream
  look audit cards/transactions.ndjson --from 2026-01-25T00:00:00Z --stack second-look

Exit codes: 0 every guarantee holds, 1 one is broken, 2 wrong usage, 3 the file or the system could
not be read")]
pub struct AuditArgs {
    /// The transactions that were sent: NDJSON or CSV, plain, .gz or .zst.
    file: PathBuf,
    /// Only transactions from this time on.
    #[arg(long, default_value_t = Timestamp::MIN)]
    from: Timestamp,
    /// Only transactions before this time.
    #[arg(long, default_value_t = Timestamp::MAX)]
    to: Timestamp,
    /// No other transaction was ever sent: count every other one as unknown, and every ledger entry
    /// as left over.
    #[arg(long)]
    nothing_else: bool,
    /// Read the stream of decisions too. By default, a stream keeps its records for a day.
    #[arg(long)]
    stream: bool,
    #[command(flatten)]
    described: Described,
    #[command(flatten)]
    which: Which,
    /// Print it as JSON.
    #[arg(long)]
    json: bool,
}

#[derive(clap::Args, Debug)]
struct Which {
    /// A stack in your AWS account. AWS's own configuration (environment, profile) says how to
    /// reach it.
    #[arg(long)]
    stack: Option<String>,
    /// The state folder of the system on this machine. Used if no stack is named.
    #[arg(long, default_value = "target/local", conflicts_with = "stack")]
    state: PathBuf,
}

impl Which {
    /// Opens the system and leaves it running.
    async fn open(&self) -> Result<System> {
        if let Some(stack) = &self.stack {
            return System::of_stack(stack).await;
        }
        let local = Local::open(&Options::new(&self.state))?;
        let local = local
            .context("no system runs here: start one with `look local up`, or name a --stack")?;
        let system = System::of_local(&local).await;
        local.detach();
        system
    }
}

impl InitArgs {
    pub async fn main(&self) -> Result<ExitCode> {
        let text = std::fs::read_to_string(&self.bundle)
            .with_context(|| format!("can't read {}", self.bundle.display()))?;
        let definition = init(&self.which.open().await?, &text).await?;
        eprintln!(
            "{}: the definition is uploaded and the tables exist",
            definition.name
        );
        Ok(ExitCode::SUCCESS)
    }
}

impl HistoryArgs {
    pub async fn main(&self) -> Result<ExitCode> {
        let (before, steps) = (self.before.unwrap_or_else(Timestamp::now), Steps::new());
        let rows = steps.step("read the history", || {
            let mut rows = self.described.read(&self.file)?;
            if let Some(labels) = &self.labels {
                input::label(&mut rows, labels)?;
            }
            rows.retain(|row| row.occurred_at < before);
            Ok(rows)
        })?;
        let system = self.which.open().await?;
        let definition = system.definition().await?;
        steps
            .wait(
                "write the transactions to the bucket",
                history::transactions(&system, &definition, &rows),
            )
            .await?;
        let reports = history::labels(&system, &rows, Timestamp::MIN, before);
        let reports = steps
            .wait("write the fraud reports to the bucket", reports)
            .await?;
        eprintln!(
            "{} transactions and {} fraud reports written: load copies them to the warehouse",
            thousands(rows.len()),
            thousands(reports)
        );
        Ok(ExitCode::SUCCESS)
    }
}

/// The exit code of an audit that could not read the file or the system.
const COULD_NOT_READ: u8 = 3;

impl AuditArgs {
    pub async fn main(&self) -> Result<ExitCode> {
        match self.audit().await {
            Ok(audit) if audit.is_clean() => Ok(ExitCode::SUCCESS),
            Ok(_) => Ok(ExitCode::FAILURE),
            Err(error) => {
                eprintln!("look: could not read: {error:#}");
                Ok(ExitCode::from(COULD_NOT_READ))
            }
        }
    }

    async fn audit(&self) -> Result<Audit> {
        let steps = Steps::new();
        let mut rows = steps.step("read the file", || self.described.read(&self.file))?;
        rows.retain(|row| (self.from..self.to).contains(&row.occurred_at));
        let first = rows
            .first()
            .context("the file has no transaction between --from and --to")?
            .occurred_at;
        let last = rows.last().map_or(first, |row| row.occurred_at);
        let among_others = (!self.nothing_else).then_some((first, last));
        let scope = AuditScope {
            ids: rows.into_iter().map(|row| row.transaction_id).collect(),
            among_others,
        };
        let system = self.which.open().await?;
        let log = if self.stream {
            let read = consume::read(&system.kinesis, &system.decisions_stream);
            Some(steps.wait("read the stream of decisions", read).await?)
        } else {
            None
        };
        let audit = steps
            .wait(
                "read the bucket and the warehouse",
                audit(&system, &scope, log.as_ref()),
            )
            .await?;
        if self.json {
            line(&serde_json::to_string(&audit)?);
        } else {
            show(&audit);
        }
        Ok(audit)
    }
}

fn show(audit: &Audit) {
    for AuditLine { name, count, holds } in audit.lines() {
        let sign = if holds { " " } else { "✗" };
        line(&format!("{sign} {name:<32}{count:>9}"));
    }
    for finding in &audit.findings {
        line(&format!(
            "✗ {}: {}",
            finding.problem.name(),
            finding.subject
        ));
        line(&format!("    {}", finding.repair));
    }
}
