//! Where the features of one row come from: a batch and the profiles, or a hold and its evidence.

use decision::{Batch, Evidence, Hold};
use features::{Categories, Definition, FeatureKind, FeatureSource, Profiles};
use jiff::Timestamp;

/// Where the first look's windows lie in the profiles.
#[derive(Clone, Debug)]
pub(crate) struct Slots {
    /// For each feature, its slot if it is a window.
    pub(crate) of: Vec<Option<Slot>>,
    pub(crate) tables: usize,
}

impl Slots {
    pub(crate) fn new(definition: &Definition) -> Self {
        let slot = |feature: &features::Feature| {
            let FeatureKind::Window(window) = &feature.kind else {
                return None;
            };
            let table = definition
                .profiled_entities()
                .position(|entity| entity == window.entity)?;
            let column = definition
                .profile_columns(window.entity)
                .iter()
                .position(|(name, _)| *name == feature.name)?;
            Some(Slot {
                table,
                column,
                empty_value: window.measure.empty_value(),
            })
        };
        Self {
            of: definition.features().iter().map(slot).collect(),
            tables: definition.profiled_entities().count(),
        }
    }
}

/// Where a window of the first look lies among the profiles.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct Slot {
    pub(crate) table: usize,
    pub(crate) column: usize,
    /// What it is for an entity that has no profile: what it is of no transactions.
    pub(crate) empty_value: f64,
}

/// A row of a batch, and what the profiles know of its entities.
pub(crate) struct BatchRow<'a> {
    pub(crate) batch: &'a Batch<'a>,
    pub(crate) row: usize,
    pub(crate) categories: &'a Categories,
    pub(crate) profiles: Option<&'a Profiles>,
    /// For each feature, its slot if it is a window.
    pub(crate) slots: &'a [Option<Slot>],
    /// For each table, the row of this transaction's entity.
    pub(crate) found: &'a [Option<u32>],
}

impl FeatureSource for BatchRow<'_> {
    fn occurred_at(&self) -> Timestamp {
        self.batch.occurred_at(self.row)
    }
    fn amount(&self) -> f64 {
        self.batch.amount(self.row)
    }
    fn number(&self, index: usize) -> f64 {
        self.batch.number(self.row, index)
    }
    fn category(&self, index: usize) -> f64 {
        let name = self
            .batch
            .schema()
            .categories
            .get(index)
            .map_or("", String::as_str);
        self.categories
            .value(name, self.batch.category(self.row, index))
    }
    fn window(&self, place: usize) -> f64 {
        let Some(&Slot {
            table,
            column,
            empty_value,
        }) = self.slots.get(place).and_then(Option::as_ref)
        else {
            return f64::NAN;
        };
        match (self.profiles, self.found.get(table)) {
            (Some(profiles), Some(&Some(row))) => profiles.value(table, row, column),
            _ => empty_value,
        }
    }
}

/// A held transaction and its evidence.
pub(crate) struct HeldRow<'a> {
    pub(crate) definition: &'a Definition,
    pub(crate) categories: &'a Categories,
    pub(crate) hold: &'a Hold,
    pub(crate) evidence: &'a Evidence,
}

impl FeatureSource for HeldRow<'_> {
    fn occurred_at(&self) -> Timestamp {
        self.hold.occurred_at
    }
    fn amount(&self) -> f64 {
        self.hold.amount
    }
    fn number(&self, index: usize) -> f64 {
        let name = self.definition.schema().numbers.get(index);
        name.and_then(|name| self.hold.numbers.get(name))
            .copied()
            .unwrap_or(f64::NAN)
    }
    fn category(&self, index: usize) -> f64 {
        let name = self
            .definition
            .schema()
            .categories
            .get(index)
            .map_or("", String::as_str);
        self.categories
            .value(name, self.hold.categories.get(name).map(String::as_str))
    }
    fn window(&self, place: usize) -> f64 {
        let name = self
            .definition
            .feature(place)
            .map_or("", |feature| &feature.name);
        self.evidence
            .get(name)
            .copied()
            .flatten()
            .unwrap_or(f64::NAN)
    }
}
