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
    pub memory_bytes: usize,
    pub database: Database,
}

/// The memory of the function in the template.
const DEFAULT_MEMORY_MB: usize = 3_008;

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
            memory_bytes: memory_mb(&mut variables) << 20,
            database: variables.database(),
        };
        variables.finish().map(|()| config)
    }
}

/// What Lambda says. Nothing does on a developer's machine.
fn memory_mb<L: Fn(&str) -> Option<String>>(variables: &mut Variables<L>) -> usize {
    const NAME: &str = "AWS_LAMBDA_FUNCTION_MEMORY_SIZE";
    let Some(text) = variables.optional(NAME) else {
        return DEFAULT_MEMORY_MB;
    };
    text.parse().unwrap_or_else(|_| {
        variables.problem(format!("{NAME} is invalid: expected a whole number of MB"));
        DEFAULT_MEMORY_MB
    })
}
