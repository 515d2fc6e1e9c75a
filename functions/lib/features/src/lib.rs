//! Features: one [`Definition`], two engines that compute it, and the profiles they are served from.
//!
//! [`History`] computes windows in Rust, [`sql`] in the warehouse; tests compare the two. Pure.

mod categories;
mod definition;
mod engine;
mod profiles;
pub mod sql;

pub use categories::{Categories, CategoriesError, FraudCount};
pub use definition::{
    Boost, Calendar, ColumnMapping, Costs, Definition, DefinitionError, DistinctField, Feature,
    FeatureKind, FieldSource, HoldBy, Logistic, Look, Measure, NamedWindow, PROFILE_PREFIX,
    PolicySettings, ProbabilityForest, Quantity, Reach, ReviewBy, Training, TrainingPeriod, Window,
};
pub use engine::{FeatureSource, History, Label};
pub use profiles::{Profiles, ProfilesError, TableBuilder};
