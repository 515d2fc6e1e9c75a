//! Scores rows of numbers with tree ensembles and logistic regressions, and explains each score.
//!
//! A [`Model`] maps each row of a [`Matrix`] to a probability. [`Model::contributions`] splits the
//! sum behind a probability into one part for each column. The crate knows nothing of what the
//! numbers mean, and does no input or output.
//!
//! - **Shapes.** A matrix is row-major, with the same number of columns in each row. A model scores
//!   only matrices of its own width ([`Model::features`]).
//! - **Values.** Columns are `f32`. NaN and infinite values become [`MISSING`].
//! - **Files.** [`Model::to_bytes`] writes a little-endian format whose nodes are laid out as they
//!   are walked. [`Model::from_bytes`] checks every offset, so a corrupt file is an error and never
//!   undefined behaviour. There is no checksum: a corrupt value may be a valid other model.
//!
//! ```
//! use scoring::{Forest, Matrix, Model, Node, Split};
//!
//! // One tree of one split: column 0 up to 10 gives −2 in log odds, above it 2.
//! let leaf = |value| Node { value, split: None };
//! let split = Split {
//!     feature: 0,
//!     threshold: 10.0,
//!     below: 1,
//!     other: 2,
//!     missing_below: false,
//! };
//! let root = Node { value: 0.0, split: Some(split) };
//! let model = Model::from(Forest::new(1, 0.0, &[vec![root, leaf(-2.0), leaf(2.0)]])?);
//!
//! let mut rows = Matrix::new(1);
//! rows.extend([3.0, 30.0]);
//! let mut scores = Vec::new();
//! model.score(&rows, &mut scores);
//! assert!(scores[0] < 0.2 && scores[1] > 0.8);
//! # Ok::<(), scoring::ForestError>(())
//! ```

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
