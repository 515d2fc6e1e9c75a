use std::time::Duration;

use startup::{ConfigError, Variables};
use warehouse::Database;

/// What the function reads from its environment.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Config {
    /// `BUNDLE`: the model bundle's name, or its folder.
    pub bundle: String,
    /// `BUCKET`: the bucket of ledger, outcomes and objects to load.
    pub bucket: String,
    /// `STATEMENT_PREFIX`: what our statements' names begin with.
    pub statement_prefix: String,
    /// `WAREHOUSE_ROLE_ARN`: the role that COPY reads the bucket with, or `default`.
    pub role_arn: String,
    /// `DECISIONS_STREAM`: where final decisions go.
    pub decisions_stream: String,
    /// `SWEEP_GRACE_SECONDS`: how old an attempt must be before the sweep looks at it. Longer than
    /// the functions' time limit, or the sweep gets in the way of what is still at work.
    pub grace: Duration,
    /// `WAREHOUSE_…`.
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
    fn all_that_is_wrong_is_reported_together() {
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
