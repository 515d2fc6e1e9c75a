use std::collections::BTreeMap;
use std::path::Path;
use std::process::Command;
use std::time::{Duration, Instant};

use super::error::Error;
use super::outputs::Outputs;
use crate::processes;
use crate::venv::Venv;

pub(super) const STACK_TIMEOUT: Duration = Duration::from_secs(300);

/// Runs the AWS CLI of the locked Python environment.
pub(super) struct Aws<'a> {
    pub(super) venv: &'a Venv,
    pub(super) environment: &'a BTreeMap<String, String>,
    pub(super) state: &'a Path,
}

impl Aws<'_> {
    pub(super) fn run(&self, arguments: &[&str]) -> Result<Vec<u8>, Error> {
        let mut command: Command = processes::command(self.venv.python(), self.state);
        command
            .arg(self.venv.aws())
            .args(arguments)
            .args(["--output", "json"])
            .envs(self.environment);
        // A developer's own profile must not have an effect.
        command
            .env_remove("AWS_PROFILE")
            .env("AWS_CONFIG_FILE", "/dev/null")
            .env("AWS_PAGER", "");
        let output = command.output().map_err(|source| Error::Start {
            program: self.venv.aws(),
            source,
        })?;
        if output.status.success() {
            return Ok(output.stdout);
        }
        let text = format!(
            "{}{}",
            String::from_utf8_lossy(&output.stdout),
            String::from_utf8_lossy(&output.stderr)
        );
        Err(Error::Aws {
            command: name(arguments),
            output: text.trim().to_owned(),
        })
    }

    /// `None` if there is no such stack.
    pub(super) fn stack_status(&self, stack: &str) -> Result<Option<String>, Error> {
        let arguments = [
            "cloudformation",
            "list-stacks",
            "--query",
            "StackSummaries[].[StackName,StackStatus]",
        ];
        let stacks: Vec<(String, String)> = self.answer(&arguments)?;
        let mut of_this_name = stacks
            .into_iter()
            .filter(|(name, status)| name == stack && status != "DELETE_COMPLETE");
        Ok(of_this_name.next().map(|(_, status)| status))
    }

    pub(super) fn wait_for_stack(&self, stack: &str) -> Result<(), Error> {
        let deadline = Instant::now() + STACK_TIMEOUT;
        loop {
            let status = self.stack_status(stack)?.unwrap_or_default();
            match status.as_str() {
                "CREATE_COMPLETE" | "UPDATE_COMPLETE" => return Ok(()),
                status if status.ends_with("_IN_PROGRESS") && Instant::now() < deadline => {}
                _ => {
                    let query = "StackEvents[?ends_with(ResourceStatus, 'FAILED')]\
                                 .[LogicalResourceId,ResourceStatusReason]";
                    let events = [
                        "cloudformation",
                        "describe-stack-events",
                        "--stack-name",
                        stack,
                        "--query",
                        query,
                    ];
                    let reasons = String::from_utf8_lossy(&self.run(&events)?).into_owned();
                    return Err(Error::Stack {
                        stack: stack.to_owned(),
                        status,
                        reasons,
                    });
                }
            }
        }
    }

    pub(super) fn answer<T: serde::de::DeserializeOwned>(
        &self,
        arguments: &[&str],
    ) -> Result<T, Error> {
        let answer = self.run(arguments)?;
        // The AWS CLI prints an empty list as an empty text or null.
        let answer: &[u8] = if matches!(answer.trim_ascii(), b"" | b"null") {
            b"[]"
        } else {
            &answer
        };
        serde_json::from_slice(answer).map_err(|source| Error::Answer {
            command: name(arguments),
            source,
        })
    }

    pub(super) fn outputs(&self, stack: &str) -> Result<Outputs, Error> {
        let arguments = [
            "cloudformation",
            "describe-stacks",
            "--stack-name",
            stack,
            "--query",
            "Stacks[0].Outputs[].[OutputKey,OutputValue]",
        ];
        let pairs: Vec<(String, String)> = self.answer(&arguments)?;
        Ok(Outputs::new(pairs.into_iter().collect()))
    }
}

/// The service and the operation, for errors.
fn name(arguments: &[&str]) -> String {
    arguments
        .iter()
        .take(2)
        .copied()
        .collect::<Vec<_>>()
        .join(" ")
}
