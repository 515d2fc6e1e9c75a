use std::time::Duration;

use host::DefinitionError;
use jiff::{SignedDuration, Timestamp};
use model::{Bundle, Definition, sql};
use outlet::{Objects, keys};
use serde::Deserialize;
use warehouse::{Statement, Status, Warehouse};

use crate::{Report, SetError, TrainError, TrainingSet, train};

/// How long the warehouse may take over the training set: most of the function's own time.
const PATIENCE: Duration = Duration::from_secs(600);

/// What train is invoked with.
#[derive(Clone, Debug, Default, Deserialize)]
pub struct Event {
    /// The moment whose knowledge is learnt from; now, if it is not said.
    #[serde(default)]
    pub as_of: Option<Timestamp>,
}

/// What the handler needs beyond its event.
#[derive(Debug)]
pub struct Context<'a, O, W> {
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
    /// The definition.
    #[error("the definition can't be used")]
    Unusable(#[from] model::DefinitionError),
    /// The bucket.
    #[error("can't reach {key}")]
    Objects {
        /// The key or prefix.
        key: String,
        /// What the bucket said.
        source: outlet::Error,
    },
    /// The warehouse.
    #[error("can't unload the training set with {statement}")]
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
    #[error("the training set can't be used")]
    Set(#[from] SetError),
    /// The training.
    #[error("no bundle was made")]
    Train(#[from] TrainError),
    /// The bundle just made.
    #[error("the new bundle can't be opened")]
    Bundle(#[from] model::Error),
}

impl<O: Objects, W: Warehouse> Context<'_, O, W> {
    /// Unloads the training set as of the event's moment, learns from it, writes the bundle under its
    /// version, and then moves the pointer to it.
    pub async fn handle(&self, event: &Event, now: Timestamp) -> Result<Report, HandlerError> {
        let text = host::definition_text(&self.bundle, self.objects).await?;
        let definition = Definition::parse(&text)?;
        let set = self.training_set(&definition, event.as_of.unwrap_or(now), now).await?;
        tracing::info!(rows = set.len(), "training set read");
        let trained = train(&text, &set, |_| {})?;
        let version = Bundle::open(&trained.files)?.version().to_owned();
        for (name, bytes) in trained.files {
            let key = keys::bundle_file(&self.bundle, &version, &name);
            self.objects.put(&key, bytes).await.map_err(HandlerError::objects(&key))?;
        }
        // The pointer last: whoever follows it finds the whole bundle.
        let key = keys::bundle_pointer(&self.bundle);
        let pointer = serde_json::json!({ "version": version }).to_string().into_bytes();
        self.objects.put(&key, pointer).await.map_err(HandlerError::objects(&key))?;
        tracing::info!(bundle = self.bundle, version, "bundle in use");
        Ok(trained.report)
    }

    async fn training_set(
        &self,
        definition: &Definition,
        as_of: Timestamp,
        now: Timestamp,
    ) -> Result<TrainingSet, HandlerError> {
        let back = |moment: Timestamp, seconds: u64| {
            moment.saturating_sub(SignedDuration::from_secs(seconds as i64)).unwrap_or(Timestamp::UNIX_EPOCH)
        };
        let to = back(as_of, definition.training.label_delay);
        let from = back(to, definition.training.span);
        let name = format!("{}-train-{}", self.statement_prefix, as_of.as_second());
        let prefix = format!("training/{}/{}/", self.bundle, as_of.as_second());
        self.clear(&prefix).await?;
        let url = format!("s3://{}/{prefix}part-", self.bucket);
        let sql = sql::training_export(definition, [from, to, as_of], &url, &self.role_arn);
        // A training is asked for anew each time, so its token is new each time too.
        let attempt = (now.as_millisecond() % 1_000_000_000) as u32;
        let statement = Statement::new(name, attempt, vec![sql], Vec::new());
        let failed = |source| HandlerError::Warehouse { statement: statement.name.clone(), source };
        let id = self.warehouse.submit(&statement).await.map_err(failed)?;
        let state = match self.warehouse.wait(&id, PATIENCE).await.map_err(failed)? {
            Status::Finished => None,
            Status::Failed { error } => Some(format!("FAILED: {error}")),
            Status::Aborted => Some("ABORTED".to_owned()),
            Status::Running => Some("still running".to_owned()),
        };
        if let Some(state) = state {
            return Err(HandlerError::Statement { statement: statement.name, state });
        }
        let mut parts = Vec::new();
        for listed in self.objects.list(&prefix).await.map_err(HandlerError::objects(&prefix))? {
            let key = listed.key;
            if let Some(bytes) = self.objects.get(&key).await.map_err(HandlerError::objects(&key))? {
                parts.push(outlet::gunzip(&key, &bytes).map_err(HandlerError::objects(&key))?);
            }
        }
        Ok(TrainingSet::read(definition, parts.iter().map(Vec::as_slice))?)
    }

    async fn clear(&self, prefix: &str) -> Result<(), HandlerError> {
        for listed in self.objects.list(prefix).await.map_err(HandlerError::objects(prefix))? {
            self.objects.delete(&listed.key).await.map_err(HandlerError::objects(&listed.key))?;
        }
        Ok(())
    }
}

impl HandlerError {
    fn objects(key: &str) -> impl FnOnce(outlet::Error) -> Self {
        let key = key.to_owned();
        |source| Self::Objects { key, source }
    }
}
