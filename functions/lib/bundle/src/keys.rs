//! Object keys of bundles.

/// The pointer to the bundle's active version.
pub fn pointer(bundle: &str) -> String {
    format!("bundles/{bundle}/current.json")
}

/// The deployed definition, the input of training.
pub fn definition(bundle: &str) -> String {
    format!("bundles/{bundle}/bundle.toml")
}

/// The prefix of a version's files.
pub fn version(bundle: &str, version: &str) -> String {
    format!("bundles/{bundle}/{version}/")
}

pub fn file(bundle: &str, version: &str, file: &str) -> String {
    format!("{}{file}", self::version(bundle, version))
}

/// A file of the model card. It is not among the version's files, because a bundle must not have
/// files that its manifest does not list.
pub fn card(bundle: &str, version: &str, file: &str) -> String {
    format!("bundles/{bundle}/cards/{version}/{file}")
}
