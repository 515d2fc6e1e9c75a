use std::time::Duration;

use startup::{ConfigError, Variables};

use crate::Publish;

#[derive(Clone, Debug)]
pub struct Config {
    pub bucket: String,
    /// A bundle's name, or the path of its folder.
    pub bundle: String,
    /// How long before its activation a bundle version is announced.
    pub activation_lead: Duration,
    pub decisions_stream: String,
    pub publish: Publish,
}

impl Config {
    /// Reads the variables through `lookup`. The error lists all problems.
    pub fn read(lookup: impl Fn(&str) -> Option<String>) -> Result<Self, ConfigError> {
        let mut variables = Variables::new(lookup);
        let config = Self {
            bucket: variables.text("BUCKET"),
            bundle: variables.text("BUNDLE"),
            activation_lead: variables.activation_lead(),
            decisions_stream: variables.text("DECISIONS_STREAM"),
            publish: match variables.flag("PUBLISH_APPROVALS") {
                true => Publish::AllDecisions,
                false => Publish::HoldsOnly,
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
        let names = [
            "BUCKET",
            "BUNDLE",
            "ACTIVATION_LEAD_SECONDS",
            "DECISIONS_STREAM",
            "PUBLISH_APPROVALS",
        ];
        for name in names {
            assert!(problems.contains(name), "{name} is not in: {problems}");
        }
    }
}
