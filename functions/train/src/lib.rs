//! Trains a model bundle on a labelled history.
//!
//! A [`TrainingSet`] is read from the CSV that the warehouse unloaded ([`TrainingSet::read`]), or
//! computed by the Rust engine from transactions in memory ([`TrainingSet::of_history`]). [`train`]
//! trains both looks, chooses their thresholds, and builds the bundle and its model card. The same
//! training set gives the same bytes: the only source of randomness is the definition's seed, and
//! no clock is read.

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
mod loads;
mod logistic;
pub mod metrics;
mod report;
mod statements;
mod tables;
mod thresholds;
mod train;
mod training_set;
mod tree;

pub use calibrate::{Bin, Calibration};
pub use config::Config;
pub use forest::trees_of_forest;
pub use handler::{Answer, Handler, HandlerError, Part, ProfilesUpdate, TrainEvent, Training};
pub use learn::Step;
pub use learner::LearnError;
pub use loads::Backlog;
pub use report::{Count, HoldOutcomes, LearnerScore, LookReport, TrainingReport};
pub use train::{ImportedModels, Progress, TrainError, TrainingResult, train};
pub use training_set::{
    Category, LabelledHistory, RowLimit, SetError, TooManyRows, TrainingSet, TrainingSetReader,
};
