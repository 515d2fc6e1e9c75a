//! Features: their [`Definition`], two engines that compute them, and the [`Profiles`] of the first
//! look.
//!
//! [`History`] computes windows in Rust. [`sql`] computes them in the warehouse. Tests compare the
//! two. Pure.

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
