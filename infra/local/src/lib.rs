//! Second Look on this machine: `LocalStack` plays AWS, PostgreSQL behind the stand-in plays
//! Redshift, and the stack of `infra/template.yaml` is deployed on them.
//!
//! A *state folder* holds everything of one such system: logs, data, `state.json`. Systems with
//! different folders run side by side. All servers listen on 127.0.0.1 only.
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
    #[error("cannot set up the Python environment")]
    Venv(#[from] venv::Error),
    #[error("localstack did not start")]
    LocalStack(#[from] localstack::Error),
    #[error("postgresql did not start")]
    Postgres(#[from] postgres::Error),
    #[error("the redshift stand-in did not start")]
    StandIn(#[from] stand_in::Error),
    #[error("the stack was not deployed")]
    Deploy(#[from] deploy::Error),
    /// The state folder can't be read or written, or is in use.
    #[error("cannot use the state folder")]
    State(#[from] state::Error),
    #[error("cannot watch or end processes")]
    Processes(#[from] processes::Error),
}

/// A step of [`Local::up`] or [`Local::deploy`], for a progress display.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Progress {
    /// Remove the leftovers of an earlier run.
    Clean,
    /// Check the Python environment. The first time, it is built: a minute without `uv`.
    Venv,
    /// Create and start a throw-away PostgreSQL cluster.
    Postgres,
    LocalStack,
    /// Start the stand-in for Redshift.
    StandIn,
    Package,
    Deploy,
}

impl fmt::Display for Progress {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.write_str(match self {
            Self::Clean => "removing leftovers of an earlier run",
            Self::Venv => "checking the Python environment (built on first use)",
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
    /// The folder of this system's logs, data and `state.json`. Created if missing.
    pub state: PathBuf,
    /// The checkout: `infra/` is read from it, `target/venv` is built in it.
    pub root: PathBuf,
    /// The folder of the built binaries: `redshift-data` and the functions.
    pub binaries: PathBuf,
    /// A running `LocalStack`, as `AWS_ENDPOINT_URL` names it. It is used and never stopped. It
    /// must run functions as processes of this machine, by the executor in `infra/local/executor`.
    pub endpoint_url: Option<String>,
    /// `RUST_LOG` of the functions and the stand-in.
    pub log: String,
    /// Whether to start PostgreSQL and the stand-in too.
    pub warehouse: bool,
    /// How long to wait for the first answer of each service.
    pub patience: Duration,
}

impl Options {
    /// Every service, with its state in `state`, from the checkout in which this crate was built.
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

/// The checkout in which this crate was built.
pub fn root() -> PathBuf {
    let here = Path::new(env!("CARGO_MANIFEST_DIR"));
    here.ancestors().nth(2).unwrap_or(here).to_path_buf()
}

/// The folder of the running program. A test runs in `target/release/deps`, one folder below.
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

/// A running local system. Dropping it stops the system, unless it was [detached](Local::detach).
#[derive(Debug)]
pub struct Local {
    options: Options,
    venv: Venv,
    state: State,
    outputs: Outputs,
    // Held while this process is responsible for the system: `None` once detached or stopped.
    claim: Option<state::Claim>,
}

impl Local {
    /// Starts everything that `options` asks for. After a failure or an interruption, everything
    /// that was started is stopped again.
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

    /// The system of a state folder that another process started and left running.
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

    /// Deploys `infra/template.yaml` with the functions among the binaries. May be repeated.
    pub fn deploy(&mut self, parameters: &Parameters) -> Result<&Outputs, Error> {
        self.deploy_with(parameters, |_| ())
    }

    /// Like [`deploy`](Self::deploy), and reports each step.
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

    /// Stops every process of this system. The logs stay in the state folder.
    pub fn down(mut self) -> Result<(), Error> {
        self.claim = None; // so that dropping `self` does nothing more
        let withdrawn = self.withdraw();
        state::take_down(&self.options.state)?;
        withdrawn
    }

    /// Deletes the stack from a `LocalStack` that this system did not start.
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

    /// Leaves everything running when this process ends. `Local::stop` stops it later.
    pub fn detach(mut self) {
        processes::leave_alone(&self.options.state);
        self.claim = None;
    }

    /// Stops everything of a state folder, the leftovers of a killed run included.
    pub fn stop(state: &Path) -> Result<(), Error> {
        match Self::open(&Options::new(state)) {
            Ok(Some(local)) => local.down(),
            _ => Ok(state::take_down(state)?),
        }
    }

    /// The parts that a state folder records, and whether each still answers.
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

    /// The environment variables that lead an AWS client to this system.
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
            // A failure can't be reported from here. The next `up` cleans up again.
            let _ = self.withdraw();
            let _ = state::take_down(&self.options.state);
        }
    }
}

const REGION: &str = "us-east-1";
