use std::collections::BTreeMap;
use std::io::{StdoutLock, Write as _};
use std::path::PathBuf;
use std::process::ExitCode;

use anyhow::{Context as _, Result};
use bundle::Bundle;
use jiff::Timestamp;
use score::{Publish, Records, decide};
use serde_json::Value;

use crate::input::{self, Item};
use crate::show::{Bar, Steps};

/// Score a file with the code of the deployed function. Writes one decision per line to standard
/// output.
#[derive(clap::Args, Debug)]
#[command(after_help = "Examples:
  look score --bundle target/bundle transactions.ndjson > decisions.ndjson
  look score --bundle target/bundle table.csv.gz > decisions.ndjson

Exit codes: 0 all lines were read, 1 some are unreadable, 2 wrong usage. Standard error names
each unreadable line.")]
pub struct ScoreArgs {
    /// The folder of the bundle.
    #[arg(long)]
    bundle: PathBuf,
    /// NDJSON or CSV, plain, .gz or .zst, with our fields or the columns of the bundle's [table].
    file: PathBuf,
}

/// Lines scored at a time, like a batch of the stream.
const LINES: usize = 1_000;

/// Opens the bundle of a folder.
pub(crate) fn open(folder: &PathBuf) -> Result<Bundle> {
    let mut files = BTreeMap::new();
    for entry in
        std::fs::read_dir(folder).with_context(|| format!("can't read {}", folder.display()))?
    {
        let entry = entry?;
        files.insert(
            entry.file_name().to_string_lossy().into_owned(),
            std::fs::read(entry.path())?,
        );
    }
    Bundle::open(&files).with_context(|| format!("bundle {} is refused", folder.display()))
}

impl ScoreArgs {
    pub fn main(&self) -> Result<ExitCode> {
        let bundle = open(&self.bundle)?;
        let mut scoring = Scoring {
            bundle: &bundle,
            out: std::io::stdout().lock(),
            bar: Steps::new().bar("score", None),
            transactions: 0,
            holds: 0,
            unread: 0,
        };
        let mut lines: Vec<(u64, Vec<u8>)> = Vec::with_capacity(LINES);
        let read = input::each(&self.file, bundle.definition(), false, |line, item| {
            match item {
                Ok(Item::Line(bytes)) => lines.push((line, bytes)),
                Ok(Item::Fields(mut fields)) => {
                    // Labels are no input of a decision.
                    fields.remove("is_fraud");
                    fields.remove("reported_at");
                    lines.push((line, Value::Object(fields).to_string().into_bytes()));
                }
                Err(error) => {
                    scoring.bar.note(&format!("{error:#}"));
                    scoring.unread += 1;
                }
            }
            if lines.len() == LINES {
                scoring.score(std::mem::take(&mut lines))
            } else {
                Ok(())
            }
        });
        read.with_context(|| format!("can't read {}", self.file.display()))?;
        scoring.score(lines)?;
        let Scoring {
            mut out,
            bar,
            transactions,
            holds,
            unread,
            ..
        } = scoring;
        out.flush()?;
        bar.finish();
        eprintln!(
            "{transactions} transactions, {holds} held, {unread} unreadable, by bundle {}",
            bundle.version()
        );
        Ok(if unread == 0 {
            ExitCode::SUCCESS
        } else {
            ExitCode::FAILURE
        })
    }
}

/// The progress of scoring a file.
struct Scoring<'a> {
    bundle: &'a Bundle,
    out: StdoutLock<'a>,
    bar: Bar,
    transactions: usize,
    holds: usize,
    unread: usize,
}

impl Scoring<'_> {
    fn score(&mut self, lines: Vec<(u64, Vec<u8>)>) -> Result<()> {
        let now = Timestamp::now();
        let mut records = Records::of_shard("file");
        for (line, bytes) in &lines {
            records.push(&line.to_string(), now, bytes);
        }
        let decided = decide(self.bundle, &records, Publish::EachDecision, now);
        for outgoing in &decided.outgoing {
            self.out.write_all(&outgoing.data)?;
            self.out.write_all(b"\n")?;
        }
        for rejected in &decided.rejected {
            self.bar.note(&format!(
                "line {}: {}",
                rejected.sequence_number, rejected.error
            ));
        }
        self.transactions += decided.transactions;
        self.holds += decided.holds.len();
        self.unread += decided.rejected.len();
        self.bar.inc(lines.len() as u64);
        Ok(())
    }
}
