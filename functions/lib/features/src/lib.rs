//! Features: one [`Definition`], two engines that compute it, and the profiles they are served from.
//!
//! [`History`] computes windows in Rust, [`sql`] in the warehouse; tests compare the two. Pure.

pub mod categories;
mod definition;
mod engine;
mod profiles;
pub mod sql;

pub use categories::{Categories, CategoriesError};
pub use definition::{
    Boost, Calendar, Costs, Definition, DefinitionError, Feature, Field, HoldBy, Kind, Logistic,
    Look, Measure, ProbabilityForest, Quantity, ReviewBy, Rules, Source, Table, Training, Window,
};
pub use engine::{Facts, History, Label};
pub use profiles::{Profiles, ProfilesError, TableBuilder};
