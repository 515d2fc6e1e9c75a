use std::collections::BTreeMap;
use std::io::Write as _;
use std::path::PathBuf;
use std::process::ExitCode;

use anyhow::{Context as _, Result};
use jiff::Timestamp;
use model::Bundle;
use score::{Records, judge};

use crate::show::Steps;

/// Score a file by the very code that the function runs. Decisions go to standard output, one a line.
#[derive(clap::Args, Debug)]
#[command(after_help = "Example:
  look score --bundle target/bundle transactions.ndjson > decisions.ndjson

Exit codes: 0 all lines were read, 1 some could not be (each is named on standard error), 2 wrong usage")]
pub struct ScoreArgs {
    /// The bundle's folder.
    #[arg(long)]
    bundle: PathBuf,
    /// Transactions, one JSON object a line.
    file: PathBuf,
}

/// Lines judged at a time, as a batch of the stream would be.
const LINES: usize = 1_000;

/// A bundle from its folder.
pub(crate) fn open(folder: &PathBuf) -> Result<Bundle> {
    let mut files = BTreeMap::new();
    for entry in std::fs::read_dir(folder).with_context(|| format!("can't read {}", folder.display()))? {
        let entry = entry?;
        files.insert(entry.file_name().to_string_lossy().into_owned(), std::fs::read(entry.path())?);
    }
    Bundle::open(&files).with_context(|| format!("bundle {} is refused", folder.display()))
}

impl ScoreArgs {
    /// Does it.
    pub fn main(&self) -> Result<ExitCode> {
        let bundle = open(&self.bundle)?;
        let bytes = std::fs::read(&self.file).with_context(|| format!("can't read {}", self.file.display()))?;
        let lines: Vec<&[u8]> = bytes.split(|byte| *byte == b'\n').collect();
        let (mut transactions, mut holds, mut unread) = (0, 0, 0);
        let bar = Steps::new().bar("score", lines.len() as u64);
        let mut out = std::io::stdout().lock();
        for (batch, lines) in lines.chunks(LINES).enumerate() {
            let now = Timestamp::now();
            let mut records = Records::of_shard("file");
            for (place, line) in lines.iter().enumerate().filter(|(_, line)| !line.trim_ascii().is_empty()) {
                records.push(&format!("{}", batch * LINES + place + 1), now, line);
            }
            let judged = judge(&bundle, &records, true, now);
            for outgoing in &judged.outgoing {
                out.write_all(&outgoing.data)?;
                out.write_all(b"\n")?;
            }
            for rejected in judged.rejected.iter().map(|unread| &unread.rejected) {
                bar.note(&format!("line {}: {}", rejected.sequence_number, rejected.error));
            }
            transactions += judged.transactions;
            holds += judged.holds.len();
            unread += judged.rejected.len();
            bar.inc(lines.len() as u64);
        }
        out.flush()?;
        bar.finish();
        eprintln!("{transactions} transactions, {holds} held, {unread} unreadable, by bundle {}", bundle.version());
        Ok(if unread == 0 { ExitCode::SUCCESS } else { ExitCode::FAILURE })
    }
}
