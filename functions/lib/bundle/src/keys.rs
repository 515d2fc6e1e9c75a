//! Keys of bundles in the bucket.

/// The pointer to the version of a bundle that is in use.
pub fn pointer(bundle: &str) -> String {
    format!("bundles/{bundle}/current.json")
}

/// The bundle's definition as it was deployed, which training starts from.
pub fn definition(bundle: &str) -> String {
    format!("bundles/{bundle}/bundle.toml")
}

/// Where one version's files are.
pub fn version(bundle: &str, version: &str) -> String {
    format!("bundles/{bundle}/{version}/")
}

/// One file of one version.
pub fn file(bundle: &str, version: &str, file: &str) -> String {
    format!("{}{file}", self::version(bundle, version))
}

/// One file of the card of a bundle's version: apart from the version, whose files are all checked.
pub fn card(bundle: &str, version: &str, file: &str) -> String {
    format!("bundles/{bundle}/cards/{version}/{file}")
}
