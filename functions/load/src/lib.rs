//! New objects in the bucket become rows in the warehouse.
//!
//! The function is called with S3 notifications (by way of SQS) and with the completion events of
//! its own statements. It never waits: a notification is written down, a load is begun if none is
//! under way, and the end of a load begins the next. See [`loader`] for why nothing is lost or
//! loaded twice, and [`ledger`] for what lies where.

mod config;
mod event;
mod handler;
pub mod ledger;
pub mod loader;
mod notification;
mod table;

pub use config::Config;
pub use event::{Event, StatementEnded};
pub use handler::{Response, handle};
pub use loader::{AdvanceOutcome, Error, LoadSql, Loader, MAX_ATTEMPTS, Settings, StartOutcome};
pub use notification::{NewObject, new_objects};
pub use table::WarehouseTable;
