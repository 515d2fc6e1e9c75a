//! The second look: settles each hold once, by the evidence that the warehouse computed.
//!
//! [`Settler`] is the only code that settles holds. [`EvidenceWork`] gives it the evidence of a
//! turn; this function does so when a completion event arrives. The sweep gives it expired
//! holds and forgotten batches.

mod bundles;
mod config;
mod error;
mod evidence;
mod group;
mod handler;
mod outcome;
mod report;
mod settler;
mod work;

pub use bundles::{BucketBundles, Bundles, SecondModel, fallback_policy};
pub use config::Config;
pub use error::Error;
pub use handler::{CompletionEvent, Handler, StatementEnded};
pub use report::SettleReport;
pub use settler::{Forgotten, HoldToSettle, Known, PartToSettle, SLICE_HOLDS, Settler};
pub use work::EvidenceWork;
