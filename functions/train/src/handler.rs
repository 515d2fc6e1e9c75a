use std::collections::BTreeMap;
use std::time::{Duration, Instant};

use bundle::Bundle;
use features::{Definition, sql};
use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use startup::{DefinitionError, Promotion, PromotionError};
use store::Objects;
use warehouse::Warehouse;

use crate::loads::Backlog;
use crate::tables::missing_columns;
use crate::{ImportedModels, SetError, TooManyRows, TrainError, TrainingReport, train};

#[derive(Clone, Debug, Default, Deserialize)]
pub struct TrainEvent {
    /// Training uses the labels that were known at this timestamp. Default: now.
    #[serde(default)]
    pub as_of: Option<Timestamp>,
    /// Updates only this part of the bundle. Default: trains a new bundle.
    #[serde(default)]
    pub only: Option<Part>,
}

/// A part of the bundle that can be updated alone.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Part {
    /// The first look's profiles as of the last cut-off. The models do not change.
    Profiles,
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(untagged)]
pub enum Answer {
    Report(Box<Training>),
    Profiles(ProfilesUpdate),
}

/// A new bundle.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Training {
    /// The new version judges transactions that arrive from this time on.
    pub active_from: Timestamp,
    #[serde(flatten)]
    pub report: TrainingReport,
}

/// The latest bundle with new profiles.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct ProfilesUpdate {
    pub bundle: String,
    /// New profiles make a new version.
    pub version: String,
    /// The new version judges transactions that arrive from this time on.
    pub active_from: Timestamp,
    pub cut_off: Timestamp,
    pub profiles: usize,
}

/// Trains bundles and updates profiles.
#[derive(Debug)]
pub struct Handler<'a, O, W> {
    pub objects: &'a O,
    pub warehouse: &'a W,
    /// The bucket's name: the warehouse writes to it.
    pub bucket: String,
    pub bundle: String,
    pub stack: String,
    /// The role that UNLOAD uses to write to the bucket, or `default`.
    pub role_arn: String,
    /// How long before its activation a version is announced.
    pub activation_lead: Duration,
    /// The function's memory: it limits the rows of a training set.
    pub memory_bytes: usize,
    /// How long profiles wait for batches that are not loaded yet.
    pub loads_patience: Duration,
}

/// The clock of an invocation: `began_at` plus the time since `began`.
#[derive(Clone, Copy)]
pub(crate) struct Clock {
    pub(crate) began_at: Timestamp,
    began: Instant,
}

impl Clock {
    pub(crate) fn now(self) -> Timestamp {
        let now = self.began_at.saturating_add(self.began.elapsed());
        now.unwrap_or(Timestamp::MAX)
    }
}

/// After any error the pointer is unchanged.
#[derive(Debug, thiserror::Error)]
pub enum HandlerError {
    #[error("can't train without a definition")]
    Definition(#[from] DefinitionError),
    #[error("can't update profiles without an active bundle")]
    InUse(#[from] startup::BundleError),
    #[error("the bundle's definition has no profiles to update")]
    NoProfiles,
    #[error("the definition is invalid")]
    Unusable(#[from] features::DefinitionError),
    #[error("object store request failed")]
    Objects(#[from] store::Error),
    #[error("can't run {statement}")]
    Warehouse {
        statement: String,
        source: warehouse::Error,
    },
    #[error("{statement} did not finish: {state}")]
    Statement { statement: String, state: String },
    #[error("the unloaded file {key} can't be used")]
    File { key: String, source: SetError },
    #[error("the profiles can't be built")]
    Profiles(#[from] features::ProfilesError),
    #[error("the warehouse did not return the number of training rows")]
    NoCount,
    #[error(transparent)]
    TooManyRows(#[from] TooManyRows),
    #[error("profiles as of {cut_off} would be incomplete: {backlog}")]
    NotLoaded {
        cut_off: Timestamp,
        backlog: Backlog,
    },
    #[error("training failed")]
    Train(#[from] TrainError),
    #[error("the new bundle can't be opened")]
    Bundle(#[from] bundle::Error),
    /// Columns as `table.column`.
    #[error("the warehouse lacks the columns {}: add them with `look init`", .0.join(", "))]
    MissingColumns(Vec<String>),
    #[error("the new version can't be activated")]
    Promotion(#[from] PromotionError),
}

impl<O: Objects, W: Warehouse> Handler<'_, O, W> {
    /// Trains a new bundle, or gives the latest bundle new profiles. Writes the bundle under its
    /// version, then adds the version to the pointer.
    pub async fn handle(&self, event: &TrainEvent, now: Timestamp) -> Result<Answer, HandlerError> {
        let as_of = event.as_of.unwrap_or(now);
        let clock = Clock {
            began_at: now,
            began: Instant::now(),
        };
        match event.only {
            None => {
                let training = Box::pin(self.train(as_of, clock)).await?;
                Ok(Answer::Report(Box::new(training)))
            }
            Some(Part::Profiles) => {
                let update = Box::pin(self.refresh(as_of, clock)).await?;
                Ok(Answer::Profiles(update))
            }
        }
    }

    async fn train(&self, as_of: Timestamp, clock: Clock) -> Result<Training, HandlerError> {
        let now = clock.began_at;
        let text = startup::definition_text(&self.bundle, self.objects).await?;
        let definition = Definition::parse(&text)?;
        let set = self.training_set(&definition, as_of, now).await?;
        tracing::info!(rows = set.len(), "training set read");
        let profiles = self.profiles(&definition, as_of, clock).await?;
        let trained = train(
            &text,
            &set,
            profiles.as_ref(),
            ImportedModels::default(),
            |_| {},
        )?;
        // Write the card first, so that an active bundle always has one.
        for (name, bytes) in trained.card {
            let key = bundle::keys::card(&self.bundle, &trained.report.version, &name);
            self.objects.put(&key, bytes).await?;
        }
        let active_from = self.promote(trained.files, None, clock).await?;
        Ok(Training {
            active_from,
            report: trained.report,
        })
    }

    /// Gives new profiles to the latest version, which may not be active yet.
    async fn refresh(
        &self,
        as_of: Timestamp,
        clock: Clock,
    ) -> Result<ProfilesUpdate, HandlerError> {
        let pointer = startup::read_pointer(&self.bundle, self.objects).await?;
        let base = &pointer.latest().version;
        let files = startup::bundle_files(&self.bundle, base, self.objects).await?;
        let definition = Bundle::open_without_profiles(&files)?.definition().clone();
        let profiles = self
            .profiles(&definition, as_of, clock)
            .await?
            .ok_or(HandlerError::NoProfiles)?;
        let files = bundle::replace_profiles(files, &profiles)?;
        let version = Bundle::open(&files)?.version().to_owned();
        let active_from = self.promote(files, Some(base), clock).await?;
        Ok(ProfilesUpdate {
            bundle: self.bundle.clone(),
            version,
            active_from,
            cut_off: profiles.cut_off(),
            profiles: profiles.len(),
        })
    }

    /// Writes the files of a version and adds it to the pointer. Returns when it becomes active.
    /// `replaces` is the version that it was derived from.
    async fn promote(
        &self,
        files: BTreeMap<String, Vec<u8>>,
        replaces: Option<&str>,
        clock: Clock,
    ) -> Result<Timestamp, HandlerError> {
        let opened = Bundle::open(&files)?;
        self.check_columns(opened.definition(), clock).await?;
        let version = opened.version();
        for (name, bytes) in files {
            let key = bundle::keys::file(&self.bundle, version, &name);
            self.objects.put(&key, bytes).await?;
        }
        let cut_offs = opened.definition().cut_offs.zip(opened.cut_off());
        // INVARIANT: write the pointer last. A function that follows it finds the whole bundle.
        let promotion = Promotion {
            bundle: &self.bundle,
            version,
            replaces,
            lead: self.activation_lead,
            not_before: cut_offs.map(|(cut_offs, cut_off)| cut_offs.active_from(cut_off)),
        };
        let active_from = startup::promote(&promotion, self.objects, || clock.now()).await?;
        tracing::info!(
            bundle = self.bundle,
            version,
            active_from = active_from.to_string(),
            "bundle version promoted"
        );
        Ok(active_from)
    }

    /// Refuses a definition if the warehouse's tables lack one of its columns: loads would fail.
    async fn check_columns(
        &self,
        definition: &Definition,
        clock: Clock,
    ) -> Result<(), HandlerError> {
        let sqls = sql::column_check(definition);
        let checked = self.run("columns", sqls, clock.began_at).await;
        let Err(error @ HandlerError::Statement { .. }) = checked else {
            return checked.map(|_| ());
        };
        // The warehouse names one column at most, in a text that may contain values.
        let sqls = vec![sql::table_columns()];
        let rows = self.rows("table-columns", sqls, clock.began_at).await?;
        match missing_columns(definition, &rows) {
            missing if missing.is_empty() => Err(error),
            missing => Err(HandlerError::MissingColumns(missing)),
        }
    }
}
