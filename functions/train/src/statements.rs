//! Runs the statements of a training, and reads the files that they unload.

use std::io::Read;
use std::time::Duration;

use features::{Definition, Profiles, TrainingPeriod, sql};
use jiff::Timestamp;
use store::Objects;
use warehouse::{Row, Statement, StatementId, Status, Warehouse};

use crate::handler::Clock;
use crate::training_set::{ProfilesReader, RowCount, RowLimit};
use crate::{Handler, HandlerError, SetError, TrainingSet, TrainingSetReader};

/// The time limit of one statement: most of the function's own limit.
const PATIENCE: Duration = Duration::from_secs(600);

/// What an UNLOAD writes, and as of when.
struct Unloaded<'a> {
    what: &'a str,
    as_of: Timestamp,
    /// When the invocation began.
    now: Timestamp,
}

impl<O: Objects, W: Warehouse> Handler<'_, O, W> {
    pub(crate) async fn training_set(
        &self,
        definition: &Definition,
        as_of: Timestamp,
        now: Timestamp,
    ) -> Result<TrainingSet, HandlerError> {
        let period = TrainingPeriod::ending_before(as_of, &definition.training);
        let count = self.count(definition, &period, now).await?;
        RowLimit::of_memory(definition, self.memory_bytes).check(definition, count)?;
        let mut reader = TrainingSetReader::new(definition, count.frauds + count.good);
        let export = |url: &str| sql::training_export(definition, &period, url, &self.role_arn);
        let unloaded = Unloaded {
            what: "set",
            as_of,
            now,
        };
        self.unload(&unloaded, export, |file| reader.read(file))
            .await?;
        Ok(reader.finish())
    }

    async fn count(
        &self,
        definition: &Definition,
        period: &TrainingPeriod,
        now: Timestamp,
    ) -> Result<RowCount, HandlerError> {
        let what = format!("count-{}", period.as_of.as_second());
        let sqls = vec![sql::training_count(definition, period)];
        let rows = self.rows(&what, sqls, now).await?;
        let counted = |column| rows.first().and_then(|row: &Row| row.number(column));
        let counted = counted("frauds").zip(counted("good"));
        let (frauds, good) = counted.ok_or(HandlerError::NoCount)?;
        tracing::info!(frauds, good, "training rows counted");
        Ok(RowCount {
            frauds: frauds as usize,
            good: good as usize,
        })
    }

    /// `None` if the definition has no profiles.
    pub(crate) async fn profiles(
        &self,
        definition: &Definition,
        as_of: Timestamp,
        clock: Clock,
    ) -> Result<Option<Profiles>, HandlerError> {
        let Some(cut_offs) = definition.cut_offs else {
            return Ok(None);
        };
        let cut_off = cut_offs.last(as_of);
        self.wait_for_loads(cut_off, clock).await?;
        let mut tables = Vec::new();
        for entity in definition.profiled_entities() {
            let Some(mut reader) = ProfilesReader::new(definition, entity) else {
                continue;
            };
            let entities = &definition.schema().entities;
            let unloaded = Unloaded {
                what: entities.get(entity).map_or("", String::as_str),
                as_of: cut_off,
                now: clock.began_at,
            };
            let export = |url: &str| {
                sql::profiles_export(definition, entity, cut_off, url, &self.role_arn)
                    .unwrap_or_default()
            };
            self.unload(&unloaded, export, |file| reader.read(file))
                .await?;
            tables.push(reader.finish());
        }
        let profiles = Profiles::build(cut_off, tables)?;
        tracing::info!(
            profiles = profiles.len(),
            cut_off = cut_off.to_string(),
            "profiles read"
        );
        Ok(Some(profiles))
    }

    /// Runs the UNLOAD statement that `export` makes for a URL, and passes the files that it wrote
    /// to `read`, decompressed as they are read. One compressed file is in memory at a time.
    async fn unload(
        &self,
        unloaded: &Unloaded<'_>,
        export: impl FnOnce(&str) -> String,
        mut read: impl FnMut(&mut dyn Read) -> Result<(), SetError>,
    ) -> Result<(), HandlerError> {
        let Unloaded { what, as_of, now } = *unloaded;
        let prefix = format!("training/{}/{}/{what}/", self.bundle, as_of.as_second());
        self.clear(&prefix).await?;
        let sql = export(&format!("s3://{}/{prefix}part-", self.bucket));
        self.run(&format!("{what}-{}", as_of.as_second()), vec![sql], now)
            .await?;
        for object in self.objects.list(&prefix).await? {
            let key = object.key;
            if let Some(bytes) = self.objects.get(&key).await? {
                read(&mut store::gunzip_reader(&bytes))
                    .map_err(|source| HandlerError::File { key, source })?;
            }
        }
        Ok(())
    }

    /// Runs statements to their end and returns the rows of the last one.
    pub(crate) async fn rows(
        &self,
        what: &str,
        sqls: Vec<String>,
        now: Timestamp,
    ) -> Result<Vec<Row>, HandlerError> {
        let count = sqls.len();
        let id = self.run(what, sqls, now).await?;
        let rows = self.warehouse.rows(&id, count).await;
        rows.map_err(|source| HandlerError::Warehouse {
            statement: format!("{}-train-{what}", self.stack),
            source,
        })
    }

    /// Runs a statement to its end. Each invocation runs it again: `now` makes its token.
    pub(crate) async fn run(
        &self,
        what: &str,
        sqls: Vec<String>,
        now: Timestamp,
    ) -> Result<StatementId, HandlerError> {
        let name = format!("{}-train-{what}", self.stack);
        let attempt = (now.as_millisecond() % 1_000_000_000) as u32;
        let statement = Statement::new(name, attempt, sqls, Vec::new());
        let failed = |source| HandlerError::Warehouse {
            statement: statement.name.clone(),
            source,
        };
        let id = self.warehouse.submit(&statement).await.map_err(failed)?;
        let state = match self.warehouse.wait(&id, PATIENCE).await.map_err(failed)? {
            Status::Finished => return Ok(id),
            // The warehouse's text may contain transaction values, which must not appear in errors.
            Status::Failed { .. } => format!("FAILED, DescribeStatement of {id} has the reason"),
            Status::Aborted => "ABORTED".to_owned(),
            Status::Running => "still running".to_owned(),
        };
        Err(HandlerError::Statement {
            statement: statement.name,
            state,
        })
    }

    async fn clear(&self, prefix: &str) -> Result<(), HandlerError> {
        for object in self.objects.list(prefix).await? {
            self.objects.delete(&object.key).await?;
        }
        Ok(())
    }
}
