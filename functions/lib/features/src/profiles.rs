//! Profiles: for each known value of an entity, the [`crate::Parts`] of its windows as of one
//! cut-off. Built for look-ups without an allocation.

mod file;
mod table;
#[cfg(test)]
mod tests;

use jiff::Timestamp;

pub use table::TableBuilder;

use crate::Definition;
use table::ProfileTable;

/// Why profiles can't be built or used.
#[derive(Debug, PartialEq, Eq, thiserror::Error)]
pub enum ProfilesError {
    #[error("not a profiles file: {0}")]
    File(&'static str),
    #[error("the profiles do not match the definition: build the profiles again")]
    Other,
    /// The number is the entity's index in the schema.
    #[error("entity {0} has two profiles for one value, or two values with the same key")]
    Twice(usize),
}

/// One table for each entity of [`Definition::profiled_entities`].
#[derive(Clone, Debug, PartialEq)]
pub struct Profiles {
    cut_off: Timestamp,
    tables: Vec<ProfileTable>,
}

impl Profiles {
    /// `tables` must be in the order of [`Definition::profiled_entities`].
    pub fn build(cut_off: Timestamp, tables: Vec<TableBuilder>) -> Result<Self, ProfilesError> {
        let tables = tables
            .into_iter()
            .map(TableBuilder::build)
            .collect::<Result<_, _>>()?;
        Ok(Self { cut_off, tables })
    }

    /// A window ends at this timestamp, or earlier by its delay if it has one.
    pub fn cut_off(&self) -> Timestamp {
        self.cut_off
    }

    /// The total number of profiles of all entities.
    pub fn len(&self) -> usize {
        self.tables.iter().map(ProfileTable::rows).sum()
    }

    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// Whether the entities and the numbers of columns are those of the definition.
    pub fn fit(&self, definition: &Definition) -> bool {
        let expected = definition
            .profiled_entities()
            .map(|entity| (entity, table::columns(definition, entity)));
        expected.eq(self
            .tables
            .iter()
            .map(|table| (table.entity, table.columns)))
    }

    /// The entity of each table, as its index in the schema.
    pub fn entities(&self) -> impl Iterator<Item = usize> {
        self.tables.iter().map(|table| table.entity)
    }

    /// The row of an entity's value in a table. `None` for a value without a profile.
    pub fn find(&self, table: usize, value: &str) -> Option<u32> {
        self.tables.get(table)?.find(value)
    }

    /// The numbers in a row from [`Profiles::find`], beginning with the one at `first`.
    pub fn numbers(&self, table: usize, row: u32, first: usize) -> &[f64] {
        let Some(table) = self.tables.get(table) else {
            return &[];
        };
        let start = row as usize * table.columns;
        let numbers = table.values.get(start + first..start + table.columns);
        numbers.unwrap_or_default()
    }
}
