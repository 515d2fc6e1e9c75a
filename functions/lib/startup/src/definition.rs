use store::Objects;

/// Why there is no definition to load by.
#[derive(Debug, thiserror::Error)]
pub enum DefinitionError {
    /// The bucket failed us.
    #[error("can't fetch {key}")]
    Objects {
        /// The key.
        key: String,
        /// What the bucket said.
        source: store::Error,
    },
    /// Nothing is deployed under this name.
    #[error("{0} is not there: deploy the bundle's definition first")]
    Missing(String),
    /// The file can't be read.
    #[error("can't read {0}")]
    File(String, #[source] std::io::Error),
    /// It is no text.
    #[error("{0} is not UTF-8")]
    NotText(String),
}

/// The text of `bundle.toml`: of the bundle with this name, as it was deployed to the bucket, or in
/// this folder where `bundle` is a path (begins with `/` or `.`). Tables exist before any model does,
/// so no trained bundle is needed.
pub async fn definition_text(
    bundle: &str,
    objects: &impl Objects,
) -> Result<String, DefinitionError> {
    if bundle.starts_with(['/', '.']) {
        let path = format!("{bundle}/bundle.toml");
        return std::fs::read_to_string(&path)
            .map_err(|source| DefinitionError::File(path, source));
    }
    let key = bundle::keys::definition(bundle);
    match objects.get(&key).await {
        Ok(Some(bytes)) => String::from_utf8(bytes).map_err(|_| DefinitionError::NotText(key)),
        Ok(None) => Err(DefinitionError::Missing(key)),
        Err(source) => Err(DefinitionError::Objects { key, source }),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn a_definition_comes_from_the_bucket_or_from_a_folder() {
        let objects = harness::memory::Objects::new();
        let missing = definition_text("cards", &objects).await.unwrap_err();
        assert!(
            missing
                .to_string()
                .starts_with("bundles/cards/bundle.toml is not there"),
            "{missing}"
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
