//! Everything of Second Look that runs on this machine: `LocalStack` (the local AWS), PostgreSQL
//! behind the Redshift stand-in, and the stack of `infra/template.yaml` deployed on them.
//!
//! One *state folder* holds all there is of one such system: logs, data, `state.json`. Two
//! systems with two folders may run side by side; nothing listens beyond 127.0.0.1.
//!
//! ```no_run
//! # fn main() -> Result<(), local::Error> {
//! let options = local::Options::new("target/local");
//! let mut local = local::Local::up(&options, |step| eprintln!("{step}"))?;
//! local.deploy(&local::Parameters::default())?;
//! println!("{}", local.outputs().bucket()?);
//! local.down()?; // dropping it, a panic, Ctrl-C and SIGTERM do the same
//! # Ok(()) }
//! ```

mod deploy;
mod localstack;
mod postgres;
mod processes;
mod stand_in;
mod state;
mod venv;

use std::collections::BTreeMap;
use std::fmt;
use std::path::{Path, PathBuf};
use std::time::Duration;

pub use deploy::{Error as DeployError, FUNCTIONS, Outputs, Parameters, STACK};
pub use postgres::{Error as PostgresError, Postgres};
pub use state::{Service, State, Status};
pub use venv::{Error as VenvError, Venv};

/// Why the local system could not be started, used or stopped.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// The Python environment is missing and could not be made.
    #[error("the Python environment is not usable")]
    Venv(#[from] venv::Error),
    #[error("localstack did not start")]
    LocalStack(#[from] localstack::Error),
    #[error("postgresql did not start")]
    Postgres(#[from] postgres::Error),
    /// The stand-in for Redshift did not start.
    #[error("the redshift stand-in did not start")]
    StandIn(#[from] stand_in::Error),
    /// The stack could not be deployed.
    #[error("the stack was not deployed")]
    Deploy(#[from] deploy::Error),
    /// The state folder could not be read or written, or is in use.
    #[error("the state folder is not usable")]
    State(#[from] state::Error),
    /// Processes could not be watched or ended.
    #[error("processes could not be managed")]
    Processes(#[from] processes::Error),
}

/// A step of [`Local::up`] and [`Local::deploy`], for a progress display.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Progress {
    /// What a run before left behind is removed.
    Clean,
    /// The Python environment is checked and, the first time, made (a minute without `uv`).
    Venv,
    /// PostgreSQL's throw-away cluster is made and started.
    Postgres,
    LocalStack,
    /// The stand-in for Redshift is started.
    StandIn,
    Package,
    Deploy,
}

impl fmt::Display for Progress {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.write_str(match self {
            Self::Clean => "removing what an earlier run left",
            Self::Venv => "checking the Python environment (the first time it is made)",
            Self::Postgres => "starting PostgreSQL",
            Self::LocalStack => "starting LocalStack",
            Self::StandIn => "starting the Redshift stand-in",
            Self::Package => "packaging the functions",
            Self::Deploy => "deploying the stack",
        })
    }
}

/// What to start, and where.
#[derive(Clone, Debug)]
pub struct Options {
    /// Folder of this system's logs, data and `state.json`; made if missing.
    pub state: PathBuf,
    /// The checkout: `infra/` is read from it, `target/venv` made in it.
    pub root: PathBuf,
    /// Folder of the built binaries: `redshift-data` and the functions.
    pub binaries: PathBuf,
    /// A `LocalStack` that runs already, as `AWS_ENDPOINT_URL` names it; it is used and never stopped.
    /// It has to run functions as processes of this machine, as `infra/local/executor` makes it do.
    pub endpoint_url: Option<String>,
    /// `RUST_LOG` of the functions and the stand-in.
    pub log: String,
    /// Also start PostgreSQL and the stand-in. Without them there is only AWS.
    pub warehouse: bool,
    /// How long each service may take to answer for the first time.
    pub patience: Duration,
}

impl Options {
    /// The usual: everything, with its state in `state`, from the checkout this was built in.
    pub fn new(state: impl Into<PathBuf>) -> Self {
        let root = root();
        Self {
            state: state.into(),
            binaries: binaries().unwrap_or_else(|| root.join("target/release")),
            root,
            endpoint_url: None,
            log: "info".to_owned(),
            warehouse: true,
            patience: Duration::from_secs(120),
        }
    }
}

/// The checkout this crate was built in.
pub fn root() -> PathBuf {
    let here = Path::new(env!("CARGO_MANIFEST_DIR"));
    here.ancestors().nth(2).unwrap_or(here).to_path_buf()
}

/// The folder of the running program, or the one above for a test's (`target/release/deps`).
fn binaries() -> Option<PathBuf> {
    let program = std::env::current_exe().ok()?;
    let folder = program.parent()?;
    Some(
        if folder.ends_with("deps") {
            folder.parent()?
        } else {
            folder
        }
        .to_path_buf(),
    )
}

/// A running local system. Dropping it takes it down, unless it was [detached](Local::detach).
#[derive(Debug)]
pub struct Local {
    options: Options,
    venv: Venv,
    state: State,
    outputs: Outputs,
    // Held while this process is responsible for the system; None once detached or stopped.
    claim: Option<state::Claim>,
}

impl Local {
    /// Starts everything `options` asks for. What fails, or is interrupted, half way is cleaned up.
    pub fn up(options: &Options, progress: impl Fn(Progress)) -> Result<Self, Error> {
        let mut options = options.clone();
        progress(Progress::Clean);
        let claim = state::Claim::take(&options.state)?;
        options.state = claim.folder().to_path_buf();
        processes::clean_up_on_signals(&options.state)?;

        progress(Progress::Venv);
        let venv = Venv::ensure(&options.root, &options.state)?;
        let state = State::new(&options.state, options.endpoint_url.clone());
        let mut local = Self {
            options,
            venv,
            state,
            outputs: Outputs::default(),
            claim: Some(claim),
        };
        local.start(progress)?; // on an error `local` is dropped, which stops what had started
        Ok(local)
    }

    fn start(&mut self, progress: impl Fn(Progress)) -> Result<(), Error> {
        let options = &self.options;
        if self.state.localstack.is_none() {
            progress(Progress::LocalStack);
            self.state.localstack = Some(localstack::start(options, &self.venv)?);
            self.state.save()?;
        }
        if options.warehouse {
            progress(Progress::Postgres);
            self.state.postgres = Some(postgres::start(&options.state, options.patience)?);
            self.state.save()?;
        }
        if let Some(localstack) = &self.state.localstack {
            localstack::wait_until_ready(localstack, options)?;
        }
        if let (Some(postgres), Some(localstack)) = (&self.state.postgres, &self.state.localstack) {
            progress(Progress::StandIn);
            self.state.redshift_data = Some(stand_in::start(
                options,
                &postgres.endpoint,
                &localstack.endpoint,
            )?);
        }
        self.state.save()?;
        Ok(())
    }

    /// The system that runs under a state folder, started by another process and left running.
    pub fn open(options: &Options) -> Result<Option<Self>, Error> {
        let Some(state) = State::load(&options.state)? else {
            return Ok(None);
        };
        if !state.status().is_up() {
            return Ok(None);
        }
        let venv = Venv::ensure(&options.root, &options.state)?;
        let mut options = options.clone();
        options.state.clone_from(&state.folder);
        let outputs = Outputs::new(state.outputs.clone());
        Ok(Some(Self {
            options,
            venv,
            state,
            outputs,
            claim: None,
        }))
    }

    /// Deploys `infra/template.yaml` with the functions found among the binaries; repeatable.
    pub fn deploy(&mut self, parameters: &Parameters) -> Result<&Outputs, Error> {
        self.deploy_with(parameters, |_| ())
    }

    /// [`deploy`](Self::deploy), telling of its steps.
    pub fn deploy_with(
        &mut self,
        parameters: &Parameters,
        progress: impl Fn(Progress),
    ) -> Result<&Outputs, Error> {
        let mut parameters = parameters.clone();
        if let Some(url) = self.redshift_data_endpoint() {
            parameters = parameters.with("WarehouseEndpoint", url);
        }
        if self.state.stack.is_none() {
            self.state.stack = Some(parameters.stack.clone());
            self.withdraw()?; // what an interrupted run left there
            self.state.save()?;
        }
        let outputs = deploy::deploy(
            &self.options,
            &self.venv,
            &self.environment(),
            &parameters,
            progress,
        )?;
        self.state.outputs.clone_from(outputs.all());
        self.state.save()?;
        self.outputs = outputs;
        Ok(&self.outputs)
    }

    /// Ends every process of this system. The logs stay in the state folder.
    pub fn down(mut self) -> Result<(), Error> {
        self.claim = None; // so that dropping `self` does nothing more
        let withdrawn = self.withdraw();
        state::take_down(&self.options.state)?;
        withdrawn
    }

    /// Deletes the stack from a `LocalStack` that is not ours and lives on.
    fn withdraw(&self) -> Result<(), Error> {
        match (&self.state.localstack, &self.state.stack) {
            (Some(Service { pid: None, .. }), Some(stack)) => Ok(deploy::withdraw(
                &self.options,
                &self.venv,
                &self.environment(),
                stack,
            )?),
            _ => Ok(()),
        }
    }

    /// Leaves everything running when this process ends; `Local::stop` ends it later.
    pub fn detach(mut self) {
        processes::leave_alone(&self.options.state);
        self.claim = None;
    }

    /// Ends whatever runs under a state folder, also what a killed run left behind.
    pub fn stop(state: &Path) -> Result<(), Error> {
        match Self::open(&Options::new(state)) {
            Ok(Some(local)) => local.down(),
            _ => Ok(state::take_down(state)?),
        }
    }

    /// What is recorded under a state folder and whether each part still answers.
    pub fn status(state: &Path) -> Result<Option<Status>, Error> {
        Ok(State::load(state)?.map(|state| state.status()))
    }

    /// The deployed stack's outputs; empty before [`deploy`](Self::deploy).
    pub fn outputs(&self) -> &Outputs {
        &self.outputs
    }

    /// Folder of logs, data and `state.json`.
    pub fn folder(&self) -> &Path {
        &self.options.state
    }

    pub fn aws_endpoint(&self) -> &str {
        self.state
            .localstack
            .as_ref()
            .map_or("", |service| &service.endpoint)
    }

    /// The Redshift stand-in's URL, if it was started.
    pub fn redshift_data_endpoint(&self) -> Option<&str> {
        self.state
            .redshift_data
            .as_ref()
            .map(|service| service.endpoint.as_str())
    }

    /// PostgreSQL's connection string, if it was started.
    pub fn postgres_connection(&self) -> Option<&str> {
        self.state
            .postgres
            .as_ref()
            .map(|service| service.endpoint.as_str())
    }

    /// The locked Python environment: `python`, `aws`, `cfn-lint`.
    pub fn venv(&self) -> &Venv {
        &self.venv
    }

    /// The environment variables with which any AWS client talks to this system.
    pub fn environment(&self) -> BTreeMap<String, String> {
        let mut environment = BTreeMap::from(
            [
                ("AWS_ACCESS_KEY_ID", "test"),
                ("AWS_SECRET_ACCESS_KEY", "test"),
                ("AWS_REGION", REGION),
                ("AWS_DEFAULT_REGION", REGION),
                ("AWS_ENDPOINT_URL", self.aws_endpoint()),
                ("AWS_EC2_METADATA_DISABLED", "true"),
            ]
            .map(|(name, value)| (name.to_owned(), value.to_owned())),
        );
        if let Some(url) = self.redshift_data_endpoint() {
            environment.insert("AWS_ENDPOINT_URL_REDSHIFT_DATA".to_owned(), url.to_owned());
        }
        environment
    }
}

impl Drop for Local {
    fn drop(&mut self) {
        if self.claim.is_some() {
            processes::wait_if_interrupted();
            // Nobody is left to hear of a failure; the next `up` cleans up again.
            let _ = self.withdraw();
            let _ = state::take_down(&self.options.state);
        }
    }
}

const REGION: &str = "us-east-1";
