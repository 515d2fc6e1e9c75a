use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use anyhow::{Context as _, Result};
use features::{Definition, Look};
use indicatif::{MultiProgress, ProgressBar, ProgressStyle};
use scoring::Model;
use train::{ImportedModels, Progress, TrainingReport};

use super::labelled::{Labelled, LabelledArgs};
use crate::show::{line, thousands};

/// Train both looks on a labelled history and write a bundle.
#[derive(clap::Args, Debug)]
#[command(after_help = "Examples:
  look simulate --out cards
  look train --history cards/transactions.ndjson --labels cards/labels.ndjson --out target/bundle
  look train --bundle mine.toml --history mine.csv --as-of 2018-08-08T00:00:00Z --out mine
  look train --first-model first.json --confirm-model confirm.txt --history mine.csv --out mine

Labels come from the history (is_fraud, known from reported_at on, by default training.label_delay
after the transaction) or from --labels. The columns are our fields, or those that [table] of the
definition names.

An imported model, trained elsewhere on the output of `look features`, is a file of
  XGBoost       booster.save_model(\"model.json\"): gbtree or dart, binary:logistic
  LightGBM      booster.save_model(\"model.txt\"): objective binary, random forests too
  scikit-learn  python functions/lib/import/from_sklearn.py model.joblib model.json:
                decision trees, forests, extremely random trees, gradient boosting,
                histogram gradient boosting
or a folder of
  Spark MLlib   model.save: RandomForest-, GBT- and DecisionTreeClassificationModel
It is served unchanged: only the thresholds are chosen. Named columns are put in the order of the
look.")]
pub struct TrainArgs {
    #[command(flatten)]
    labelled: LabelledArgs,
    /// An imported model for the first look. It replaces the trained one.
    #[arg(long)]
    first_model: Option<PathBuf>,
    /// An imported model for the second look.
    #[arg(long)]
    confirm_model: Option<PathBuf>,
    /// The folder to write the bundle to. Its model card and plots go to a folder beside it,
    /// OUT-card.
    #[arg(long)]
    out: PathBuf,
    /// Print the report as JSON.
    #[arg(long)]
    json: bool,
}

impl TrainArgs {
    pub fn main(&self) -> Result<ExitCode> {
        let Labelled {
            text,
            definition,
            past,
            as_of,
            set,
        } = self.labelled.read()?;
        let imported = ImportedModels {
            first: import_model(self.first_model.as_deref(), &definition, &definition.first)?,
            confirm: import_model(
                self.confirm_model.as_deref(),
                &definition,
                &definition.confirm,
            )?,
        };
        let profiles = match definition.cut_offs {
            Some(cut_offs) => Some(past.profiles(&definition, cut_offs.last(as_of))?),
            None => None,
        };
        let bars = MultiProgress::new();
        let bars = ["first", "second"]
            .map(|look| (look, bars.add(ProgressBar::no_length().with_style(style()))));
        let trained = train::train(
            &text,
            &set,
            profiles.as_ref(),
            imported,
            |Progress { look, step }| {
                for (_, bar) in bars.iter().filter(|(of, _)| *of == look) {
                    bar.set_message(format!("{look} look, {}", step.learner));
                    bar.set_length(step.of as u64);
                    bar.set_position(step.done as u64);
                }
            },
        );
        bars.iter().for_each(|(_, bar)| bar.finish_and_clear());
        let trained = trained?;
        clear(&self.out)?;
        write(&self.out, &trained.files)?;
        let card = self.card();
        write(&card, &trained.card)?;
        let report = &trained.report;
        if self.json {
            line(&serde_json::to_string_pretty(report)?);
            return Ok(ExitCode::SUCCESS);
        }
        line(&results(report));
        line(&format!(
            "bundle {} {} in {}, its card in {}",
            report.bundle,
            report.version,
            self.out.display(),
            card.display()
        ));
        Ok(ExitCode::SUCCESS)
    }

    /// The card's folder is beside the bundle: a bundle's folder takes no other files.
    fn card(&self) -> PathBuf {
        let mut name = self.out.file_name().unwrap_or_default().to_owned();
        name.push("-card");
        self.out.with_file_name(name)
    }
}

fn import_model(
    path: Option<&Path>,
    definition: &Definition,
    look: &Look,
) -> Result<Option<Model>> {
    let read = |path: &Path| {
        import::read(path, &definition.names(look))
            .with_context(|| format!("can't import {}", path.display()))
    };
    path.map(read).transpose()
}

fn style() -> ProgressStyle {
    // The template is valid. The fallback avoids a panic.
    ProgressStyle::with_template("{msg:40} {bar:30} {pos}/{len}")
        .unwrap_or_else(|_| ProgressStyle::default_bar())
}

/// Removes the files of an earlier bundle from a folder: a bundle's folder takes no other files.
fn clear(folder: &Path) -> Result<()> {
    let Ok(manifest) = fs::read(folder.join("bundle.json")) else {
        return Ok(());
    };
    let manifest: serde_json::Value = serde_json::from_slice(&manifest).unwrap_or_default();
    let names = manifest
        .get("files")
        .and_then(|files| files.as_object())
        .into_iter()
        .flat_map(|files| files.keys());
    // Only plain names: a path could lead out of the folder.
    for name in names.filter(|name| {
        Path::new(name)
            .file_name()
            .is_some_and(|plain| plain == name.as_str())
    }) {
        let path = folder.join(name);
        match fs::remove_file(&path) {
            Err(error) if error.kind() != std::io::ErrorKind::NotFound => {
                return Err(error).with_context(|| format!("can't remove {}", path.display()));
            }
            _ => {}
        }
    }
    Ok(())
}

fn write(folder: &Path, files: &BTreeMap<String, Vec<u8>>) -> Result<()> {
    fs::create_dir_all(folder).with_context(|| format!("can't create {}", folder.display()))?;
    for (name, bytes) in files {
        let path = folder.join(name);
        fs::write(&path, bytes).with_context(|| format!("can't write {}", path.display()))?;
    }
    Ok(())
}

/// The leaderboard, and the holds that the thresholds would have placed on held-out transactions.
fn results(report: &TrainingReport) -> String {
    let mut table = comfy_table::Table::new();
    table.load_style(comfy_table::presets::NOTHING);
    table.set_header(TrainingReport::LEADERBOARD_COLUMNS);
    for row in report.leaderboard() {
        table.add_row(row);
    }
    let percent = |share: f64| format!("{:.0} %", share * 100.0);
    let share = |share: Option<f64>| share.map_or_else(|| "none".to_owned(), percent);
    let outcomes = &report.settled;
    format!(
        "{table}\n\
         Measured on {} held-out transactions with {} frauds, by models that were not trained on them.\n\
         The served models are then trained on all transactions.\n\
         First look: {} holds, precision {}, recall {}.\n\
         Second look: keeps {} of the true holds, releases {} of the false holds, sends {} to review.",
        thousands(report.holdout),
        report.holdout_frauds,
        thousands(report.held.chosen),
        percent(report.held.precision),
        percent(report.held.recall),
        share(outcomes.true_holds_kept()),
        share(outcomes.false_holds_released()),
        thousands(outcomes.review.frauds + outcomes.review.good),
    )
}
