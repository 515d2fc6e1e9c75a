//! The loader's objects in the bucket.
//!
//! | key | content |
//! |---|---|
//! | `manifests/<table>/<id>.json` | a waiting list: objects to load |
//! | `pending/<prefix>-load-<table>-<generation>.json` | the ledger entry of a running load |
//! | `manifests/loading/<table>/<generation>.json` | the COPY manifest of that load |
//! | `manifests/ended/<table>/<generation>` | a mark: this load has ended |
//! | `manifests/failed/<table>/<id>.json` | a waiting list that failed: move it back to try again |

use decision::ledger::{LedgerEntry, SettleWork};
use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use crate::WarehouseTable;

/// A running load, as in its ledger entry.
#[derive(Clone, Debug, PartialEq)]
pub struct Load {
    pub name: String,
    pub table: WarehouseTable,
    pub generation: Generation,
    /// The keys of its waiting lists.
    pub waiting: Vec<String>,
    /// The number of attempts, including the current one.
    pub attempts: u32,
    /// When the current attempt was written to the ledger.
    pub submitted_at: Timestamp,
    /// The current attempt's id. `None` until the warehouse has answered.
    pub statement_id: Option<String>,
}

impl Load {
    /// The first attempt of a load.
    pub fn new(
        prefix: &str,
        table: WarehouseTable,
        generation: Generation,
        waiting: Vec<String>,
        now: Timestamp,
    ) -> Self {
        let name = statement_name(prefix, table, generation);
        Self {
            name,
            table,
            generation,
            waiting,
            attempts: 1,
            submitted_at: now,
            statement_id: None,
        }
    }

    /// `None` if the ledger entry is not about a load.
    pub fn of(prefix: &str, entry: LedgerEntry) -> Option<Self> {
        let (table, generation) = parse_statement_name(prefix, &entry.name)?;
        let LedgerEntry {
            name,
            work: SettleWork::Load { waiting, .. },
            attempts,
            submitted_at,
            statement_id,
        } = entry
        else {
            return None;
        };
        Some(Self {
            name,
            table,
            generation,
            waiting,
            attempts,
            submitted_at,
            statement_id,
        })
    }

    pub fn entry(&self) -> LedgerEntry {
        LedgerEntry {
            name: self.name.clone(),
            work: SettleWork::Load {
                table: self.table.name().to_owned(),
                manifest: self.manifest(),
                waiting: self.waiting.clone(),
            },
            attempts: self.attempts,
            submitted_at: self.submitted_at,
            statement_id: self.statement_id.clone(),
        }
    }

    /// The key of its ledger entry.
    pub fn key(&self) -> String {
        decision::keys::pending(&self.name)
    }

    /// The key of its COPY manifest.
    pub fn manifest(&self) -> String {
        loading(self.table, self.generation)
    }
}

/// The number of a load. The loads of one table have consecutive numbers.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Generation(pub u64);

impl Generation {
    pub const fn next(self) -> Self {
        Self(self.0.saturating_add(1))
    }

    pub const fn previous(self) -> Self {
        Self(self.0.saturating_sub(1))
    }
}

/// A list of objects in the format of COPY's manifest.
#[derive(Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Manifest {
    pub entries: Vec<ManifestEntry>,
}

#[derive(Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct ManifestEntry {
    /// `s3://bucket/key`.
    pub url: String,
    /// Always true: COPY must fail if the object is missing.
    pub mandatory: bool,
}

impl Manifest {
    /// Sorts and deduplicates the objects: equal objects give equal bytes.
    pub fn of(urls: impl IntoIterator<Item = String>) -> Self {
        let mut entries: Vec<_> = urls
            .into_iter()
            .map(|url| ManifestEntry {
                url,
                mandatory: true,
            })
            .collect();
        entries.sort();
        entries.dedup();
        Self { entries }
    }
}

/// The name of a load's statement and of its ledger entry.
pub fn statement_name(prefix: &str, table: WarehouseTable, generation: Generation) -> String {
    format!("{prefix}-load-{}-{:010}", table.name(), generation.0)
}

/// The inverse of [`statement_name`]. `None` if the statement is not a load of this stack.
pub fn parse_statement_name(prefix: &str, name: &str) -> Option<(WarehouseTable, Generation)> {
    let (table, generation) = name
        .strip_prefix(prefix)?
        .strip_prefix("-load-")?
        .rsplit_once('-')?;
    Some((
        WarehouseTable::of_name(table)?,
        Generation(generation.parse().ok()?),
    ))
}

pub fn waiting_prefix(table: WarehouseTable) -> String {
    format!("manifests/{}/", table.name())
}

pub fn waiting(table: WarehouseTable, id: &str) -> String {
    format!("{}{id}.json", waiting_prefix(table))
}

/// The key to which a failed waiting list is moved.
pub fn failed(table: WarehouseTable, waiting: &str) -> String {
    let id = waiting.rsplit('/').next().unwrap_or(waiting);
    format!("manifests/failed/{}/{id}", table.name())
}

pub fn loading(table: WarehouseTable, generation: Generation) -> String {
    format!(
        "manifests/loading/{}/{:010}.json",
        table.name(),
        generation.0
    )
}

pub fn ended_prefix(table: WarehouseTable) -> String {
    format!("manifests/ended/{}/", table.name())
}

pub fn ended(table: WarehouseTable, generation: Generation) -> String {
    format!("{}{:010}", ended_prefix(table), generation.0)
}

/// The generation of a mark's key.
pub fn parse_ended(key: &str) -> Option<Generation> {
    key.rsplit('/').next()?.parse().ok().map(Generation)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_statement_name_parses_to_its_table_and_generation() {
        for table in WarehouseTable::ALL {
            let name = statement_name("second-look", table, Generation(7));
            assert_eq!(
                parse_statement_name("second-look", &name),
                Some((table, Generation(7))),
                "{name}"
            );
        }
        for other in [
            "second-look-load-transactions",
            "second-look-load-x-1",
            "other-load-outcomes-1",
            "x",
        ] {
            assert_eq!(parse_statement_name("second-look", other), None, "{other}");
        }
    }

    #[test]
    fn only_waiting_lists_have_the_prefix_of_waiting_lists() {
        for table in WarehouseTable::ALL {
            let waiting_prefix = waiting_prefix(table);
            for other in WarehouseTable::ALL {
                for key in [
                    failed(other, &waiting(table, "x")),
                    loading(other, Generation(1)),
                    ended(other, Generation(1)),
                ] {
                    assert!(
                        !key.starts_with(&waiting_prefix),
                        "{key} looks like a waiting list of {table:?}"
                    );
                }
            }
        }
        assert_eq!(
            parse_ended(&ended(WarehouseTable::Outcomes, Generation(12))),
            Some(Generation(12))
        );
    }
}
