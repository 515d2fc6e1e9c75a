//! The second look: what the warehouse knows ends each hold, once.
//!
//! [`settle`] is the one path that does it, called by this function when the warehouse says that a
//! statement has ended, and by the sweep when it does not.

mod config;
mod evidence;
mod handler;
mod judge;
mod report;
pub mod settle;

pub use config::Config;
pub use handler::{Event, StatementEnded, handle};
pub use judge::SecondModel;
pub use report::SettleReport;
pub use settle::{Error, PATIENCE, Settler};
