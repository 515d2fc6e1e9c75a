use std::collections::BTreeMap;
use std::time::Duration;

use bundle::Bundle;
use features::{Definition, Profiles, TrainingPeriod, sql};
use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use startup::DefinitionError;
use store::Objects;
use warehouse::{Statement, Status, Warehouse};

use crate::training_set::read_profiles;
use crate::{ImportedModels, SetError, TrainError, TrainingReport, TrainingSet, train};

/// The time limit of one UNLOAD: most of the function's own limit.
const PATIENCE: Duration = Duration::from_secs(600);

#[derive(Clone, Debug, Default, Deserialize)]
pub struct TrainEvent {
    /// Training uses what was known at this timestamp. Default: now.
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
    Report(Box<TrainingReport>),
    Profiles(ProfilesUpdate),
}

/// The active bundle with new profiles.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct ProfilesUpdate {
    pub bundle: String,
    /// New profiles make a new version.
    pub version: String,
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
    pub statement_prefix: String,
    /// The role that UNLOAD uses to write to the bucket, or `default`.
    pub role_arn: String,
}

/// After any error the active bundle stays active.
#[derive(Debug, thiserror::Error)]
pub enum HandlerError {
    #[error("can't train without a definition")]
    Definition(#[from] DefinitionError),
    #[error("can't update profiles without an active bundle")]
    InUse(#[from] startup::BundleError),
    #[error("the bundle's first look has no windows, so there are no profiles to update")]
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
    #[error("the unloaded data can't be used")]
    Set(#[from] SetError),
    #[error("training failed")]
    Train(#[from] TrainError),
    #[error("the new bundle can't be opened")]
    Bundle(#[from] bundle::Error),
}

impl<O: Objects, W: Warehouse> Handler<'_, O, W> {
    /// Trains a new bundle, or gives the active bundle new profiles. Writes the bundle under its
    /// version, then moves the pointer to it.
    pub async fn handle(&self, event: &TrainEvent, now: Timestamp) -> Result<Answer, HandlerError> {
        let as_of = event.as_of.unwrap_or(now);
        match event.only {
            None => Ok(Answer::Report(Box::new(
                Box::pin(self.train(as_of, now)).await?,
            ))),
            Some(Part::Profiles) => Ok(Answer::Profiles(Box::pin(self.refresh(as_of, now)).await?)),
        }
    }

    async fn train(
        &self,
        as_of: Timestamp,
        now: Timestamp,
    ) -> Result<TrainingReport, HandlerError> {
        let text = startup::definition_text(&self.bundle, self.objects).await?;
        let definition = Definition::parse(&text)?;
        let set = self.training_set(&definition, as_of, now).await?;
        tracing::info!(rows = set.len(), "training set read");
        let profiles = self.profiles(&definition, as_of, now).await?;
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
        self.put_in_use(trained.files).await?;
        Ok(trained.report)
    }

    async fn refresh(
        &self,
        as_of: Timestamp,
        now: Timestamp,
    ) -> Result<ProfilesUpdate, HandlerError> {
        let files = startup::bundle_files(&self.bundle, self.objects).await?;
        let definition = Bundle::open_without_profiles(&files)?.definition().clone();
        let profiles = self
            .profiles(&definition, as_of, now)
            .await?
            .ok_or(HandlerError::NoProfiles)?;
        let version = self
            .put_in_use(bundle::replace_profiles(files, &profiles)?)
            .await?;
        Ok(ProfilesUpdate {
            bundle: self.bundle.clone(),
            version,
            cut_off: profiles.cut_off(),
            profiles: profiles.len(),
        })
    }

    async fn put_in_use(&self, files: BTreeMap<String, Vec<u8>>) -> Result<String, HandlerError> {
        let version = Bundle::open(&files)?.version().to_owned();
        for (name, bytes) in files {
            let key = bundle::keys::file(&self.bundle, &version, &name);
            self.objects.put(&key, bytes).await?;
        }
        // INVARIANT: write the pointer last. A function that follows it finds the whole bundle.
        let key = bundle::keys::pointer(&self.bundle);
        let pointer = serde_json::json!({ "version": version })
            .to_string()
            .into_bytes();
        self.objects.put(&key, pointer).await?;
        tracing::info!(bundle = self.bundle, version, "bundle activated");
        Ok(version)
    }

    async fn training_set(
        &self,
        definition: &Definition,
        as_of: Timestamp,
        now: Timestamp,
    ) -> Result<TrainingSet, HandlerError> {
        let period = TrainingPeriod::ending_before(as_of, &definition.training);
        let export = |url: &str| sql::training_export(definition, &period, url, &self.role_arn);
        let parts = self.unload("set", as_of, now, export).await?;
        Ok(TrainingSet::read(
            definition,
            parts.iter().map(Vec::as_slice),
        )?)
    }

    /// `None` if the first look has no windows.
    async fn profiles(
        &self,
        definition: &Definition,
        as_of: Timestamp,
        now: Timestamp,
    ) -> Result<Option<Profiles>, HandlerError> {
        let Some(cut_off) = definition.first.last_cut_off(as_of) else {
            return Ok(None);
        };
        let mut tables = Vec::new();
        for entity in definition.profiled_entities() {
            let name = definition
                .schema()
                .entities
                .get(entity)
                .map_or("", String::as_str);
            let export =
                |url: &str| sql::profiles_export(definition, entity, cut_off, url, &self.role_arn);
            tables.push((entity, self.unload(name, cut_off, now, export).await?));
        }
        let profiles = read_profiles(definition, cut_off, tables)?;
        tracing::info!(
            profiles = profiles.len(),
            cut_off = cut_off.to_string(),
            "profiles read"
        );
        Ok(Some(profiles))
    }

    /// Runs the UNLOAD statement that `export` makes for a URL, and reads the files it wrote.
    async fn unload(
        &self,
        what: &str,
        as_of: Timestamp,
        now: Timestamp,
        export: impl FnOnce(&str) -> String,
    ) -> Result<Vec<Vec<u8>>, HandlerError> {
        let name = format!(
            "{}-train-{what}-{}",
            self.statement_prefix,
            as_of.as_second()
        );
        let prefix = format!("training/{}/{}/{what}/", self.bundle, as_of.as_second());
        self.clear(&prefix).await?;
        let sql = export(&format!("s3://{}/{prefix}part-", self.bucket));
        // Each invocation unloads again, so its idempotency token must be new.
        let attempt = (now.as_millisecond() % 1_000_000_000) as u32;
        let statement = Statement::new(name, attempt, vec![sql], Vec::new());
        let failed = |source| HandlerError::Warehouse {
            statement: statement.name.clone(),
            source,
        };
        let id = self.warehouse.submit(&statement).await.map_err(failed)?;
        let failure = match self.warehouse.wait(&id, PATIENCE).await.map_err(failed)? {
            Status::Finished => None,
            // The warehouse's text may contain transaction values, which must not appear in errors.
            Status::Failed { .. } => {
                Some(format!("FAILED, DescribeStatement of {id} has the reason"))
            }
            Status::Aborted => Some("ABORTED".to_owned()),
            Status::Running => Some("still running".to_owned()),
        };
        if let Some(state) = failure {
            return Err(HandlerError::Statement {
                statement: statement.name,
                state,
            });
        }
        let mut parts = Vec::new();
        for object in self.objects.list(&prefix).await? {
            let key = object.key;
            if let Some(bytes) = self.objects.get(&key).await? {
                parts.push(store::gunzip(&key, &bytes)?);
            }
        }
        Ok(parts)
    }

    async fn clear(&self, prefix: &str) -> Result<(), HandlerError> {
        for object in self.objects.list(prefix).await? {
            self.objects.delete(&object.key).await?;
        }
        Ok(())
    }
}
