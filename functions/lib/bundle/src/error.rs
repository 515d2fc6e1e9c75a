use decision::PolicyError;
use features::{CategoriesError, DefinitionError, ProfilesError};
use scoring::ModelError;

use crate::files::{CATEGORIES, DEFINITION, FORMAT, GOLDEN, MANIFEST, PROFILES};

/// Why a bundle is refused.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    #[error("{0} is missing: copy the whole bundle, or build it again")]
    Missing(String),
    /// A file that the manifest does not list.
    #[error("{0} is not part of the bundle: copy the bundle into a folder of its own")]
    Unlisted(String),
    #[error(
        "{file} was changed after the build: its SHA-256 is {found}, expected {expected}: copy the \
         file again"
    )]
    Checksum {
        file: String,
        found: String,
        expected: String,
    },
    #[error("{MANIFEST} has version {found}, expected {expected} for the files that it lists")]
    Version { found: String, expected: String },
    #[error("{MANIFEST} has format {0}, expected {FORMAT}: build the bundle again")]
    Format(u32),
    #[error("{0} is invalid JSON")]
    Json(&'static str, #[source] serde_json::Error),
    #[error("the bundle's definition is invalid")]
    Definition(#[from] DefinitionError),
    #[error("{DEFINITION} is not UTF-8")]
    Utf8,
    #[error("the policy in {MANIFEST} is invalid")]
    Policy(#[from] PolicyError),
    #[error("{0} is invalid")]
    Model(&'static str, #[source] ModelError),
    #[error("{CATEGORIES} is invalid")]
    Categories(#[from] CategoriesError),
    #[error("{MANIFEST} has another cut-off than {PROFILES}: build the bundle again")]
    CutOff,
    #[error("{PROFILES} is invalid")]
    Profiles(#[from] ProfilesError),
    /// A model has other columns than its look has features.
    #[error("{file} has {found} columns, but {DEFINITION} declares {expected} features")]
    Columns {
        file: &'static str,
        found: usize,
        expected: usize,
    },
    #[error("{GOLDEN}: {kind} {index} scores {found}, expected {expected} as in the build")]
    Golden {
        kind: &'static str,
        /// From 0.
        index: usize,
        found: f64,
        expected: f64,
    },
    #[error("{GOLDEN} has no vector of the {0} look: build the bundle again")]
    NoGolden(&'static str),
}
