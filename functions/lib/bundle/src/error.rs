use decision::PolicyError;
use features::{CategoriesError, DefinitionError, ProfilesError};
use scoring::ModelError;

use crate::files::{CATEGORIES, DEFINITION, FORMAT, GOLDEN, MANIFEST, PROFILES};

/// Why a bundle is refused.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// A file that every bundle has.
    #[error("{0} is missing: copy the whole bundle, or build it again")]
    Missing(String),
    /// A file that the manifest does not name.
    #[error("{0} does not belong to it: copy the bundle into a folder of its own")]
    Stranger(String),
    /// A file's bytes.
    #[error(
        "{file} is not what was built: its SHA-256 is {found}, expected {expected}: copy it again"
    )]
    Checksum {
        /// The file.
        file: String,
        /// Its checksum.
        found: String,
        /// What the manifest says.
        expected: String,
    },
    /// The manifest's version is not its files'.
    #[error("{MANIFEST} says version {said}, its files are version {found}")]
    Version {
        /// What it says.
        said: String,
        /// What follows from the files.
        found: String,
    },
    /// Another format.
    #[error(
        "{MANIFEST} is of format {0}, expected {FORMAT}: build the bundle again with this version"
    )]
    Format(u32),
    /// A JSON file.
    #[error("{0} can't be read")]
    Json(&'static str, #[source] serde_json::Error),
    /// The definition.
    #[error("{DEFINITION} can't be used")]
    Definition(#[from] DefinitionError),
    /// The definition's encoding.
    #[error("{DEFINITION} is not UTF-8")]
    Utf8,
    /// The policy.
    #[error("{MANIFEST}'s policy can't be used")]
    Policy(#[from] PolicyError),
    /// A model.
    #[error("{0} can't be used")]
    Model(&'static str, #[source] ModelError),
    /// The tables of categories.
    #[error("{CATEGORIES} can't be used")]
    Categories(#[from] CategoriesError),
    /// Profiles.
    #[error("{PROFILES} can't be used")]
    Profiles(#[from] ProfilesError),
    /// A model and the definition do not fit.
    #[error("{file} has {found} columns, {DEFINITION} declares {expected}")]
    Columns {
        /// The model's file.
        file: &'static str,
        /// Its columns.
        found: usize,
        /// The look's features.
        expected: usize,
    },
    /// A golden vector.
    #[error(
        "{GOLDEN}: {what} {place} scores {found}, when the bundle was built it scored {expected}"
    )]
    Golden {
        /// Which kind.
        what: &'static str,
        /// Which of them, from 0.
        place: usize,
        /// The score now.
        found: f64,
        /// The score then.
        expected: f64,
    },
    /// A bundle that can't say whether it is what it was.
    #[error("{GOLDEN} has no vector of the {0} look: build the bundle again")]
    NoGolden(&'static str),
}
