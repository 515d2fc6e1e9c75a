use std::time::Duration;

use startup::{ConfigError, Reader};
use warehouse::Database;

use crate::Settings;

/// What a batch can spare for the warehouse: its shard waits behind it.
const PATIENCE: Duration = Duration::from_secs(5);

/// What score reads from its environment.
#[derive(Clone, Debug)]
pub struct Config {
    /// The bucket.
    pub bucket: String,
    /// The bundle's name, or a folder that it lies in.
    pub bundle: String,
    /// The stream that decisions go to.
    pub decisions_stream: String,
    /// The warehouse.
    pub database: Database,
    /// The rest.
    pub settings: Settings,
}

impl Config {
    /// Reads it through `lookup`; everything that is wrong is reported together.
    pub fn read(lookup: impl Fn(&str) -> Option<String>) -> Result<Self, ConfigError> {
        let mut variables = Reader::new(lookup);
        let config = Self {
            bucket: variables.text("BUCKET"),
            bundle: variables.text("BUNDLE"),
            decisions_stream: variables.text("DECISIONS_STREAM"),
            database: variables.database(),
            settings: Settings {
                statement_prefix: variables.text("STATEMENT_PREFIX"),
                publish_approvals: variables.flag("PUBLISH_APPROVALS"),
                patience: PATIENCE,
            },
        };
        variables.finish().map(|()| config)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_problem_of_an_empty_environment_is_named() {
        let problems = Config::read(|_| None).unwrap_err().to_string();
        for name in [
            "BUCKET",
            "BUNDLE",
            "DECISIONS_STREAM",
            "WAREHOUSE_WORKGROUP",
            "WAREHOUSE_DATABASE",
            "STATEMENT_PREFIX",
            "PUBLISH_APPROVALS",
        ] {
            assert!(problems.contains(name), "{name} is not in: {problems}");
        }
    }
}
