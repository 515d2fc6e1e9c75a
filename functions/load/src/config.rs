use startup::{ConfigError, Variables};
use warehouse::Database;

/// What the function reads from its environment.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Config {
    /// `BUNDLE`: the model bundle whose definition names the columns, or its folder.
    pub bundle: String,
    /// `BUCKET`: where the objects are.
    pub bucket: String,
    /// `STATEMENT_PREFIX`: what our statements' names begin with.
    pub statement_prefix: String,
    /// `WAREHOUSE_ROLE_ARN`: the role that COPY reads the bucket with, or `default`.
    pub role_arn: String,
    /// `WAREHOUSE_…`: where the tables are.
    pub database: Database,
}

impl Config {
    /// Reads it through `lookup`; all that is wrong is reported together.
    pub fn read(lookup: impl Fn(&str) -> Option<String>) -> Result<Self, ConfigError> {
        let mut variables = Variables::new(lookup);
        let config = Self {
            bundle: variables.text("BUNDLE"),
            bucket: variables.text("BUCKET"),
            statement_prefix: variables.text("STATEMENT_PREFIX"),
            role_arn: variables.text("WAREHOUSE_ROLE_ARN"),
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
        assert_eq!(config.role_arn, "WAREHOUSE_ROLE_ARN");
    }
}
