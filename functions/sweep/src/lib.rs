//! Settles holds and finishes loads that no completion event has finished.
//!
//! [`find()`] reads the ledger and returns the work that is due. [`Sweep::run`] does this work with
//! the same code as the completion events: [`confirm::Settler::settle`] and
//! [`load::Loader::advance`].

mod config;
mod error;
mod find;
mod handler;
mod report;
mod sweep;

pub use config::Config;
pub use error::Error;
pub use find::{DueWork, find};
pub use handler::{Handler, Settings};
pub use report::SweepReport;
pub use sweep::{PATIENCE, Sweep};
