//! The bundle: definition, policy, both models, profiles and golden vectors as one versioned unit.
//!
//! [`build`] creates the files of a bundle, and [`Bundle::open`] checks all of them. The first look
//! of an open bundle scores a batch without an allocation per transaction. Pure.

mod build;
mod bundle;
mod error;
mod files;
mod first_look;
mod golden;
pub mod keys;
mod manifest;
mod open;
mod pointer;
mod profile_slots;
mod reasons;
mod rows;
mod second_look;

pub use build::build;
pub use bundle::{Bundle, Models};
pub use error::Error;
pub use files::{DEFINITION, MANIFEST, PROFILES};
pub use first_look::{FirstScores, MissingProfiles, Scratch};
pub use golden::{Golden, GoldenConfirm, GoldenFirst};
pub use manifest::{profiles_checksum, profiles_cut_off, replace_profiles};
pub use pointer::{Activation, Pointer, PointerError};
pub use second_look::SecondScore;
