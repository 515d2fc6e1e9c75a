//! Starts turns, and loads waiting batches and files into the warehouse.
//!
//! Notifications of waiting entries and of fraud reports (through SQS) and the completion events of
//! loads invoke the function. It never waits for a statement. [`turns`] explains why nothing is
//! lost or loaded twice. [`LaneSql`] has the statements of all lanes. [`LoadWork`] is the work
//! after a load.

mod config;
mod definitions;
mod error;
mod event;
mod handler;
mod label_hours;
mod lane_sql;
mod notification;
mod refused;
mod work;

pub use config::Config;
pub use definitions::{BucketDefinitions, Definitions};
pub use error::Error;
pub use event::{LoadEvent, StatementEnded};
pub use handler::{Handler, Response};
pub use lane_sql::LaneSql;
pub use notification::{NewObject, new_objects};
pub use startup::VersionDefinition;
pub use work::{LoadWork, MAX_RANGE_HOLDS};
