//! From a labelled history to a model bundle.
//!
//! A [`TrainingSet`] comes from the warehouse (the CSV that UNLOAD wrote, [`TrainingSet::read`]) or
//! from a history at hand, whose windows the Rust engine computes ([`TrainingSet::of_history`]).
//! [`train`] learns both looks from it, chooses their thresholds, and builds a bundle and its card, which
//! are repeatable to the byte: no clock, no random source but the definition's seed.

mod boost;
mod calibrate;
mod card;
mod config;
mod forest;
mod golden;
mod handler;
mod learn;
mod logistic;
pub mod metrics;
mod report;
mod set;
mod thresholds;
mod train;
mod tree;

pub use calibrate::{Bin, Calibration};
pub use config::Config;
pub use forest::trees_of_forest;
pub use handler::{Answer, Context, Event, HandlerError, Only, Refreshed};
pub use learn::{LearnError, Step};
pub use report::{Count, Entry, LookReport, Report, Settled};
pub use set::{Past, SetError, TrainingSet};
pub use train::{Progress, TrainError, Trained, train};
