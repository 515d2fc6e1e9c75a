//! Each minute: takes unfinished turns further, starts turns that are due, writes lost waiting
//! entries again, and settles holds after their deadline.
//!
//! None of this needs an event: the work that is due is in the bucket. Events run the same code:
//! [`turns::Turns`], [`confirm::Settler`] and [`load::LoadWork`].

mod config;
mod error;
mod handler;
mod holds;
mod lanes;
mod report;
mod work;

pub use config::Config;
pub use error::Error;
pub use handler::{Handler, TimeLimit};
pub use report::SweepReport;
pub use work::AllWork;
