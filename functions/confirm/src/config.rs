use startup::{ConfigError, Variables};
use warehouse::Database;

#[derive(Clone, Debug)]
pub struct Config {
    /// A bundle's name, or the path of its folder.
    pub bundle: String,
    pub decisions_stream: String,
    /// The role that COPY uses to read the bucket, or `default`.
    pub role_arn: String,
    pub evidence_lanes: u16,
    pub turns: turns::Settings,
    pub database: Database,
}

impl Config {
    /// Reads the variables through `lookup`. The error lists all problems.
    pub fn read(lookup: impl Fn(&str) -> Option<String>) -> Result<Self, ConfigError> {
        let mut variables = Variables::new(lookup);
        let config = Self {
            bundle: variables.text("BUNDLE"),
            decisions_stream: variables.text("DECISIONS_STREAM"),
            role_arn: variables.text("WAREHOUSE_ROLE_ARN"),
            evidence_lanes: variables.evidence_lanes(),
            turns: variables.turns(),
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
        let error = Config::read(|_| None).unwrap_err();
        let names = [
            "BUNDLE",
            "BUCKET",
            "STACK",
            "DECISIONS_STREAM",
            "EVIDENCE_LANES",
            "LOAD_INTERVAL_SECONDS",
            "TURN_INTERVAL_SECONDS",
            "WAREHOUSE_ROLE_ARN",
            "WAREHOUSE_DATABASE",
        ];
        for name in names {
            assert!(error.to_string().contains(name), "{name}: {error}");
        }
    }
}
