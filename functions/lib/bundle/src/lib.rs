//! The bundle: definition, policy, both models, profiles and golden vectors as one versioned unit.
//!
//! [`build`] makes one, [`Bundle::open`] checks all of it. Then it scores without an allocation per
//! transaction. Pure.

mod build;
mod bundle;
mod error;
mod files;
mod golden;
pub mod keys;
mod manifest;
mod rows;

pub use build::build;
pub use bundle::{Bundle, FirstScores, MissingProfiles, Models, Scratch, SecondScore};
pub use error::Error;
pub use files::PROFILES;
pub use golden::{Golden, GoldenConfirm, GoldenFirst};
pub use manifest::replace_profiles;
