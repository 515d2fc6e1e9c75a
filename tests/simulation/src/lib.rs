//! The four functions as they are, over a bucket, a stream and a warehouse in memory.
//!
//! [`System`] runs the real handlers. [`TableWarehouse`] gives their statements the effects that
//! they have in Redshift. Used by the tests of this crate, which run processes step by step.

#![expect(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    clippy::panic,
    reason = "tests fail by panicking"
)]

mod bucket;
mod bundles;
mod gate;
mod stream;
mod system;
mod tables;
mod warehouse;

pub use bucket::{Bucket, Change};
pub use bundles::activation;
pub use gate::{Course, Gate};
pub use stream::DecisionStream;
pub use system::{EVIDENCE_LANES, GRACE, Invocation, LABELS, NewObject, STACK, System, record};
pub use tables::{Flaws, Named, Tables, Unreadable};
pub use warehouse::TableWarehouse;
