//! `[table]`: which columns of a user's file are which fields.

use std::collections::BTreeMap;

use decision::Schema;
use jiff::Timestamp;
use serde::Deserialize;

use super::{DefinitionError, setting};

/// Fields that every file may have beside the schema's.
const FIELDS: [&str; 5] = [
    "transaction_id",
    "occurred_at",
    "amount",
    "label",
    "reported_at",
];

/// Which columns of a user's file are which fields. A field that it does not name has a column of its
/// own name, in whatever case.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Table(BTreeMap<String, Source>);

/// Where a field comes from.
#[derive(Clone, Debug, PartialEq)]
pub enum Source {
    /// From this column.
    Column(String),
    /// It is the same for all.
    Constant(f64),
    /// A moment, so many units after another.
    Since {
        /// The column that counts them; the line's own number, if there is none.
        column: Option<String>,
        /// What it counts from.
        since: Timestamp,
        /// Microseconds of a unit.
        unit: i64,
    },
}

#[derive(Deserialize)]
#[serde(untagged)]
pub(super) enum Entry {
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

impl Table {
    pub(super) fn checked(
        schema: &Schema,
        entries: BTreeMap<String, Entry>,
    ) -> Result<Self, DefinitionError> {
        let refuse = |field: &str, why: &str| Err(setting("table", &format!("`{field}` {why}")));
        let mut sources = BTreeMap::new();
        for (field, entry) in entries {
            let (name, declared) = (
                field.as_str(),
                schema.declared().any(|declared| declared == field),
            );
            if !declared && !FIELDS.contains(&name) {
                return refuse(
                    name,
                    "is no field of the schema, nor transaction_id, occurred_at, amount, label or reported_at",
                );
            }
            let moment = ["occurred_at", "reported_at"].contains(&name);
            let source = match entry {
                Entry::Column(column) => Source::Column(column),
                Entry::Constant(value) if name == "amount" && value >= 0.0 => {
                    Source::Constant(value)
                }
                Entry::Constant(_) => {
                    return refuse(
                        name,
                        "must be a column's name: only amount may be a number, from 0",
                    );
                }
                Entry::Since(_) if !moment => {
                    return refuse(name, "is no moment: expected a column's name");
                }
                Entry::Since(Since {
                    column,
                    since,
                    unit,
                }) => Source::Since {
                    column,
                    since,
                    unit: unit.micros(),
                },
            };
            sources.insert(field, source);
        }
        Ok(Self(sources))
    }

    /// A field's source, if it names one.
    pub fn source(&self, field: &str) -> Option<&Source> {
        self.0.get(field)
    }

    /// The columns that it names, but for the answer's, which what is to be scored has not yet.
    pub fn columns(&self) -> impl Iterator<Item = &str> {
        let asked = self
            .0
            .iter()
            .filter(|(field, _)| !["label", "reported_at"].contains(&field.as_str()));
        asked.filter_map(|(_, source)| match source {
            Source::Column(column) => Some(column.as_str()),
            Source::Since { column, .. } => column.as_deref(),
            Source::Constant(_) => None,
        })
    }
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
