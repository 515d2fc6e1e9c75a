use startup::{ConfigError, Variables};
use warehouse::Database;

#[derive(Clone, Debug)]
pub struct Config {
    /// A bundle's name, or the path of its folder.
    pub bundle: String,
    /// The role that COPY uses to read the bucket, or `default`.
    pub role_arn: String,
    pub decisions_stream: String,
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
            role_arn: variables.text("WAREHOUSE_ROLE_ARN"),
            decisions_stream: variables.text("DECISIONS_STREAM"),
            evidence_lanes: variables.evidence_lanes(),
            turns: variables.turns(),
            database: variables.database(),
        };
        variables.finish().map(|()| config)
    }
}

#[cfg(test)]
mod tests {
    use jiff::SignedDuration;

    use super::*;

    #[test]
    fn all_problems_are_reported_together() {
        let error = Config::read(|name| (name == "TURN_GRACE_SECONDS").then(|| "soon".to_owned()))
            .unwrap_err();
        for name in ["TURN_GRACE_SECONDS", "BUNDLE", "DECISIONS_STREAM", "STACK"] {
            assert!(error.to_string().contains(name), "{name}: {error}");
        }
        let lookup = |name: &str| match name {
            "WAREHOUSE_CLUSTER" => None,
            "EVIDENCE_LANES" => Some("2".to_owned()),
            name if name.ends_with("_SECONDS") => Some("90".to_owned()),
            other => Some(other.to_owned()),
        };
        let config = Config::read(lookup).unwrap();
        assert_eq!(config.turns.grace, SignedDuration::from_secs(90));
        assert_eq!(config.turns.load_interval, SignedDuration::from_secs(90));
    }
}
