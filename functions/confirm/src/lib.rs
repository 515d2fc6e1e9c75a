//! The second look: settles each hold once, by the evidence that the warehouse computed.
//!
//! [`Settler::settle`] is the only code that settles holds. This function calls it when a
//! completion event arrives; the sweep calls it on its schedule.

mod config;
mod entry;
mod error;
mod evidence;
mod handler;
mod model;
mod outcome;
mod report;
mod settler;

pub use config::Config;
pub use error::Error;
pub use handler::{CompletionEvent, Handler, StatementEnded};
pub use model::SecondModel;
pub use report::SettleReport;
pub use settler::{PATIENCE, Settler};
