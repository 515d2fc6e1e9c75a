//! The first look. A batch of Kinesis records comes in; each transaction in it is judged by the
//! bundle's first model and gets its provisional decision; the doubtful ones are held, and the
//! warehouse is asked for their evidence.
//!
//! [`Records`] is the batch as it came, [`judge`] everything that is thought about it, without a
//! clock or a network, and [`Context::handle`] everything that is done about it.

mod config;
mod handler;
mod judge;
mod line;
mod records;

pub use config::Config;
pub use handler::{Context, Error, Settings};
pub use judge::{Judged, Unread, judge, read, unwrap};
pub use records::{Record, Records};
