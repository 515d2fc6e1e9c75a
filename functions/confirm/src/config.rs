use startup::{ConfigError, Variables};
use warehouse::Database;

/// What the function reads from its environment.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Config {
    /// `BUCKET`: the bucket of ledger and outcomes.
    pub bucket: String,
    /// `BUNDLE`: the model bundle's name, or its folder.
    pub bundle: String,
    /// `STATEMENT_PREFIX`: what our statements' names begin with.
    pub statement_prefix: String,
    /// `DECISIONS_STREAM`: where final decisions go.
    pub decisions_stream: String,
    /// `WAREHOUSE_…`: where the evidence is.
    pub database: Database,
}

impl Config {
    /// Reads it through `lookup`; all that is wrong is reported together.
    pub fn read(lookup: impl Fn(&str) -> Option<String>) -> Result<Self, ConfigError> {
        let mut variables = Variables::new(lookup);
        let config = Self {
            bucket: variables.text("BUCKET"),
            bundle: variables.text("BUNDLE"),
            statement_prefix: variables.text("STATEMENT_PREFIX"),
            decisions_stream: variables.text("DECISIONS_STREAM"),
            database: variables.database(),
        };
        variables.finish().map(|()| config)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn all_that_is_wrong_is_reported_together() {
        let error = Config::read(|name| (name == "BUNDLE").then(|| "x".to_owned())).unwrap_err();
        assert_eq!(error.0.len(), 5, "{error}");
        let config =
            Config::read(|name| (name != "WAREHOUSE_CLUSTER").then(|| name.to_owned())).unwrap();
        assert_eq!(
            (&*config.bucket, &*config.decisions_stream),
            ("BUCKET", "DECISIONS_STREAM")
        );
    }
}
