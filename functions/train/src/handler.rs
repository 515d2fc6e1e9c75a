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

/// How long the warehouse may take over the training set: most of the function's own time.
const PATIENCE: Duration = Duration::from_secs(600);

/// What train is invoked with.
#[derive(Clone, Debug, Default, Deserialize)]
pub struct TrainEvent {
    /// The moment whose knowledge is learnt from; now, if it is not said.
    #[serde(default)]
    pub as_of: Option<Timestamp>,
    /// What alone is to be made anew; everything, if it is not said.
    #[serde(default)]
    pub only: Option<Part>,
}

/// A part of a bundle that can be made anew.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Part {
    /// The first look's profiles, as of the last cut-off; the models stay.
    Profiles,
}

/// What came of it.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(untagged)]
pub enum Answer {
    /// A new bundle.
    Report(Box<TrainingReport>),
    /// The bundle in use with new profiles.
    Profiles(ProfilesUpdate),
}

/// The bundle in use with new profiles.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct ProfilesUpdate {
    /// Its name.
    pub bundle: String,
    /// Its version, which is another with other profiles.
    pub version: String,
    /// What the profiles end at.
    pub cut_off: Timestamp,
    /// How many there are.
    pub profiles: usize,
}

/// What the handler needs beyond its event.
#[derive(Debug)]
pub struct Handler<'a, O, W> {
    /// The bucket.
    pub objects: &'a O,
    /// The warehouse.
    pub warehouse: &'a W,
    /// The bucket's name, for the warehouse.
    pub bucket: String,
    /// The bundle's name.
    pub bundle: String,
    /// What our statements' names begin with.
    pub statement_prefix: String,
    /// The role that UNLOAD writes as, or `default`.
    pub role_arn: String,
}

/// Why there is no new bundle. The one in use stays in use.
#[derive(Debug, thiserror::Error)]
pub enum HandlerError {
    /// The definition's file.
    #[error("there is no definition to train by")]
    Definition(#[from] DefinitionError),
    /// The bundle in use.
    #[error("there is no bundle to refresh")]
    InUse(#[from] startup::BundleError),
    /// A first look without windows.
    #[error("the bundle's first look knows no windows, so it has no profiles to refresh")]
    NoProfiles,
    /// The definition.
    #[error("the definition can't be used")]
    Unusable(#[from] features::DefinitionError),
    /// The bucket.
    #[error("can't reach {key}")]
    Objects {
        /// The key or prefix.
        key: String,
        /// What the bucket said.
        source: store::Error,
    },
    /// The warehouse.
    #[error("can't unload with {statement}")]
    Warehouse {
        /// The statement.
        statement: String,
        /// What the warehouse said.
        source: warehouse::Error,
    },
    /// The warehouse, of the statement.
    #[error("{statement} ended as {state}")]
    Statement {
        /// The statement.
        statement: String,
        /// How.
        state: String,
    },
    /// The training set.
    #[error("what was unloaded can't be used")]
    Set(#[from] SetError),
    /// The training.
    #[error("no bundle was made")]
    Train(#[from] TrainError),
    /// The bundle just made.
    #[error("the new bundle can't be opened")]
    Bundle(#[from] bundle::Error),
}

impl<O: Objects, W: Warehouse> Handler<'_, O, W> {
    /// Makes a new bundle as of the event's moment, or the bundle in use with new profiles; writes it
    /// under its version, and then moves the pointer to it.
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
        // The card first: a bundle in use has one.
        for (name, bytes) in trained.card {
            let key = bundle::keys::card(&self.bundle, &trained.report.version, &name);
            self.objects
                .put(&key, bytes)
                .await
                .map_err(HandlerError::objects(&key))?;
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
            self.objects
                .put(&key, bytes)
                .await
                .map_err(HandlerError::objects(&key))?;
        }
        // The pointer last: whoever follows it finds the whole bundle.
        let key = bundle::keys::pointer(&self.bundle);
        let pointer = serde_json::json!({ "version": version })
            .to_string()
            .into_bytes();
        self.objects
            .put(&key, pointer)
            .await
            .map_err(HandlerError::objects(&key))?;
        tracing::info!(bundle = self.bundle, version, "bundle in use");
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

    /// None where the first look needs none.
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

    /// Has the warehouse unload what `export` says to an address, and reads it.
    async fn unload(
        &self,
        what: &str,
        moment: Timestamp,
        now: Timestamp,
        export: impl FnOnce(&str) -> String,
    ) -> Result<Vec<Vec<u8>>, HandlerError> {
        let name = format!(
            "{}-train-{what}-{}",
            self.statement_prefix,
            moment.as_second()
        );
        let prefix = format!("training/{}/{}/{what}/", self.bundle, moment.as_second());
        self.clear(&prefix).await?;
        let sql = export(&format!("s3://{}/{prefix}part-", self.bucket));
        // What is asked for is asked for anew each time, so its token is new each time too.
        let attempt = (now.as_millisecond() % 1_000_000_000) as u32;
        let statement = Statement::new(name, attempt, vec![sql], Vec::new());
        let failed = |source| HandlerError::Warehouse {
            statement: statement.name.clone(),
            source,
        };
        let id = self.warehouse.submit(&statement).await.map_err(failed)?;
        let state = match self.warehouse.wait(&id, PATIENCE).await.map_err(failed)? {
            Status::Finished => None,
            // The warehouse's text may quote values, which no error may show.
            Status::Failed { .. } => Some(format!("FAILED: DescribeStatement of {id} says why")),
            Status::Aborted => Some("ABORTED".to_owned()),
            Status::Running => Some("still running".to_owned()),
        };
        if let Some(state) = state {
            return Err(HandlerError::Statement {
                statement: statement.name,
                state,
            });
        }
        let mut parts = Vec::new();
        for listed in self
            .objects
            .list(&prefix)
            .await
            .map_err(HandlerError::objects(&prefix))?
        {
            let key = listed.key;
            if let Some(bytes) = self
                .objects
                .get(&key)
                .await
                .map_err(HandlerError::objects(&key))?
            {
                parts.push(store::gunzip(&key, &bytes).map_err(HandlerError::objects(&key))?);
            }
        }
        Ok(parts)
    }

    async fn clear(&self, prefix: &str) -> Result<(), HandlerError> {
        for listed in self
            .objects
            .list(prefix)
            .await
            .map_err(HandlerError::objects(prefix))?
        {
            self.objects
                .delete(&listed.key)
                .await
                .map_err(HandlerError::objects(&listed.key))?;
        }
        Ok(())
    }
}

impl HandlerError {
    fn objects(key: &str) -> impl FnOnce(store::Error) -> Self {
        let key = key.to_owned();
        |source| Self::Objects { key, source }
    }
}
