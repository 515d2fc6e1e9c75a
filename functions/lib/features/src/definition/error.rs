use decision::SchemaError;

/// Why a `bundle.toml` is refused.
#[derive(Debug, thiserror::Error)]
pub enum DefinitionError {
    /// The text is no TOML, or a key is missing or unknown; the source says which and where.
    #[error("bundle.toml can't be read")]
    Toml(#[from] toml::de::Error),
    #[error("[schema] is invalid")]
    Schema(#[from] SchemaError),
    #[error("feature `{feature}`: {why}")]
    Feature { feature: String, why: String },
    #[error("setting `{setting}`: {why}")]
    Setting { setting: &'static str, why: String },
}

pub(super) fn invalid_setting(setting: &'static str, why: &str) -> DefinitionError {
    DefinitionError::Setting {
        setting,
        why: why.to_owned(),
    }
}

/// A fraction above 0 and up to 1.
pub(super) fn share_setting(name: &'static str, value: f64) -> Result<f64, DefinitionError> {
    if value > 0.0 && value <= 1.0 {
        Ok(value)
    } else {
        let why = format!("found {value}, expected a number above 0 and up to 1");
        Err(invalid_setting(name, &why))
    }
}
