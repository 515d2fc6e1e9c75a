//! A settler and a loader with in-memory adapters, and a model that copies its score from the
//! evidence.

use std::time::Duration;

use bundle::SecondScore;
use confirm::{SecondModel, Settler};
use decision::{Evidence, Hold, Policy};
use harness::holds::{PREFIX, World, evidence_statement, policy};
use harness::memory::{Objects, Stream, Warehouse};
use load::{Loader, Settings};
use warehouse::Statement;

/// Short, because some tests let the settler wait for all of it. The in-memory adapters answer
/// immediately.
pub(crate) const PATIENCE: Duration = Duration::from_millis(300);

pub(crate) const BUCKET: &str = "second-look-bucket";

pub(crate) fn settings() -> Settings {
    Settings {
        bucket: BUCKET.to_owned(),
        statement_prefix: PREFIX.to_owned(),
        max_attempts: 3,
    }
}

pub(crate) fn loader<'a>(
    world: &'a World,
    settings: &'a Settings,
) -> Loader<'a, Objects, Warehouse> {
    Loader {
        objects: &world.objects,
        warehouse: &world.warehouse,
        sql: &|_, manifest| vec![format!("COPY FROM '{manifest}'")],
        settings,
    }
}

/// The score is the evidence's column `p`.
#[derive(Debug)]
pub(crate) struct PlainModel(Policy);

impl PlainModel {
    pub(crate) fn new() -> Self {
        Self(policy())
    }

    pub(crate) fn settler<'a>(
        &'a self,
        world: &'a World,
    ) -> Settler<'a, Objects, Stream, Warehouse, Self> {
        Settler {
            objects: &world.objects,
            decisions: &world.decisions,
            warehouse: &world.warehouse,
            model: Some(self),
            on_expiry: self.0.on_expiry,
            first_entity: Some("terminal_id"),
            patience: PATIENCE,
        }
    }
}

impl SecondModel for PlainModel {
    fn version(&self) -> &'static str {
        "second"
    }

    fn policy(&self) -> &Policy {
        &self.0
    }

    fn evidence_statement(&self, name: &str, attempt: u32, holds: &[Hold]) -> Statement {
        evidence_statement(name, attempt, holds)
    }

    fn is_complete(&self, evidence: &Evidence) -> bool {
        evidence.contains_key("p")
    }

    fn score(&self, _: &Hold, evidence: &Evidence) -> SecondScore {
        SecondScore {
            score: evidence.get("p").copied().flatten().unwrap(),
            reasons: Vec::new(),
        }
    }
}
