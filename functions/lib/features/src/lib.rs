//! Features: their [`Definition`], two engines that compute them, and the [`Profiles`] of the first
//! look.
//!
//! [`History`] computes windows in Rust. [`sql`] computes them in the warehouse. Tests compare the
//! two. Pure.

mod categories;
mod definition;
mod engine;
mod evidence;
mod parts;
mod profiles;
pub mod sql;

pub use categories::{Categories, CategoriesError, FraudCount};
pub use definition::{
    Boost, Calendar, ColumnMapping, Costs, CutOffs, Definition, DefinitionError, DistinctField,
    Feature, FeatureKind, FieldSource, GoodSample, HoldBy, Logistic, Look, Measure, NamedWindow,
    PolicySettings, ProbabilityForest, Quantity, ReviewBy, Training, TrainingPeriod, Window,
};
pub use engine::{FeatureSource, History, Report};
pub use parts::{Aggregate, OwnValue, Parts, SecondParts};
pub use profiles::{Profiles, ProfilesError, TableBuilder};
