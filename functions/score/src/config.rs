use std::time::Duration;

use startup::{ConfigError, Variables};
use warehouse::Database;

use crate::{Publish, Settings};

/// How long a batch may take to submit its evidence statements: its shard waits for it.
const PATIENCE: Duration = Duration::from_secs(5);

#[derive(Clone, Debug)]
pub struct Config {
    pub bucket: String,
    /// A bundle's name, or the path of its folder.
    pub bundle: String,
    pub decisions_stream: String,
    pub database: Database,
    pub settings: Settings,
}

impl Config {
    /// Reads the variables through `lookup`. The error lists all problems.
    pub fn read(lookup: impl Fn(&str) -> Option<String>) -> Result<Self, ConfigError> {
        let mut variables = Variables::new(lookup);
        let config = Self {
            bucket: variables.text("BUCKET"),
            bundle: variables.text("BUNDLE"),
            decisions_stream: variables.text("DECISIONS_STREAM"),
            database: variables.database(),
            settings: Settings {
                statement_prefix: variables.text("STATEMENT_PREFIX"),
                publish: if variables.flag("PUBLISH_APPROVALS") {
                    Publish::AllDecisions
                } else {
                    Publish::HoldsOnly
                },
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
