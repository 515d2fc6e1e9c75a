use std::io;
use std::path::PathBuf;

/// Why the stack was not deployed.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    #[error("{0} does not exist; build it with `cargo build --release`")]
    Missing(PathBuf),
    #[error("cannot use {path}")]
    File { path: PathBuf, source: io::Error },
    #[error("cannot run {program}")]
    Start { program: PathBuf, source: io::Error },
    #[error("`aws {command}` failed:\n{output}")]
    Aws { command: String, output: String },
    #[error("`aws {command}` printed unexpected json")]
    Answer {
        command: String,
        source: serde_json::Error,
    },
    #[error("stack {stack} has the status {status:?}: {reasons}")]
    Stack {
        stack: String,
        /// As CloudFormation writes it, such as `CREATE_FAILED`.
        status: String,
        /// CloudFormation's reasons for each failed resource.
        reasons: String,
    },
    #[error(
        "stack {stack} or a bucket of it exists at {endpoint}, and {state} did not deploy it: unset \
         AWS_ENDPOINT_URL to start a system of your own, or delete that stack and its buckets"
    )]
    NotOurs {
        stack: String,
        endpoint: String,
        /// The state folder.
        state: PathBuf,
    },
    #[error("the stack has no output {0}; deploy it first")]
    NoOutput(&'static str),
}
