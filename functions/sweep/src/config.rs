use std::time::Duration;

use startup::{ConfigError, Variables};
use warehouse::Database;

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Config {
    /// A bundle's name, or the path of its folder.
    pub bundle: String,
    pub bucket: String,
    /// The prefix of our statements' names.
    pub statement_prefix: String,
    /// The role that COPY uses to read the bucket, or `default`.
    pub role_arn: String,
    pub decisions_stream: String,
    /// The minimum age of an attempt before the sweep handles it. Must be longer than the
    /// functions' time limit, so that the sweep does not interfere with a running function.
    pub grace: Duration,
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
            decisions_stream: variables.text("DECISIONS_STREAM"),
            grace: variables.seconds("SWEEP_GRACE_SECONDS"),
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
        let error = Config::read(|name| (name == "SWEEP_GRACE_SECONDS").then(|| "soon".to_owned()))
            .unwrap_err();
        assert_eq!(error.0.len(), 8, "{error}");
        let lookup = |name: &str| match name {
            "SWEEP_GRACE_SECONDS" => Some("90".to_owned()),
            "WAREHOUSE_CLUSTER" => None,
            other => Some(other.to_owned()),
        };
        assert_eq!(Config::read(lookup).unwrap().grace, Duration::from_secs(90));
    }
}
