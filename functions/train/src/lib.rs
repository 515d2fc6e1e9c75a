//! From a labelled history to a model bundle.
//!
//! A [`TrainingSet`] comes from the warehouse (the CSV that UNLOAD wrote, [`TrainingSet::read`]) or
//! from a history at hand, whose windows the Rust engine computes ([`TrainingSet::of_history`]).
//! [`train`] learns both looks from it, chooses their thresholds, and builds a bundle that is
//! repeatable to the byte: no clock, no random source but the definition's seed.

mod boost;
mod config;
mod handler;
pub mod metrics;
mod report;
mod set;
mod train;

pub use boost::BoostError;
pub use config::Config;
pub use handler::{Answer, Context, Event, HandlerError, Only, Refreshed};
pub use report::{LookReport, Report};
pub use set::{Past, SetError, TrainingSet};
pub use train::{Progress, TrainError, Trained, train};
