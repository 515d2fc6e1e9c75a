//! A stand-in for the Redshift Data API: its wire protocol over PostgreSQL 15 or newer.
//!
//! Statements are asynchronous, as in the real service. Redshift's dialect is split into tokens by
//! `sqlparser` and translated into PostgreSQL's. The README lists the parts that are not emulated.

mod api;
mod copy;
mod events;
mod fault;
mod faults;
mod results;
mod run;
mod server;
mod service;
mod statements;
mod storage;
mod submission;
#[cfg(test)]
mod test_database;
mod translate;
mod unload;

pub use events::Events;
pub use faults::Faults;
pub use server::{Error, Options, Server};
pub use statements::Quotas;
pub use storage::Storage;
