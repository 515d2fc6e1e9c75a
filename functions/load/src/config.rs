use startup::{ConfigError, Variables};
use warehouse::Database;

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Config {
    /// A bundle's name, or the path of its folder. Its definition names the columns.
    pub bundle: String,
    pub bucket: String,
    /// The prefix of our statements' names.
    pub statement_prefix: String,
    /// The role that COPY uses to read the bucket, or `default`.
    pub role_arn: String,
    pub database: Database,
}

impl Config {
    /// Reads the variables through `lookup`. The error lists all problems.
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
    fn all_problems_are_reported_together() {
        let error = Config::read(|name| (name == "BUNDLE").then(|| "x".to_owned())).unwrap_err();
        assert_eq!(error.0.len(), 5, "{error}");
        let config =
            Config::read(|name| (name != "WAREHOUSE_CLUSTER").then(|| name.to_owned())).unwrap();
        assert_eq!(config.role_arn, "WAREHOUSE_ROLE_ARN");
    }
}
