//! Deploys `infra/template.yaml` with the AWS CLI, as a user deploys it to AWS.

mod aws;
mod error;
mod outputs;
mod owner;

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::time::Instant;
use std::{fs, io};

use crate::options::Options;
use crate::progress::Progress;
use crate::venv::Venv;
use aws::{Aws, STACK_TIMEOUT};

/// The key of the packaged template in the artifacts bucket.
const PACKAGED: &str = "packaged.yaml";

pub use error::Error;
pub use outputs::Outputs;

/// The default name of the stack.
pub const STACK: &str = "second-look";

/// The names of the functions' programs.
pub const FUNCTIONS: [&str; 5] = ["score", "confirm", "sweep", "load", "train"];

/// The parameters of a stack.
#[derive(Clone, Debug)]
pub struct Parameters {
    /// Values for the template's parameters. Other parameters keep their defaults.
    pub overrides: BTreeMap<String, String>,
}

impl Default for Parameters {
    /// Values for one machine. The stand-in accepts any workgroup. Loads start quickly, and
    /// approvals are published. The schedule never updates profiles: a replay has the days of its
    /// data, so the program that replays them also invokes the update.
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
            ("LoadIntervalSeconds", "2"),
            ("ProfilesSchedule", "rate(1000 days)"),
        ];
        let overrides = overrides
            .map(|(name, value)| (name.to_owned(), value.to_owned()))
            .into();
        Self { overrides }
    }
}

impl Parameters {
    #[must_use]
    pub fn with(mut self, name: &str, value: impl ToString) -> Self {
        self.overrides.insert(name.to_owned(), value.to_string());
        self
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
    let artifacts = artifacts(&options.stack);
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
    // `cloudformation deploy` would check only every thirty seconds whether the stack is complete.
    let overrides = parameters.overrides.iter();
    let overrides: Vec<String> = overrides
        .map(|(name, value)| format!("ParameterKey={name},ParameterValue={value}"))
        .collect();
    // AWS takes a template of more than 51,200 bytes from a bucket only.
    aws.run(&[
        "s3api",
        "put-object",
        "--bucket",
        &artifacts,
        "--key",
        PACKAGED,
        "--body",
        &packaged,
    ])?;
    let url = format!("https://{artifacts}.s3.amazonaws.com/{PACKAGED}");
    let operation = if aws.stack_status(&options.stack)?.is_some() {
        "update-stack"
    } else {
        "create-stack"
    };
    let mut arguments = vec![
        "cloudformation",
        operation,
        "--stack-name",
        &options.stack,
        "--template-url",
        &url,
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
    aws.wait_for_stack(&options.stack)?;
    aws.outputs(&options.stack)
}

/// A stack on a `LocalStack` that another program started.
pub(crate) struct SharedStack<'a> {
    pub(crate) options: &'a Options,
    pub(crate) venv: &'a Venv,
    pub(crate) environment: &'a BTreeMap<String, String>,
    /// The URL of the `LocalStack`.
    pub(crate) endpoint: &'a str,
}

impl SharedStack<'_> {
    fn aws(&self) -> Aws<'_> {
        Aws {
            venv: self.venv,
            environment: self.environment,
            state: &self.options.state,
        }
    }

    /// Fails with [`Error::NotOurs`] if the stack exists and this state folder did not deploy it.
    pub(crate) fn check(&self) -> Result<(), Error> {
        owner::check(&self.aws(), self.endpoint, &self.options.stack).map(|_| ())
    }

    /// Records that this state folder deploys the stack.
    pub(crate) fn record(&self) -> Result<(), Error> {
        owner::record(&self.aws(), self.endpoint, &self.options.stack)
    }

    /// Deletes the stack and its buckets with their objects, if this state folder deployed them.
    pub(crate) fn withdraw(&self) -> Result<(), Error> {
        let aws = self.aws();
        let stack = self.options.stack.as_str();
        let parts = owner::check(&aws, self.endpoint, stack)?;
        if parts.has_stack {
            delete_stack(&aws, stack)?;
        }
        // The template retains the bucket when the stack is deleted.
        for bucket in &parts.buckets {
            remove_bucket(&aws, bucket)?;
        }
        owner::forget(&self.options.state)
    }
}

/// Deletes a bucket with its objects. LocalStack may delete a retained bucket with its stack.
fn remove_bucket(aws: &Aws<'_>, bucket: &str) -> Result<(), Error> {
    match aws.run(&["s3", "rb", "--force", &format!("s3://{bucket}")]) {
        Err(Error::Aws { output, .. }) if output.contains("NoSuchBucket") => Ok(()),
        removed => removed.map(drop),
    }
}

fn delete_stack(aws: &Aws<'_>, stack: &str) -> Result<(), Error> {
    aws.run(&["cloudformation", "delete-stack", "--stack-name", stack])?;
    let deadline = Instant::now() + STACK_TIMEOUT;
    while let Some(status) = aws.stack_status(stack)? {
        if status.ends_with("FAILED") || Instant::now() > deadline {
            return Err(Error::Stack {
                stack: stack.to_owned(),
                status,
                reasons: "it was not deleted".to_owned(),
            });
        }
    }
    Ok(())
}

/// The bucket for the packaged functions of a stack.
fn artifacts(stack: &str) -> String {
    format!("{stack}-artifacts")
}

/// Places the template and the functions as `cargo lambda build` does, but in `folder`: other runs
/// and packages for AWS stay untouched. Returns the path of the template.
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
