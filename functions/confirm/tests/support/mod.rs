//! A settler with in-memory adapters and a model whose score is the evidence itself.

use std::time::Duration;

use bundle::SecondScore;
use confirm::{SecondModel, Settler};
use decision::{Evidence, Hold, Policy};
use harness::holds::{World, evidence_statement, policy};
use harness::memory::{Objects, Stream, Warehouse};
use warehouse::Statement;

/// The in-memory adapters answer at once; a test that exceeds this must stay short.
pub(crate) const PATIENCE: Duration = Duration::from_millis(300);

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
