//! Transactions, decisions and holds, and the rules by which a hold is settled.
//!
//! Pure: no clock, no environment, no network. Time is an argument, bytes are slices, and every
//! fault of a record is a value of [`ReadError`].
//!
//! ```text
//! Kinesis record ─ record::open ─► items ─ Batch::read ─► columns ─ score ─ Policy::provisional ─► Decision
//! Hold and ground ─ settle::settle ─► Outcome ─► Decision
//! ```

mod action;
mod batch;
mod decision;
mod identity;
mod ids;
pub mod keys;
pub mod ledger;
mod policy;
mod read_error;
pub mod record;
mod schema;
pub mod settle;
mod value;

pub use action::{Action, SettledBy, Stage};
pub use batch::{Batch, Origin, micros};
pub use decision::{
    Decision, DecisionId, Entities, Evidence, Hold, ProfileNumbers, Provisional, Reason,
};
pub use identity::Identity;
pub use ids::{SequenceNumber, TransactionId};
pub use policy::{Policy, PolicyError};
pub use read_error::{ReadError, RejectedItem};
pub use schema::{Schema, SchemaError};
