use std::path::PathBuf;
use std::process::ExitCode;
use std::time::Duration;

use anyhow::{Result, ensure};
use jiff::Timestamp;
use startup::Clients;

use crate::input::{self, Described};
use crate::show::Steps;

/// Put the transactions of a file on a Kinesis stream, in order. Refused records are sent again.
#[derive(clap::Args, Debug)]
#[command(after_help = "Examples:
  look replay cards/transactions.ndjson --stream second-look-transactions
  look replay cards.csv.zst --stream transactions --rate 500 --from 2026-02-01T00:00:00Z

AWS's own configuration (environment, profile, AWS_ENDPOINT_URL) says how to reach the stream.")]
pub struct ReplayArgs {
    /// NDJSON or CSV, plain, .gz or .zst.
    file: PathBuf,
    /// The name of the stream.
    #[arg(long)]
    stream: String,
    /// Transactions per second. A shard takes 1,000.
    #[arg(long, default_value_t = 1_000)]
    rate: u32,
    /// Only transactions from this time on.
    #[arg(long, default_value_t = Timestamp::MIN)]
    from: Timestamp,
    /// Only transactions before this time.
    #[arg(long, default_value_t = Timestamp::MAX)]
    to: Timestamp,
    #[command(flatten)]
    described: Described,
}

impl ReplayArgs {
    pub async fn main(&self) -> Result<ExitCode> {
        ensure!(self.rate > 0, "--rate must be at least 1");
        let mut rows = self.described.read(&self.file)?;
        rows.retain(|row| (self.from..self.to).contains(&row.occurred_at));
        let stream = Clients::load().await.decisions(&self.stream);
        let bar = Steps::new().bar("put on the stream", rows.len() as u64);
        for chunk in rows.chunks(500) {
            let began = tokio::time::Instant::now();
            input::put(&stream, chunk).await?;
            bar.inc(chunk.len() as u64);
            tokio::time::sleep_until(
                began + Duration::from_secs_f64(chunk.len() as f64 / f64::from(self.rate)),
            )
            .await;
        }
        bar.finish();
        Ok(ExitCode::SUCCESS)
    }
}
