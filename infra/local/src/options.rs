//! Which services start, and where their files are.

use std::path::{Path, PathBuf};
use std::time::Duration;

use crate::deploy::STACK;

/// The region of the local AWS.
pub(crate) const REGION: &str = "us-east-1";

#[derive(Clone, Debug)]
pub struct Options {
    /// The state folder: logs, data and `state.json`. It is made if it does not exist.
    pub state: PathBuf,
    /// The checkout. `infra/` is read from it, and `target/venv` is made in it.
    pub root: PathBuf,
    /// The folder with the built programs: `redshift-data` and the functions.
    pub binaries: PathBuf,
    /// The stack's name. The names of its statements start with it.
    pub stack: String,
    /// The URL of a running `LocalStack`, as in `AWS_ENDPOINT_URL`. It is used and never stopped.
    /// A stack on it that this state folder did not deploy is never touched.
    /// It has to run functions with the executor of `infra/local/executor`.
    pub endpoint_url: Option<String>,
    /// `RUST_LOG` of the functions and the stand-in.
    pub log: String,
    /// Whether PostgreSQL and the stand-in start. `false` starts only `LocalStack`.
    pub warehouse: bool,
    /// How long each service may take until its first answer.
    pub patience: Duration,
}

impl Options {
    /// All services, from the checkout that this crate was built in, with the state folder `state`.
    pub fn new(state: impl Into<PathBuf>) -> Self {
        let root = root();
        Self {
            state: state.into(),
            binaries: binaries().unwrap_or_else(|| root.join("target/release")),
            root,
            stack: STACK.to_owned(),
            endpoint_url: None,
            log: "info".to_owned(),
            warehouse: true,
            patience: Duration::from_secs(120),
        }
    }
}

/// The checkout that this crate was built in.
pub fn root() -> PathBuf {
    let here = Path::new(env!("CARGO_MANIFEST_DIR"));
    here.ancestors().nth(2).unwrap_or(here).to_path_buf()
}

/// The folder of the running program, or its parent for a test (`target/release/deps`).
fn binaries() -> Option<PathBuf> {
    let program = std::env::current_exe().ok()?;
    let folder = program.parent()?;
    if folder.ends_with("deps") {
        return Some(folder.parent()?.to_path_buf());
    }
    Some(folder.to_path_buf())
}
