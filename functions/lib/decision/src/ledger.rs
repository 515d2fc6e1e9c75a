//! The ledger of pending statements.
//!
//! An entry is written before its statement is submitted, and deleted after the result was handled.
//! So a process that dies in between leaves an entry for the sweep.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use crate::Hold;

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct LedgerEntry {
    /// The name of the statement. The entry's key contains it.
    pub name: String,
    #[serde(flatten)]
    pub work: SettleWork,
    /// How many attempts were made, the current one included.
    pub attempts: u32,
    /// When the current attempt was written to the ledger.
    pub submitted_at: Timestamp,
    /// The warehouse's id of the current attempt; `None` until the warehouse has answered.
    pub statement_id: Option<String>,
}

/// The purpose of a pending statement.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "snake_case")]
pub enum SettleWork {
    Confirm {
        /// The holds of one batch.
        holds: Vec<Hold>,
    },
    /// Loads objects into a table.
    Load {
        table: String,
        manifest: String,
        /// The keys of the waiting lists in the manifest.
        waiting: Vec<String>,
    },
}
