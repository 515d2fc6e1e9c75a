use std::path::PathBuf;

use anyhow::{Context as _, Result, ensure};
use features::{Definition, TrainingPeriod};
use jiff::Timestamp;
use train::{LabelledHistory, TrainingSet};

use crate::input;

/// A labelled history and the definition to train with.
#[derive(clap::Args, Debug)]
pub(crate) struct LabelledArgs {
    /// The definition: features, policy, training.
    #[arg(long, default_value = "infra/bundles/card-fraud/bundle.toml")]
    bundle: PathBuf,
    /// NDJSON or CSV, plain, .gz or .zst.
    #[arg(long)]
    history: PathBuf,
    /// NDJSON lines of transaction_id, reported_at, is_fraud.
    #[arg(long)]
    labels: Option<PathBuf>,
    /// Train with the labels known at this time. By default, the end of the history.
    #[arg(long)]
    as_of: Option<Timestamp>,
}

/// A history with its definition.
pub(crate) struct Labelled {
    pub(crate) text: String,
    pub(crate) definition: Definition,
    pub(crate) past: LabelledHistory,
    pub(crate) as_of: Timestamp,
    pub(crate) set: TrainingSet,
}

impl LabelledArgs {
    pub(crate) fn read(&self) -> Result<Labelled> {
        let (text, definition) = input::definition(&self.bundle)?;
        let mut rows = input::read(&self.history, Some(&definition))?;
        if let Some(labels) = &self.labels {
            input::label(&mut rows, labels)?;
        }
        ensure!(
            rows.iter().any(|row| row.fraud.is_some()),
            "{} has no labels: name the label's column in [table] of the definition, or give --labels",
            self.history.display()
        );
        let last = rows.last().context("the history is empty")?.occurred_at;
        let as_of = self.as_of.unwrap_or(last);
        let past = input::past(&definition, &rows)
            .with_context(|| format!("in {}", self.history.display()))?;
        let period = TrainingPeriod::ending_before(as_of, &definition.training);
        let set = TrainingSet::of_history(&definition, &past, &period);
        Ok(Labelled {
            text,
            definition,
            past,
            as_of,
            set,
        })
    }
}
