//! Models as they are served: tree ensembles and linear models over rows of numbers.
//!
//! A [`Model`] scores a [`Matrix`] and explains each score as contributions per column. It knows
//! nothing of transactions. Pure.

mod forest;
mod linear;
mod link;
mod matrix;
mod model;

pub use forest::{Forest, ForestError, Node, Split, Tree};
pub use linear::{Linear, LinearError, Scaling};
pub use link::{Link, logistic, logit};
pub use matrix::{MISSING, Matrix};
pub use model::{Model, ModelError};
