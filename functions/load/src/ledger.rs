//! What the loader keeps in the bucket: waiting lists, its generation of loads, its ledger entries.
//!
//! | key | holds |
//! |---|---|
//! | `manifests/<table>/<id>.json` | a waiting list: objects that are not in the table yet |
//! | `pending/<prefix>-load-<table>-<generation>.json` | the ledger entry of a load under way |
//! | `manifests/loading/<table>/<generation>.json` | that load's COPY manifest |
//! | `manifests/ended/<table>/<generation>` | that this load has ended |
//! | `manifests/failed/<table>/<id>.json` | a waiting list that could not be loaded: move it back to try again |

use decision::ledger::{LedgerEntry, SettleWork};
use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use crate::WarehouseTable;

/// A load under way: what its ledger entry says.
#[derive(Clone, Debug, PartialEq)]
pub struct Load {
    /// The name of its statement.
    pub name: String,
    /// Where its objects belong.
    pub table: WarehouseTable,
    /// Its number.
    pub generation: Generation,
    /// The keys of its waiting lists.
    pub waiting: Vec<String>,
    /// How often it was submitted, the present attempt included.
    pub attempts: u32,
    /// When the present attempt was written down.
    pub submitted_at: Timestamp,
    /// The present attempt's id; none until the warehouse has answered.
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

    /// The load that a ledger entry stands for; none if the entry is of another kind.
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

    /// Its ledger entry.
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

/// One load of a table has one number; the next begins when it has ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Generation(pub u64);

impl Generation {
    /// The one after this.
    pub const fn next(self) -> Self {
        Self(self.0.saturating_add(1))
    }

    /// The one before this.
    pub const fn previous(self) -> Self {
        Self(self.0.saturating_sub(1))
    }
}

/// A list of objects, in the form that COPY takes as its manifest.
#[derive(Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Manifest {
    /// The objects.
    pub entries: Vec<Entry>,
}

/// One object of a manifest.
#[derive(Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct Entry {
    /// `s3://bucket/key`.
    pub url: String,
    /// Whether COPY must fail when the object is not there. Always: a row must not go missing silently.
    pub mandatory: bool,
}

impl Manifest {
    /// A manifest of these objects, sorted, each once: the same objects make the same bytes.
    pub fn of(urls: impl IntoIterator<Item = String>) -> Self {
        let mut entries: Vec<_> = urls
            .into_iter()
            .map(|url| Entry {
                url,
                mandatory: true,
            })
            .collect();
        entries.sort();
        entries.dedup();
        Self { entries }
    }
}

/// The name of a load's statement, and of its ledger entry.
pub fn statement_name(prefix: &str, table: WarehouseTable, generation: Generation) -> String {
    format!("{prefix}-load-{}-{:010}", table.name(), generation.0)
}

/// The table and the generation that a statement name stands for; none if it is not one of ours.
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

/// Where the waiting lists of a table are.
pub fn waiting_prefix(table: WarehouseTable) -> String {
    format!("manifests/{}/", table.name())
}

/// The waiting list with this id.
pub fn waiting(table: WarehouseTable, id: &str) -> String {
    format!("{}{id}.json", waiting_prefix(table))
}

/// Where a waiting list goes that could not be loaded.
pub fn failed(table: WarehouseTable, waiting: &str) -> String {
    let id = waiting.rsplit('/').next().unwrap_or(waiting);
    format!("manifests/failed/{}/{id}", table.name())
}

/// The COPY manifest of a load.
pub fn loading(table: WarehouseTable, generation: Generation) -> String {
    format!(
        "manifests/loading/{}/{:010}.json",
        table.name(),
        generation.0
    )
}

/// Where the marks of ended loads are.
pub fn ended_prefix(table: WarehouseTable) -> String {
    format!("manifests/ended/{}/", table.name())
}

/// The mark that this load has ended.
pub fn ended(table: WarehouseTable, generation: Generation) -> String {
    format!("{}{:010}", ended_prefix(table), generation.0)
}

/// The generation that the key of such a mark names.
pub fn parse_ended(key: &str) -> Option<Generation> {
    key.rsplit('/').next()?.parse().ok().map(Generation)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_statement_name_reads_back() {
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
    fn no_two_keys_of_the_loader_share_a_prefix() {
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
