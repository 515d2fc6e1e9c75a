//! Names of a bundle's files, and the version of their format.

pub(crate) const MANIFEST: &str = "bundle.json";
pub(crate) const DEFINITION: &str = "bundle.toml";
pub(crate) const FIRST: &str = "first.model";
pub(crate) const CONFIRM: &str = "confirm.model";
pub(crate) const GOLDEN: &str = "golden.json";
/// Only in bundles with a category feature.
pub(crate) const CATEGORIES: &str = "categories.json";
/// The only file that changes daily, and the only one that the second look does not need.
pub const PROFILES: &str = "first.profiles";
pub(crate) const FORMAT: u32 = 3;
