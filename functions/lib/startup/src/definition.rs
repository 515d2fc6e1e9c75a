use store::Objects;

use crate::bundle::is_folder;

/// Why a definition can't be read.
#[derive(Debug, thiserror::Error)]
pub enum DefinitionError {
    /// The source names the key.
    #[error(transparent)]
    Objects(#[from] store::Error),
    #[error("{0} does not exist: deploy the bundle's definition first")]
    Missing(String),
    #[error("can't read {0}")]
    File(String, #[source] std::io::Error),
    #[error("{0} is not UTF-8")]
    NotText(String),
}

/// The text of `bundle.toml`, as it was deployed to the bucket. If `bundle` begins with `/` or `.`,
/// it is the path of a folder. No trained bundle is needed: tables exist before any model does.
pub async fn definition_text(
    bundle: &str,
    objects: &impl Objects,
) -> Result<String, DefinitionError> {
    if is_folder(bundle) {
        let path = format!("{bundle}/bundle.toml");
        return std::fs::read_to_string(&path)
            .map_err(|source| DefinitionError::File(path, source));
    }
    let key = bundle::keys::definition(bundle);
    match objects.get(&key).await? {
        Some(bytes) => String::from_utf8(bytes).map_err(|_| DefinitionError::NotText(key)),
        None => Err(DefinitionError::Missing(key)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn a_definition_is_read_from_the_bucket_or_from_a_folder() {
        let objects = harness::memory::Objects::new();
        let missing = definition_text("cards", &objects).await.unwrap_err();
        assert_eq!(
            missing.to_string(),
            "bundles/cards/bundle.toml does not exist: deploy the bundle's definition first"
        );
        objects.set("bundles/cards/bundle.toml", "name = \"cards\"");
        assert_eq!(
            definition_text("cards", &objects).await.unwrap(),
            "name = \"cards\""
        );
        assert!(matches!(
            definition_text("./no/such/folder", &objects).await,
            Err(DefinitionError::File(..))
        ));
    }
}
