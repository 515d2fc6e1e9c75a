use std::time::Duration;

use jiff::SignedDuration;
use turns::Limits;
use uuid::Uuid;
use warehouse::{Database, Target};

/// Reads a function's environment variables and collects all problems, so that one deployment can
/// solve them all.
///
/// Each method returns a value, also where the variable is missing or invalid. Use the values only
/// if [`Variables::finish`] succeeds.
///
/// ```
/// let lookup = |name: &str| (name == "BUCKET").then(|| "my-bucket".to_owned());
/// let mut variables = startup::Variables::new(lookup);
/// assert_eq!(variables.text("BUCKET"), "my-bucket");
/// variables.flag("PUBLISH_APPROVALS");
/// let error = variables.finish().unwrap_err();
/// assert_eq!(
///     error.to_string(),
///     "configuration: PUBLISH_APPROVALS is not set: expected true or false"
/// );
/// ```
#[derive(Debug)]
pub struct Variables<L> {
    lookup: L,
    problems: Vec<String>,
}

/// All problems of a function's configuration.
#[derive(Debug, PartialEq, Eq, thiserror::Error)]
#[error("configuration: {}", .0.join("; "))]
pub struct ConfigError(pub Vec<String>);

/// Looks up a variable of the process. An empty variable counts as not set.
#[expect(
    clippy::disallowed_methods,
    reason = "the one place that reads the environment for all functions"
)]
pub fn environment(name: &str) -> Option<String> {
    std::env::var(name).ok().filter(|value| !value.is_empty())
}

impl<L: Fn(&str) -> Option<String>> Variables<L> {
    pub const fn new(lookup: L) -> Self {
        Self {
            lookup,
            problems: Vec::new(),
        }
    }

    pub fn text(&mut self, name: &str) -> String {
        self.parsed(name, "a text", |value| Some(value.to_owned()))
    }

    pub fn optional(&self, name: &str) -> Option<String> {
        (self.lookup)(name).filter(|value| !value.is_empty())
    }

    pub fn flag(&mut self, name: &str) -> bool {
        self.parsed(name, "true or false", |value| value.parse().ok())
    }

    /// A whole number of seconds.
    pub fn seconds(&mut self, name: &str) -> Duration {
        self.parsed(name, "a whole number of seconds", |value| {
            value.parse().ok().map(Duration::from_secs)
        })
    }

    /// `ACTIVATION_LEAD_SECONDS`: how long before its activation a bundle's version is announced.
    pub fn activation_lead(&mut self) -> Duration {
        const NAME: &str = "ACTIVATION_LEAD_SECONDS";
        self.parsed(NAME, "a whole number of seconds from 1 on", |value| {
            let seconds = value.parse().ok().filter(|seconds| *seconds > 0);
            seconds.map(Duration::from_secs)
        })
    }

    /// `WAREHOUSE_WORKGROUP` or `WAREHOUSE_CLUSTER` (with `WAREHOUSE_DB_USER`),
    /// `WAREHOUSE_DATABASE` and `WAREHOUSE_SECRET_ARN`.
    pub fn database(&mut self) -> Database {
        let workgroup = self.optional("WAREHOUSE_WORKGROUP");
        let cluster = self.optional("WAREHOUSE_CLUSTER");
        let target = match (workgroup, cluster) {
            (Some(workgroup), None) => Target::Workgroup(workgroup),
            (None, Some(identifier)) => Target::Cluster {
                identifier,
                db_user: self.optional("WAREHOUSE_DB_USER"),
            },
            (Some(_), Some(_)) => self.no_target("both are"),
            (None, None) => self.no_target("neither is"),
        };
        Database {
            target,
            name: self.text("WAREHOUSE_DATABASE"),
            secret_arn: self.optional("WAREHOUSE_SECRET_ARN"),
        }
    }

    /// `STACK`, `BUCKET`, `LOAD_INTERVAL_SECONDS`, `TURN_INTERVAL_SECONDS` and `TURN_GRACE_SECONDS`:
    /// how the turns of this stack are made.
    pub fn turns(&mut self) -> turns::Settings {
        turns::Settings {
            bucket: self.text("BUCKET"),
            stack: self.text("STACK"),
            limits: Limits::DEFAULT,
            load_interval: self.interval("LOAD_INTERVAL_SECONDS"),
            turn_interval: self.interval("TURN_INTERVAL_SECONDS"),
            grace: self.interval("TURN_GRACE_SECONDS"),
            random_id: || Uuid::new_v4().simple().to_string(),
        }
    }

    /// `EVIDENCE_LANES`: how many evidence statements run side by side.
    pub fn evidence_lanes(&mut self) -> u16 {
        let lanes = |value: &str| value.parse().ok().filter(|lanes| (1..=64).contains(lanes));
        self.parsed("EVIDENCE_LANES", "a whole number from 1 to 64", lanes)
    }

    fn interval(&mut self, name: &str) -> SignedDuration {
        SignedDuration::try_from(self.seconds(name)).unwrap_or_default()
    }

    fn no_target(&mut self, found: &str) -> Target {
        self.problem(format!(
            "WAREHOUSE_WORKGROUP, WAREHOUSE_CLUSTER: {found} set, expected one of them"
        ));
        Target::Workgroup(String::new())
    }

    /// Adds a problem that the caller found.
    pub fn problem(&mut self, problem: String) {
        self.problems.push(problem);
    }

    /// Fails if there was any problem.
    pub fn finish(self) -> Result<(), ConfigError> {
        if self.problems.is_empty() {
            Ok(())
        } else {
            Err(ConfigError(self.problems))
        }
    }

    fn parsed<T: Default>(
        &mut self,
        name: &str,
        expected: &str,
        parse: impl Fn(&str) -> Option<T>,
    ) -> T {
        match self.optional(name) {
            None => self.problem(format!("{name} is not set: expected {expected}")),
            Some(value) => match parse(&value) {
                Some(value) => return value,
                // The message does not show the value: it may be a misplaced secret.
                None => self.problem(format!("{name} is invalid: expected {expected}")),
            },
        }
        T::default()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn all_problems_are_reported_together() {
        let mut variables = Variables::new(|name: &str| {
            let value = match name {
                "WAREHOUSE_WORKGROUP" | "WAREHOUSE_CLUSTER" => "x",
                "PUBLISH_APPROVALS" => "yes",
                "BUCKET" => "",
                _ => return None,
            };
            Some(value.to_owned())
        });
        variables.text("BUCKET");
        variables.flag("PUBLISH_APPROVALS");
        variables.seconds("TURN_GRACE_SECONDS");
        variables.database();
        assert_eq!(
            variables.finish().unwrap_err().0,
            [
                "BUCKET is not set: expected a text",
                "PUBLISH_APPROVALS is invalid: expected true or false",
                "TURN_GRACE_SECONDS is not set: expected a whole number of seconds",
                "WAREHOUSE_WORKGROUP, WAREHOUSE_CLUSTER: both are set, expected one of them",
                "WAREHOUSE_DATABASE is not set: expected a text",
            ]
        );
    }

    #[test]
    fn a_cluster_has_an_optional_user_and_secret() {
        let mut variables = Variables::new(|name: &str| {
            (name != "WAREHOUSE_WORKGROUP").then(|| name.to_lowercase())
        });
        let database = variables.database();
        assert_eq!(variables.finish(), Ok(()));
        let user = Some("warehouse_db_user".to_owned());
        assert_eq!(
            database.target,
            Target::Cluster {
                identifier: "warehouse_cluster".into(),
                db_user: user
            }
        );
        assert_eq!(database.secret_arn.as_deref(), Some("warehouse_secret_arn"));
    }
}
