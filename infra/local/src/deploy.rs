//! `infra/template.yaml` deployed with the AWS CLI, as a user deploys it to AWS.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::{Duration, Instant};
use std::{fs, io};

use crate::processes;
use crate::{Options, Progress, Venv};

/// Why the stack was not deployed or deleted.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    #[error("{0} is missing: build it with `cargo build --release`")]
    Missing(PathBuf),
    #[error("cannot use {path}")]
    File { path: PathBuf, source: io::Error },
    #[error("cannot run {program}")]
    Start { program: PathBuf, source: io::Error },
    #[error("`aws {command}` failed:\n{output}")]
    Aws { command: String, output: String },
    #[error("`aws {command}` printed something other than JSON")]
    Answer {
        command: String,
        source: serde_json::Error,
    },
    #[error("stack {stack} ended as {status:?}: {reasons}")]
    Stack {
        stack: String,
        /// CloudFormation's name of the state.
        status: String,
        /// CloudFormation's reason for each failed resource.
        reasons: String,
    },
    #[error("the stack has no output {0}: deploy it first")]
    NoOutput(&'static str),
}

/// The stack's name where none is given.
pub const STACK: &str = "second-look";

/// The functions, by the names of their binaries.
pub const FUNCTIONS: [&str; 5] = ["score", "confirm", "sweep", "load", "train"];

const TO_DEPLOY: Duration = Duration::from_secs(300);

/// The stack's name and the parameters that it is deployed with.
#[derive(Clone, Debug)]
pub struct Parameters {
    /// The stack's name, and the prefix of its statements' names.
    pub stack: String,
    /// Parameters of the template. The others keep their defaults.
    pub overrides: BTreeMap<String, String>,
}

impl Default for Parameters {
    /// For this machine: the stand-in answers to any workgroup, loads and sweeps are frequent,
    /// approvals are published. Profiles are not on a schedule: a replay refreshes them at the
    /// cut-offs of its data.
    fn default() -> Self {
        let overrides = [
            (
                "Architecture",
                if cfg!(target_arch = "aarch64") {
                    "arm64"
                } else {
                    "x86_64"
                },
            ),
            ("WarehouseWorkgroup", "local"),
            ("WarehouseWorkgroupId", "local"),
            ("WarehouseDatabase", "dev"),
            (
                "WarehouseRoleArn",
                "arn:aws:iam::000000000000:role/local-warehouse",
            ),
            ("PublishApprovals", "true"),
            ("LoadBatchingWindowSeconds", "2"),
            ("ProfilesSchedule", "rate(1000 days)"),
        ];
        let overrides = overrides
            .map(|(name, value)| (name.to_owned(), value.to_owned()))
            .into();
        Self {
            stack: STACK.to_owned(),
            overrides,
        }
    }
}

impl Parameters {
    /// The same with one of the template's parameters set.
    #[must_use]
    pub fn with(mut self, name: &str, value: impl ToString) -> Self {
        self.overrides.insert(name.to_owned(), value.to_string());
        self
    }
}

/// The deployed stack's outputs, by name.
#[derive(Clone, Debug, Default)]
pub struct Outputs(BTreeMap<String, String>);

impl Outputs {
    pub(crate) fn new(outputs: BTreeMap<String, String>) -> Self {
        Self(outputs)
    }

    pub fn all(&self) -> &BTreeMap<String, String> {
        &self.0
    }

    pub fn get(&self, name: &'static str) -> Result<&str, Error> {
        self.0
            .get(name)
            .map(String::as_str)
            .ok_or(Error::NoOutput(name))
    }

    pub fn bucket(&self) -> Result<&str, Error> {
        self.get("Bucket")
    }

    /// The stream that transactions are put on.
    pub fn transactions_stream(&self) -> Result<&str, Error> {
        self.get("TransactionsStream")
    }

    /// The stream that decisions come out of.
    pub fn decisions_stream(&self) -> Result<&str, Error> {
        self.get("DecisionsStream")
    }

    /// A function's full name, by the name of its binary.
    pub fn function(&self, name: &str) -> Result<&str, Error> {
        self.get(match name {
            "score" => "ScoreFunction",
            "confirm" => "ConfirmFunction",
            "sweep" => "SweepFunction",
            "load" => "LoadFunction",
            "train" => "TrainFunction",
            _ => "(a function of that name)",
        })
    }
}

pub(crate) fn deploy(
    options: &Options,
    venv: &Venv,
    environment: &BTreeMap<String, String>,
    parameters: &Parameters,
    progress: impl Fn(Progress),
) -> Result<Outputs, Error> {
    let aws = Aws {
        venv,
        environment,
        state: &options.state,
    };
    progress(Progress::Package);
    let folder = options.state.join("package");
    let template = lay_out(options, &folder)?;
    let packaged = folder.join("packaged.yaml");
    let (template, packaged) = (template.to_string_lossy(), packaged.to_string_lossy());
    let artifacts = artifacts(&parameters.stack);
    aws.run(&["s3api", "create-bucket", "--bucket", &artifacts])?;
    aws.run(&[
        "cloudformation",
        "package",
        "--template-file",
        &template,
        "--s3-bucket",
        &artifacts,
        "--output-template-file",
        &packaged,
    ])?;

    progress(Progress::Deploy);
    // Not `cloudformation deploy`: it looks every thirty seconds whether the stack is done.
    let overrides = parameters.overrides.iter();
    let overrides: Vec<String> = overrides
        .map(|(name, value)| format!("ParameterKey={name},ParameterValue={value}"))
        .collect();
    let body = format!("file://{packaged}");
    let operation = if aws.stack_status(&parameters.stack)?.is_some() {
        "update-stack"
    } else {
        "create-stack"
    };
    let mut arguments = vec![
        "cloudformation",
        operation,
        "--stack-name",
        &parameters.stack,
        "--template-body",
        &body,
    ];
    arguments.extend([
        "--capabilities",
        "CAPABILITY_IAM",
        "CAPABILITY_AUTO_EXPAND",
        "--parameters",
    ]);
    arguments.extend(overrides.iter().map(String::as_str));
    match aws.run(&arguments) {
        Err(Error::Aws { output, .. }) if output.contains("No updates are to be performed") => {}
        other => drop(other?),
    }
    aws.wait_for_stack(&parameters.stack)?;
    aws.outputs(&parameters.stack)
}

/// Deletes a stack and the objects in its buckets. Does nothing if there is no such stack.
pub(crate) fn withdraw(
    options: &Options,
    venv: &Venv,
    environment: &BTreeMap<String, String>,
    stack: &str,
) -> Result<(), Error> {
    let aws = Aws {
        venv,
        environment,
        state: &options.state,
    };
    if aws.stack_status(stack)?.is_none() {
        return Ok(());
    }
    let outputs = aws.outputs(stack)?;
    aws.run(&["cloudformation", "delete-stack", "--stack-name", stack])?;
    let deadline = Instant::now() + TO_DEPLOY;
    while let Some(status) = aws.stack_status(stack)? {
        if status.ends_with("FAILED") || Instant::now() > deadline {
            return Err(Error::Stack {
                stack: stack.to_owned(),
                status,
                reasons: "it can't be deleted".to_owned(),
            });
        }
    }
    // By the template the bucket survives its stack. In LocalStack it is deleted too.
    let buckets: Vec<String> =
        aws.answer(&["s3api", "list-buckets", "--query", "Buckets[].Name"])?;
    for bucket in [outputs.bucket()?.to_owned(), artifacts(stack)]
        .iter()
        .filter(|bucket| buckets.contains(bucket))
    {
        aws.run(&["s3", "rb", "--force", &format!("s3://{bucket}")])?;
    }
    Ok(())
}

/// The bucket of a stack's packages.
fn artifacts(stack: &str) -> String {
    format!("{stack}-artifacts")
}

/// Lays template and functions out as `cargo lambda build` leaves them, in a folder of our own, so
/// that neither another run nor packages meant for AWS are touched. Returns the template's path.
fn lay_out(options: &Options, folder: &Path) -> Result<PathBuf, Error> {
    let failed = |path: &Path| {
        let path = path.to_path_buf();
        move |source| Error::File { path, source }
    };
    let template = folder.join("infra/template.yaml");
    fs::create_dir_all(folder.join("infra")).map_err(failed(folder))?;
    fs::copy(options.root.join("infra/template.yaml"), &template).map_err(failed(&template))?;
    for function in FUNCTIONS {
        let binary = options.binaries.join(function);
        if !binary.is_file() {
            return Err(Error::Missing(binary));
        }
        let bootstrap = folder
            .join("target/lambda")
            .join(function)
            .join("bootstrap");
        let place = || {
            fs::create_dir_all(bootstrap.parent().unwrap_or(&bootstrap))?;
            match fs::remove_file(&bootstrap) {
                Err(problem) if problem.kind() != io::ErrorKind::NotFound => return Err(problem),
                _ => {}
            }
            fs::hard_link(&binary, &bootstrap)
                .or_else(|_| fs::copy(&binary, &bootstrap).map(|_| ()))
        };
        place().map_err(failed(&bootstrap))?;
    }
    Ok(template)
}

struct Aws<'a> {
    venv: &'a Venv,
    environment: &'a BTreeMap<String, String>,
    state: &'a Path,
}

impl Aws<'_> {
    fn run(&self, arguments: &[&str]) -> Result<Vec<u8>, Error> {
        let mut command: Command = processes::command(self.venv.python(), self.state);
        command
            .arg(self.venv.aws())
            .args(arguments)
            .args(["--output", "json"])
            .envs(self.environment);
        // The developer's own profile must not reach calls to this machine.
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

    /// Absent where there is no such stack.
    fn stack_status(&self, stack: &str) -> Result<Option<String>, Error> {
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

    fn wait_for_stack(&self, stack: &str) -> Result<(), Error> {
        let deadline = Instant::now() + TO_DEPLOY;
        loop {
            let status = self.stack_status(stack)?.unwrap_or_default();
            match status.as_str() {
                "CREATE_COMPLETE" | "UPDATE_COMPLETE" => return Ok(()),
                going if going.ends_with("_IN_PROGRESS") && Instant::now() < deadline => {}
                _ => {
                    let query = "StackEvents[?ends_with(ResourceStatus, 'FAILED')].[LogicalResourceId,ResourceStatusReason]";
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

    fn answer<T: serde::de::DeserializeOwned>(&self, arguments: &[&str]) -> Result<T, Error> {
        let answer = self.run(arguments)?;
        // The AWS CLI prints an empty list as nothing or as null.
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

    fn outputs(&self, stack: &str) -> Result<Outputs, Error> {
        let arguments = [
            "cloudformation",
            "describe-stacks",
            "--stack-name",
            stack,
            "--query",
            "Stacks[0].Outputs[].[OutputKey,OutputValue]",
        ];
        let pairs: Vec<(String, String)> = self.answer(&arguments)?;
        Ok(Outputs(pairs.into_iter().collect()))
    }
}

fn name(arguments: &[&str]) -> String {
    arguments
        .iter()
        .take(2)
        .copied()
        .collect::<Vec<_>>()
        .join(" ")
}
