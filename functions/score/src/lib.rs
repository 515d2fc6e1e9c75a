//! The first look. A batch of Kinesis records arrives; the bundle's first model scores each
//! transaction in it, and the policy approves or holds it. For the holds, the function asks the
//! warehouse for evidence.
//!
//! [`Records`] is the decoded event. [`decide()`] makes all decisions, without a clock or a
//! network. [`Handler`] writes, publishes and submits what the decisions require.

mod body;
mod config;
mod decide;
mod error;
mod handler;
mod ledger;
mod line;
mod open;
mod records;

pub use config::Config;
pub use decide::{DecidedBatch, Publish, decide};
pub use error::Error;
pub use handler::{Handler, Settings};
pub use open::{RejectedObject, open_records, read_transactions};
pub use records::{Record, Records};
