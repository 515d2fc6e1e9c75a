//! Features, models and the bundle that carries both.
//!
//! One [`Definition`] says what the features are; [`features`] computes them in Rust and [`sql`]
//! in the warehouse. A [`Bundle`] is what training made of a definition and a history: checked
//! whole when it is opened, then scored without an allocation per transaction. Pure.

mod bundle;
pub mod categories;
mod definition;
pub mod features;
mod forest;
mod linear;
mod link;
mod matrix;
mod profiles;
mod served;
pub mod sql;

pub use bundle::{
    Bundle, Confirmed, Error, FirstScores, Golden, GoldenConfirm, GoldenFirst, Lacking, PROFILES, Scratch, build,
    with_profiles,
};
pub use categories::{Categories, CategoriesError};
pub use definition::{
    Boost, Calendar, Costs, Definition, DefinitionError, Feature, Field, HoldBy, Kind, Logistic, Look, Measure,
    ProbabilityForest, Quantity, ReviewBy, Rules, Source, Table, Training, Window,
};
pub use forest::{Forest, ForestError, Node, Split, Tree};
pub use linear::{Linear, LinearError, Standardised};
pub use link::{Link, logistic, logit};
pub use matrix::{MISSING, Matrix};
pub use profiles::{Profiles, ProfilesError, TableBuilder};
pub use served::{Model, ModelError};
