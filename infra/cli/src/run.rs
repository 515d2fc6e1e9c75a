//! `look run`, the main job: deploys the system on this machine, loads a history, trains a bundle,
//! streams live transactions and waits for every final decision.

mod arrival;
mod invoke;
mod live;
mod phases;

use std::collections::HashSet;
use std::fs;
use std::path::PathBuf;
use std::process::ExitCode;

use anyhow::{Context as _, Result, bail};
use features::Definition;
use jiff::{SignedDuration, Timestamp};
use local::{Local, Options, Parameters};

use crate::input::{self, CARD_FRAUD, Described, Row};
use crate::show::Steps;
use crate::simulate::{self, Size};
use crate::system::System;
use crate::{report, show, summary};

/// The first live day of the Handbook's standard split: day 129.
const HANDBOOK_LIVE: &str = "2018-08-08T00:00:00Z";
/// Live transactions by default.
const LIVE: usize = 20_000;

/// Run the whole loop on this machine: deploy, load a history, train, stream live transactions,
/// settle every hold, audit. Writes summary.json, report.html and outcome.json.gz to the output
/// folder.
///
/// The final precision and recall count a blocked or reviewed transaction as stopped.
#[derive(clap::Args, Debug)]
#[command(after_help = "Examples:
  look run                                        simulated cards, about two minutes
  look run --input transactions.csv.zst           your transactions, the last 20,000 of them live
  look run --live 2000 --out /tmp/quick           a quick run
  look run --bundle mine.toml --input mine.csv    transactions of another kind

With AWS_ENDPOINT_URL, the run uses a LocalStack that is up. It refuses to touch a stack there that
this output folder did not deploy.

Exit codes: 0 every guarantee holds, 1 one is broken or the run failed, 2 wrong usage or refused")]
pub struct Args {
    /// NDJSON or CSV, plain, .gz or .zst, with our fields, the Handbook's, or those of --bundle. By
    /// default, cards are simulated.
    #[arg(long)]
    input: Option<PathBuf>,
    #[command(flatten)]
    described: Described,
    /// The number of live transactions. The transactions before them are the history.
    #[arg(long, default_value_t = LIVE)]
    live: usize,
    /// The seed of the simulation.
    #[arg(long, default_value_t = 1)]
    seed: u64,
    /// The folder for the results.
    #[arg(long, default_value = "target/run")]
    out: PathBuf,
    /// Leave the system running. `look local down --state target/run/local` stops it.
    #[arg(long)]
    keep: bool,
    /// Print the summary as JSON on standard output.
    #[arg(long)]
    json: bool,
}

/// The transactions of a file or a simulation: history and live part.
pub(crate) struct Split {
    pub(crate) history: Vec<Row>,
    pub(crate) live: Vec<Row>,
    /// The time of the first live transaction.
    pub(crate) at: Timestamp,
    pub(crate) source: String,
}

pub fn main(args: &Args) -> Result<ExitCode> {
    let steps = Steps::new();
    fs::create_dir_all(&args.out)
        .with_context(|| format!("can't create {}", args.out.display()))?;
    let described = args.described.definition()?;
    let split = steps.step("read the transactions", || {
        split(args, described.as_ref().map(|(_, definition)| definition))
    })?;
    let definition = match described {
        Some(definition) => definition,
        None => (CARD_FRAUD.to_owned(), Definition::parse(CARD_FRAUD)?),
    };
    steps.note(&format!(
        "{}: {} of history, {} live from {}",
        split.source,
        show::thousands(split.history.len()),
        show::thousands(split.live.len()),
        split.at
    ));
    let mut options = Options::new(args.out.join("local"));
    options.endpoint_url = startup::environment("AWS_ENDPOINT_URL");
    let mut local = steps.step(
        "start LocalStack, PostgreSQL and the Redshift stand-in",
        || {
            Local::up(&options, |progress| steps.note(&format!("{progress}")))
                .map_err(anyhow::Error::from)
        },
    )?;
    steps.step("deploy infra/template.yaml", || {
        let parameters = Parameters::default()
            .with("StreamBatchSize", 1000)
            .with("TurnGraceSeconds", 20)
            .with("ActivationLeadSeconds", 2);
        let parameters = parameters.with("BundleName", &definition.1.name);
        local
            .deploy(&parameters)
            .map(|_| ())
            .map_err(anyhow::Error::from)
    })?;
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .enable_all()
        .build()?;
    let outcome = runtime.block_on(async {
        let system = System::of_local(&local).await?;
        phases::prepare(&steps, &local, &system, &split, &definition.0).await?;
        phases::go_live(&steps, &local, &system, &split, definition.1.cut_offs).await
    });
    let ended = if args.keep {
        local.detach();
        steps.note(&format!(
            "the system keeps running; to stop it: look local down --state {}",
            options.state.display()
        ));
        Ok(())
    } else {
        local.down()
    };
    let outcome = outcome?;
    ended?;
    outcome.write(&args.out)?;
    let summary = serde_json::to_string_pretty(&outcome.summary)?;
    let (figures, page) = (args.out.join("summary.json"), args.out.join("report.html"));
    fs::write(&figures, &summary).with_context(|| format!("can't write {}", figures.display()))?;
    fs::write(&page, report::html(&outcome))
        .with_context(|| format!("can't write {}", page.display()))?;
    steps.end(&summary::table(&outcome.summary, &outcome.audit));
    if args.json {
        show::line(&summary);
    }
    steps.note(&format!(
        "figures: {}\n  report:  {}",
        figures.display(),
        page.display()
    ));
    Ok(if outcome.audit.is_clean() {
        ExitCode::SUCCESS
    } else {
        ExitCode::FAILURE
    })
}

fn split(args: &Args, definition: Option<&Definition>) -> Result<Split> {
    let (mut rows, source, from) = match &args.input {
        Some(path) => {
            let handbook: Timestamp = HANDBOOK_LIVE.parse()?;
            let rows = input::read(path, definition)?;
            let spans = rows.first().is_some_and(|row| {
                row.occurred_at < handbook - SignedDuration::from_hours(24 * 28)
            }) && rows.last().is_some_and(|row| row.occurred_at > handbook);
            let name = path
                .file_name()
                .unwrap_or(path.as_os_str())
                .to_string_lossy()
                .into_owned();
            (rows, name, spans.then_some(handbook))
        }
        None => (
            simulated(args),
            format!("simulated cards, seed {}", args.seed),
            None,
        ),
    };
    anyhow::ensure!(
        rows.len() > args.live,
        "{} transactions: expected more than the {} live ones, because the history comes before them",
        rows.len(),
        args.live
    );
    let mut ids = HashSet::with_capacity(rows.len());
    if let Some(row) = rows
        .iter()
        .find(|row| !ids.insert(row.transaction_id.as_str()))
    {
        bail!(
            "{source}: transaction {} appears twice: expected each transaction once, because a run counts \
             the decisions of each",
            row.transaction_id
        );
    }
    let cut = match from {
        Some(first_live) => rows.partition_point(|row| row.occurred_at < first_live),
        None => rows.len() - args.live,
    };
    let mut live = rows.split_off(cut);
    live.truncate(args.live);
    let at = live.first().context("no live transaction")?.occurred_at;
    Ok(Split {
        history: rows,
        live,
        at,
        source,
    })
}

/// Six weeks of transactions, of enough customers for the live part and for training.
fn simulated(args: &Args) -> Vec<Row> {
    const DAYS: u32 = 42;
    const LIVE_DAYS: usize = 6;
    // A customer makes about 1.9 transactions a day.
    let customers = (args.live / LIVE_DAYS).div_ceil(2).max(1_500) as u32 * 11 / 10;
    simulate::rows(
        Size {
            customers,
            terminals: customers * 2,
            days: DAYS,
            seed: args.seed,
        },
        simulate::start(),
    )
}
