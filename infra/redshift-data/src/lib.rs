//! A stand-in for the Redshift Data API: its wire protocol over a real PostgreSQL (15 or newer).
//!
//! Statements are asynchronous as in the real service. Redshift's dialect is read with sqlparser's
//! tokens and turned into PostgreSQL's. The README says what is not imitated.

mod api;
mod copy;
mod events;
mod faults;
mod results;
mod run;
mod server;
mod statements;
mod storage;
#[cfg(test)]
mod test_database;
mod translate;
mod unload;

pub use events::Events;
pub use faults::Faults;
pub use server::{Error, Options, Server};
pub use statements::Quotas;
pub use storage::Storage;
