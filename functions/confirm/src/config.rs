use startup::{ConfigError, Variables};
use warehouse::Database;

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Config {
    pub bucket: String,
    /// A bundle's name, or the path of its folder.
    pub bundle: String,
    /// The prefix of our statements' names.
    pub statement_prefix: String,
    pub decisions_stream: String,
    pub database: Database,
}

impl Config {
    /// Reads the variables through `lookup`. The error lists all problems.
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
    fn all_problems_are_reported_together() {
        let error = Config::read(|name| (name == "BUNDLE").then(|| "x".to_owned())).unwrap_err();
        assert_eq!(error.0.len(), 5, "{error}");
        let config =
            Config::read(|name| (name != "WAREHOUSE_CLUSTER").then(|| name.to_owned())).unwrap();
        assert_eq!(config.bucket, "BUCKET");
        assert_eq!(config.decisions_stream, "DECISIONS_STREAM");
    }
}
