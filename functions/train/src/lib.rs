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
mod draw;
mod forest;
mod golden;
mod handler;
mod learn;
mod learner;
mod logistic;
pub mod metrics;
mod report;
mod thresholds;
mod train;
mod training_set;
mod tree;

pub use calibrate::{Bin, Calibration};
pub use config::Config;
pub use forest::trees_of_forest;
pub use handler::{Answer, Handler, HandlerError, Part, ProfilesUpdate, TrainEvent};
pub use learn::Step;
pub use learner::LearnError;
pub use report::{Count, HoldOutcomes, LearnerScore, LookReport, TrainingReport};
pub use train::{ImportedModels, Progress, TrainError, TrainingResult, train};
pub use training_set::{LabelledHistory, SetError, TrainingSet};
