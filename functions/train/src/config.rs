use std::time::Duration;

use startup::{ConfigError, Variables};
use warehouse::Database;

/// Environment variables of the function.
#[derive(Clone, Debug)]
pub struct Config {
    pub bucket: String,
    pub bundle: String,
    pub stack: String,
    /// The role that UNLOAD uses to write to the bucket, or `default`.
    pub role_arn: String,
    /// How long before its activation a version of the bundle is announced.
    pub activation_lead: Duration,
    pub database: Database,
}

impl Config {
    /// Reads the variables through `lookup`. Reports all problems together.
    pub fn read(lookup: impl Fn(&str) -> Option<String>) -> Result<Self, ConfigError> {
        let mut variables = Variables::new(lookup);
        let config = Self {
            bucket: variables.text("BUCKET"),
            bundle: variables.text("BUNDLE"),
            stack: variables.text("STACK"),
            role_arn: variables.text("WAREHOUSE_ROLE_ARN"),
            activation_lead: variables.activation_lead(),
            database: variables.database(),
        };
        variables.finish().map(|()| config)
    }
}
