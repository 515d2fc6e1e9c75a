//! Settles what no completion event has settled.
//!
//! [`find`] reads the ledger and says what is due; [`Sweep::run`] does it, through the very paths that
//! the completion events take: [`confirm::Settler::settle`] and [`load::Loader::advance`].

mod config;
mod find;
mod sweep;

pub use config::Config;
pub use find::{DueWork, Error, find};
pub use sweep::{PATIENCE, Sweep, SweepReport};
