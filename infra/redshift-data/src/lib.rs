//! A stand-in for the Redshift Data API: its wire protocol over a real PostgreSQL (15 or newer).
//!
//! Statements are asynchronous as in the real service. Redshift's dialect is read with the tokens
//! of sqlparser and translated into PostgreSQL's. The README lists the imitated features
//! and the missing ones.

mod api;
mod calls;
mod copy;
mod events;
mod faults;
mod load_errors;
mod query;
mod rates;
mod results;
mod run;
mod server;
mod service;
mod service_error;
mod sql_error;
mod statements;
mod steps;
mod storage;
mod submission;
#[cfg(test)]
mod test_database;
mod tokens;
mod translate;
mod unload;

pub use events::Events;
pub use faults::Faults;
pub use rates::Rates;
pub use server::{Error, Options, Server};
pub use statements::Quotas;
pub use storage::Storage;
