use std::fs;
use std::path::PathBuf;
use std::process::ExitCode;

use anyhow::{Context as _, Result};
use indicatif::ProgressBar;
use jiff::{SignedDuration, Timestamp};
use model::Definition;
use train::{LookReport, TrainingSet};

use crate::input;
use crate::show::{line, thousands};

/// Learn both looks from a labelled history and write a bundle.
#[derive(clap::Args, Debug)]
#[command(after_help = "Examples:
  look simulate --out cards
  look train --history cards/transactions.ndjson --labels cards/labels.ndjson --out target/bundle
  look train --bundle mine.toml --history history.csv.zst --as-of 2018-08-08T00:00:00Z --out target/bundle

A history carries its labels (is_fraud, known from reported_at on, or else training.label_delay after), or
--labels has them. Its columns are our fields, or those that the definition's [table] names.")]
pub struct TrainArgs {
    /// The definition: features, policy, training.
    #[arg(long, default_value = "infra/bundles/card-fraud/bundle.toml")]
    bundle: PathBuf,
    /// NDJSON or CSV, plain, .gz or .zst.
    #[arg(long)]
    history: PathBuf,
    /// NDJSON lines of transaction_id, reported_at, is_fraud.
    #[arg(long)]
    labels: Option<PathBuf>,
    /// The moment whose knowledge is learnt from; the end of the history, if it is not said.
    #[arg(long)]
    as_of: Option<Timestamp>,
    /// The folder to write the bundle to.
    #[arg(long)]
    out: PathBuf,
    /// Print the report as JSON.
    #[arg(long)]
    json: bool,
}

impl TrainArgs {
    /// Does it.
    pub fn main(&self) -> Result<ExitCode> {
        let text = fs::read_to_string(&self.bundle).with_context(|| format!("can't read {}", self.bundle.display()))?;
        let definition = Definition::parse(&text).with_context(|| format!("{} is refused", self.bundle.display()))?;
        let mut rows = input::read(&self.history, Some(&definition))?;
        if let Some(labels) = &self.labels {
            input::label(&mut rows, labels)?;
        }
        let last = rows.last().context("the history is empty")?.occurred_at;
        let as_of = self.as_of.unwrap_or(last);
        let past = input::past(&definition, &rows).with_context(|| format!("in {}", self.history.display()))?;
        let back = |moment: Timestamp, seconds: u64| moment.checked_sub(SignedDuration::from_secs(seconds as i64));
        let to = back(as_of, definition.training.label_delay)?;
        let from = back(to, definition.training.span)?;
        let set = TrainingSet::of_history(&definition, &past, [from, to, as_of]);
        let bar = ProgressBar::new(definition.training.rounds as u64);
        let profiles =
            definition.first.cut_off(as_of).map(|cut_off| past.profiles(&definition, cut_off)).transpose()?;
        let trained = train::train(&text, &set, profiles.as_ref(), |progress| {
            bar.set_message(progress.look);
            bar.set_position(progress.round as u64);
        })?;
        bar.finish_and_clear();
        fs::create_dir_all(&self.out).with_context(|| format!("can't make {}", self.out.display()))?;
        for (name, bytes) in &trained.files {
            fs::write(self.out.join(name), bytes).with_context(|| format!("can't write {name}"))?;
        }
        let report = &trained.report;
        if self.json {
            line(&serde_json::to_string_pretty(report)?);
            return Ok(ExitCode::SUCCESS);
        }
        let mut table = comfy_table::Table::new();
        table.load_style(comfy_table::presets::NOTHING);
        table.set_header(["look", "features", "trees", "nodes", "AUC", "average precision"]);
        let mut add = |name: &str, look: &LookReport| {
            let figure = |pick: fn(&train::metrics::Ranking) -> f64| {
                look.ranking.as_ref().map_or_else(|| "unknown".to_owned(), |r| format!("{:.3}", pick(r)))
            };
            let columns =
                [name.to_owned(), look.features.len().to_string(), look.trees.to_string(), thousands(look.nodes)];
            table.add_row(columns.into_iter().chain([figure(|r| r.auc), figure(|r| r.average_precision)]));
        };
        add("first", &report.first);
        add("confirming", &report.confirm);
        let percent = |share: f64| format!("{:.0} %", share * 100.0);
        line(&format!(
            "{table}\non {} held-out transactions with {} frauds. The first look would hold {} ({} of them frauds, {} of \
             all frauds);\nthe confirming look would keep {} of these ({} frauds).\nbundle {} {} in {}",
            thousands(report.holdout),
            report.holdout_frauds,
            report.held.chosen,
            percent(report.held.precision),
            percent(report.held.recall),
            report.kept.chosen,
            percent(report.kept.precision),
            report.bundle,
            report.version,
            self.out.display(),
        ));
        Ok(ExitCode::SUCCESS)
    }
}
