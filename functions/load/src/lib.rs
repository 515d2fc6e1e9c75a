//! Loads new objects of the bucket into the warehouse.
//!
//! S3 notifications (through SQS) and the completion events of its own statements invoke the
//! function. It never waits for a statement. A notification is written to a waiting list and starts
//! a load, unless one is running; the end of a load starts the next. [`loader`] explains why
//! nothing is lost or loaded twice, and [`ledger`] lists the objects in the bucket.

mod config;
mod error;
mod event;
mod handler;
pub mod ledger;
pub mod loader;
mod notification;
mod outcome;
mod retry;
mod table;

pub use config::Config;
pub use error::Error;
pub use event::{LoadEvent, StatementEnded};
pub use handler::{Handler, Response};
pub use loader::{LoadSql, Loader, MAX_ATTEMPTS, Settings};
pub use notification::{NewObject, new_objects};
pub use outcome::{AdvanceOutcome, StartOutcome};
pub use table::WarehouseTable;
