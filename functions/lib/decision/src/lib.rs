//! What Second Look says of a transaction, and how a hold ends.
//!
//! Pure: no clock, no environment, no network. Time comes in as an argument, bytes come in as
//! slices, and everything that can go wrong with one record is a value of [`ReadError`].
//!
//! ```text
//! Kinesis record ─ record::open ─► items ─ Batch::read ─► columns ─ (a score) ─ Policy::provisional ─► Decision
//!                                                                                              Hold ─ settle::next_step ─► Step
//! ```

mod action;
mod batch;
mod decision;
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
pub use decision::{Decision, DecisionId, Entities, Evidence, Hold, Provisional, Reason};
pub use ids::{SequenceNumber, TransactionId};
pub use policy::{Policy, PolicyError};
pub use read_error::{ReadError, RejectedItem};
pub use schema::{Schema, SchemaError};
