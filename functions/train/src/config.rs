use startup::{ConfigError, Variables};
use warehouse::Database;

/// What train reads from its environment.
#[derive(Clone, Debug)]
pub struct Config {
    pub bucket: String,
    pub bundle: String,
    /// What our statements' names begin with.
    pub statement_prefix: String,
    /// The role that UNLOAD writes as, or `default`.
    pub role_arn: String,
    pub database: Database,
}

impl Config {
    /// Reads it through `lookup`; everything that is wrong is reported together.
    pub fn read(lookup: impl Fn(&str) -> Option<String>) -> Result<Self, ConfigError> {
        let mut variables = Variables::new(lookup);
        let config = Self {
            bucket: variables.text("BUCKET"),
            bundle: variables.text("BUNDLE"),
            statement_prefix: variables.text("STATEMENT_PREFIX"),
            role_arn: variables.text("WAREHOUSE_ROLE_ARN"),
            database: variables.database(),
        };
        variables.finish().map(|()| config)
    }
}
