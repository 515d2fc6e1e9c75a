//! Names of a bundle's files, and the format of all of them.

pub(crate) const MANIFEST: &str = "bundle.json";
pub(crate) const DEFINITION: &str = "bundle.toml";
pub(crate) const FIRST: &str = "first.model";
pub(crate) const CONFIRM: &str = "confirm.model";
pub(crate) const GOLDEN: &str = "golden.json";
/// Category encodings; only where a feature names a category.
pub(crate) const CATEGORIES: &str = "categories.json";
/// The one file that changes from day to day, and that only the first look needs.
pub const PROFILES: &str = "first.profiles";
pub(crate) const FORMAT: u32 = 3;
