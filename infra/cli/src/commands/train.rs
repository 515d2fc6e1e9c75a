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
use import;

/// Learn both looks from a labelled history and write a bundle.
#[derive(clap::Args, Debug)]
#[command(after_help = "Examples:
  look simulate --out cards
  look train --history cards/transactions.ndjson --labels cards/labels.ndjson --out target/bundle
  look train --bundle mine.toml --history history.csv.zst --as-of 2018-08-08T00:00:00Z --out target/bundle
  look train --first-model first.json --confirm-model confirm.txt --history history.csv.zst --out target/bundle

A history carries its labels (is_fraud, known from reported_at on, or else training.label_delay after), or
--labels has them. Its columns are our fields, or those that the definition's [table] names.

A model that was trained elsewhere, on what `look features` writes, is a file of
  XGBoost       booster.save_model(\"model.json\"): gbtree or dart, binary:logistic
  LightGBM      booster.save_model(\"model.txt\"): objective binary, random forests too
  scikit-learn  python functions/lib/import/from_sklearn.py model.joblib model.json: decision trees, forests,
                extremely random trees, gradient boosting, histogram gradient boosting
or a folder of
  Spark MLlib   model.save: RandomForest-, GBT- and DecisionTreeClassificationModel
It is served as it is; thresholds alone are chosen. Columns with names are put in the look's order.")]
pub struct TrainArgs {
    #[command(flatten)]
    labelled: LabelledArgs,
    /// A model of the first look that was trained elsewhere, served in place of what would be learnt.
    #[arg(long)]
    first_model: Option<PathBuf>,
    /// The same of the confirming look.
    #[arg(long)]
    confirm_model: Option<PathBuf>,
    /// The folder to write the bundle to. Its model card and plots go to a folder beside it, OUT-card.
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
        let profiles = definition
            .first
            .last_cut_off(as_of)
            .map(|cut_off| past.profiles(&definition, cut_off))
            .transpose()?;
        let bars = MultiProgress::new();
        let bars = ["first", "confirming"]
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
        line(&said(report));
        line(&format!(
            "bundle {} {} in {}, its card in {}",
            report.bundle,
            report.version,
            self.out.display(),
            card.display()
        ));
        Ok(ExitCode::SUCCESS)
    }

    /// Beside the bundle, whose folder takes no other files.
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
    // A template that can't be read would be a bug; the usual bar then.
    ProgressStyle::with_template("{msg:40} {bar:30} {pos}/{len}")
        .unwrap_or_else(|_| ProgressStyle::default_bar())
}

/// Removes the files of the bundle that a folder holds, if it holds one: a bundle's folder takes no others.
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
    // A name alone: a folder's part of it would lead elsewhere.
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
    fs::create_dir_all(folder).with_context(|| format!("can't make {}", folder.display()))?;
    for (name, bytes) in files {
        let path = folder.join(name);
        fs::write(&path, bytes).with_context(|| format!("can't write {}", path.display()))?;
    }
    Ok(())
}

/// The leaderboard and what follows from it.
fn said(report: &TrainingReport) -> String {
    let mut table = comfy_table::Table::new();
    table.load_style(comfy_table::presets::NOTHING);
    table.set_header([
        "look",
        "learner",
        "trees",
        "AUC",
        "average precision",
        "log loss",
        "",
    ]);
    for (name, look) in [("first", &report.first), ("confirming", &report.confirm)] {
        for entry in &look.leaderboard {
            let served = if entry.learner == look.learner {
                "served"
            } else {
                ""
            };
            table.add_row([
                name.to_owned(),
                entry.learner.clone(),
                entry.trees.to_string(),
                entry.figure(|ranking| ranking.auc),
                entry.figure(|ranking| ranking.average_precision),
                format!("{:.5}", entry.log_loss),
                served.to_owned(),
            ]);
        }
    }
    let percent = |share: f64| format!("{:.0} %", share * 100.0);
    let of = |share: Option<f64>| share.map_or_else(|| "none there".to_owned(), percent);
    format!(
        "{table}\non {} held-out transactions with {} frauds, by models that have not seen them; what is served has then \
         learnt from them too.\nThe first look would hold {} ({} of them frauds, {} of all frauds). Of these, the confirming \
         look would keep\n{} of the true holds and release {} of the false ones; {} would go to review.",
        thousands(report.holdout),
        report.holdout_frauds,
        thousands(report.held.chosen),
        percent(report.held.precision),
        percent(report.held.recall),
        of(report.settled.true_holds_kept()),
        of(report.settled.false_holds_released()),
        thousands(report.settled.review.frauds + report.settled.review.good),
    )
}
