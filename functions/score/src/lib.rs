//! The first look. A batch of Kinesis records arrives; the first model of the bundle scores each
//! transaction in it, and the policy approves or holds it.
//!
//! [`Records`] is the decoded event. [`decide()`] makes all decisions, without a clock or a
//! network. [`Handler`] writes and publishes what the decisions require. The batch's waiting entry
//! makes other functions load it and ask for the evidence of its holds.

mod body;
mod config;
mod decide;
mod encode;
mod error;
mod handler;
mod judge;
mod line;
mod name;
mod open;
mod outgoing;
mod publish;
mod records;

pub use config::Config;
pub use decide::{DecidedBatch, Publish, decide};
pub use encode::Judged;
pub use error::Error;
pub use handler::{Handler, RESERVE, Unfinished};
pub use judge::BundleLookup;
pub use name::BatchName;
pub use open::{MAX_ITEMS, Rejection, open_records, read_transactions};
pub use records::{Fault, Record, Records};
