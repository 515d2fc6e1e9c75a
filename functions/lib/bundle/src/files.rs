//! Names of a bundle's files, and the version of their format.

pub const MANIFEST: &str = "bundle.json";
pub const DEFINITION: &str = "bundle.toml";
pub(crate) const FIRST: &str = "first.model";
pub(crate) const CONFIRM: &str = "confirm.model";
pub(crate) const GOLDEN: &str = "golden.json";
/// Only in bundles with a category feature.
pub(crate) const CATEGORIES: &str = "categories.json";
/// Can be replaced without a new build; only the manifest changes with it. The second look opens a
/// bundle without this file.
pub const PROFILES: &str = "first.profiles";
pub(crate) const FORMAT: u32 = 4;
