//! `[table]`: which column of a user's file has which field.

use std::collections::BTreeMap;

use decision::Schema;
use jiff::Timestamp;
use serde::Deserialize;

use super::error::{DefinitionError, invalid_setting};

/// Fields that a file may have in addition to the schema's.
const FIELDS: [&str; 5] = [
    "transaction_id",
    "occurred_at",
    "amount",
    "label",
    "reported_at",
];

/// Field → where it is in the user's file. A field without an entry is in the column of its own
/// name; upper and lower case do not matter there.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct ColumnMapping(BTreeMap<String, FieldSource>);

#[derive(Clone, Debug, PartialEq)]
pub enum FieldSource {
    Column(String),
    /// The same value for every transaction.
    Constant(f64),
    /// A timestamp: `since` plus a number of units.
    Since {
        /// The column with the number of units; `None`: the number of the line.
        column: Option<String>,
        since: Timestamp,
        unit_micros: i64,
    },
}

#[derive(Deserialize)]
#[serde(untagged)]
pub(super) enum ColumnEntry {
    Column(String),
    Constant(f64),
    Since(Since),
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Since {
    #[serde(default)]
    column: Option<String>,
    since: Timestamp,
    unit: Unit,
}

#[derive(Clone, Copy, Deserialize)]
#[serde(rename_all = "lowercase")]
enum Unit {
    Ms,
    S,
    M,
    H,
    D,
}

impl ColumnMapping {
    pub(super) fn checked(
        schema: &Schema,
        entries: BTreeMap<String, ColumnEntry>,
    ) -> Result<Self, DefinitionError> {
        let mut sources = BTreeMap::new();
        for (field, entry) in entries {
            let name = field.as_str();
            let is_declared = schema.declared().any(|declared| declared == field);
            if !is_declared && !FIELDS.contains(&name) {
                let why = format!(
                    "is not a field of the schema, and not one of {}",
                    FIELDS.join(", ")
                );
                return Err(invalid_entry(name, &why));
            }
            let is_timestamp = ["occurred_at", "reported_at"].contains(&name);
            let source = match entry {
                ColumnEntry::Column(column) => FieldSource::Column(column),
                ColumnEntry::Constant(value) if name == "amount" && value >= 0.0 => {
                    FieldSource::Constant(value)
                }
                ColumnEntry::Constant(_) => {
                    return Err(invalid_entry(
                        name,
                        "must be a column's name: only amount may be a number, of at least 0",
                    ));
                }
                ColumnEntry::Since(_) if !is_timestamp => {
                    return Err(invalid_entry(
                        name,
                        "is not a timestamp: expected a column's name",
                    ));
                }
                ColumnEntry::Since(Since {
                    column,
                    since,
                    unit,
                }) => FieldSource::Since {
                    column,
                    since,
                    unit_micros: unit.micros(),
                },
            };
            sources.insert(field, source);
        }
        Ok(Self(sources))
    }

    /// `None` for a field without an entry.
    pub fn source(&self, field: &str) -> Option<&FieldSource> {
        self.0.get(field)
    }

    /// The columns that a file needs to be scored: all that have an entry, without the label's.
    pub fn columns(&self) -> impl Iterator<Item = &str> {
        let scored = self
            .0
            .iter()
            .filter(|(field, _)| !["label", "reported_at"].contains(&field.as_str()));
        scored.filter_map(|(_, source)| match source {
            FieldSource::Column(column) => Some(column.as_str()),
            FieldSource::Since { column, .. } => column.as_deref(),
            FieldSource::Constant(_) => None,
        })
    }
}

fn invalid_entry(field: &str, why: &str) -> DefinitionError {
    invalid_setting("table", &format!("`{field}` {why}"))
}

impl Unit {
    const fn micros(self) -> i64 {
        match self {
            Self::Ms => 1_000,
            Self::S => 1_000_000,
            Self::M => 60_000_000,
            Self::H => 3_600_000_000,
            Self::D => 86_400_000_000,
        }
    }
}
