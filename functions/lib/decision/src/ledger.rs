//! The ledger of pending statements: one entry for each statement submitted to the warehouse whose
//! end we have not yet acted on. An entry is written before its statement is submitted and removed
//! after its end was acted on, so that whatever dies in between leaves a trace for the sweep.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use crate::Hold;

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct LedgerEntry {
    /// The statement's name, and the entry's key.
    pub name: String,
    #[serde(flatten)]
    pub work: SettleWork,
    /// How often it was submitted, the present attempt included.
    pub attempts: u32,
    /// When the present attempt was written down.
    pub submitted_at: Timestamp,
    /// The warehouse's id of the present attempt; `None` until the warehouse has answered.
    pub statement_id: Option<String>,
}

/// What a pending statement is for.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "snake_case")]
pub enum SettleWork {
    Confirm {
        /// The holds of one batch.
        holds: Vec<Hold>,
    },
    /// Objects on their way into a table.
    Load {
        table: String,
        manifest: String,
        /// The keys of the waiting lists that the manifest was made of.
        waiting: Vec<String>,
    },
}
