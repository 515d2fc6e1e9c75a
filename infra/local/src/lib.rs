//! Second Look on one machine: `LocalStack` in place of AWS, the Redshift stand-in on PostgreSQL,
//! and the stack of `infra/template.yaml` deployed on them.
//!
//! A *state folder* contains the logs, data and `state.json` of one such system. Systems with
//! different state folders can run at the same time. All services listen only on 127.0.0.1.
//!
//! ```no_run
//! # fn main() -> Result<(), local::Error> {
//! let options = local::Options::new("target/local");
//! let mut local = local::Local::up(&options, |step| eprintln!("{step}"))?;
//! local.deploy(&local::Parameters::default())?;
//! println!("{}", local.outputs().bucket()?);
//! local.down()?; // a drop, a panic, Ctrl-C and SIGTERM do the same
//! # Ok(()) }
//! ```

mod deploy;
mod localstack;
mod options;
mod outages;
mod postgres;
mod processes;
mod progress;
mod service;
mod signals;
mod stand_in;
mod state;
mod venv;

use std::collections::BTreeMap;
use std::io;
use std::path::Path;

pub use deploy::{Error as DeployError, FUNCTIONS, Outputs, Parameters, STACK};
pub use options::{Options, root};
pub use postgres::{Error as PostgresError, Postgres};
pub use progress::Progress;
pub use service::Service;
pub use state::{State, Status};
pub use venv::{Error as VenvError, Venv};

use deploy::SharedStack;
use options::REGION;

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
    #[error(transparent)]
    State(#[from] state::Error),
    #[error(transparent)]
    Processes(#[from] processes::Error),
    #[error("cannot listen for signals")]
    Signals(#[source] io::Error),
}

impl Error {
    /// Whether the call was refused, because it would have changed the files, the stack or the data of
    /// another program.
    pub fn is_refusal(&self) -> bool {
        matches!(
            self,
            Self::Deploy(deploy::Error::NotOurs { .. }) | Self::State(state::Error::NotOurs(_))
        )
    }
}

/// A running local system. Dropping it stops the system, unless it was [detached](Local::detach).
#[derive(Debug)]
pub struct Local {
    options: Options,
    venv: Venv,
    state: State,
    outputs: Outputs,
    /// `Some` while this process has to end the system, `None` once it is detached or stopped.
    claim: Option<state::Claim>,
}

impl Local {
    /// Starts all services of `options`. After an error or a signal, it ends those that had
    /// started.
    pub fn up(options: &Options, progress: impl Fn(Progress)) -> Result<Self, Error> {
        let mut options = options.clone();
        progress(Progress::Clean);
        let claim = state::Claim::take(&options.state)?;
        options.state = claim.folder().to_path_buf();
        signals::clean_up_on_signals(&options.state, take_down_or_leave).map_err(Error::Signals)?;

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
        local.start(progress)?; // an error drops `local`, which ends the services that had started
        Ok(local)
    }

    fn start(&mut self, progress: impl Fn(Progress)) -> Result<(), Error> {
        let options = &self.options;
        if let Some(theirs) = &self.state.localstack {
            localstack::wait_until_ready(theirs, options)?;
            self.check()?;
        } else {
            progress(Progress::LocalStack);
            self.state.localstack = Some(localstack::start(options, &self.venv)?);
            self.state.save()?;
        }
        if options.warehouse {
            progress(Progress::Postgres);
            let postgres = postgres::start(&self.venv, &options.state, options.patience)?;
            self.state.postgres = Some(postgres);
            self.state.save()?;
        }
        if let Some(localstack) = &self.state.localstack {
            localstack::wait_until_ready(localstack, options)?;
        }
        if let (Some(postgres), Some(localstack)) = (&self.state.postgres, &self.state.localstack) {
            progress(Progress::StandIn);
            let peers = stand_in::Peers {
                postgres: &postgres.endpoint,
                aws: &localstack.endpoint,
            };
            self.state.redshift_data = Some(stand_in::start(options, peers)?);
        }
        self.state.save()?;
        Ok(())
    }

    /// The running system of a state folder that another process started and detached. `None` if
    /// one of its services does not run.
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

    /// Deploys `infra/template.yaml` with the functions of [`Options::binaries`]. A second call
    /// updates the stack.
    pub fn deploy(&mut self, parameters: &Parameters) -> Result<&Outputs, Error> {
        self.deploy_with(parameters, |_| ())
    }

    /// [`deploy`](Self::deploy) with a call of `progress` before each step.
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
            self.withdraw()?; // an interrupted run of this state folder may have left one
            self.state.stack = Some(self.options.stack.clone());
            self.state.save()?;
            let environment = self.environment();
            if let Some(shared) = self.shared_stack(&environment) {
                shared.record()?;
            }
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

    /// Ends all processes of this system. The logs stay in the state folder.
    pub fn down(mut self) -> Result<(), Error> {
        self.claim = None; // so that the drop of `self` does nothing
        let withdrawn = if self.state.stack.is_some() {
            self.check()?;
            self.withdraw()
        } else {
            Ok(())
        };
        state::take_down(&self.options.state)?;
        withdrawn
    }

    /// Deletes the stack from a `LocalStack` that another program started and that continues to
    /// run.
    fn withdraw(&self) -> Result<(), Error> {
        let environment = self.environment();
        let shared = self.shared_stack(&environment);
        Ok(shared.map_or(Ok(()), |shared| shared.withdraw())?)
    }

    /// Fails if the stack exists on a `LocalStack` that another program started, and another system
    /// deployed it.
    fn check(&self) -> Result<(), Error> {
        let environment = self.environment();
        let shared = self.shared_stack(&environment);
        Ok(shared.map_or(Ok(()), |shared| shared.check())?)
    }

    /// `None` if this system started its own `LocalStack`: its data ends with it.
    fn shared_stack<'a>(
        &'a self,
        environment: &'a BTreeMap<String, String>,
    ) -> Option<SharedStack<'a>> {
        let localstack = self.state.localstack.as_ref()?;
        localstack.pid.is_none().then_some(SharedStack {
            options: &self.options,
            venv: &self.venv,
            environment,
            endpoint: &localstack.endpoint,
        })
    }

    /// Leaves the services running when this process ends. [`Local::stop`] ends them later.
    pub fn detach(mut self) {
        signals::leave_alone(&self.options.state);
        self.claim = None;
    }

    /// Ends all processes of a state folder, including those that a killed run left.
    pub fn stop(state: &Path) -> Result<(), Error> {
        match Self::open(&Options::new(state)) {
            Ok(Some(local)) => local.down(),
            _ => Ok(state::take_down(state)?),
        }
    }

    /// The record of a state folder and which services still run. `None` if there is no record.
    pub fn status(state: &Path) -> Result<Option<Status>, Error> {
        Ok(State::load(state)?.map(|state| state.status()))
    }

    /// The stack's outputs. Empty before [`deploy`](Self::deploy).
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

    /// The URL of the Redshift stand-in. `None` without [`Options::warehouse`].
    pub fn redshift_data_endpoint(&self) -> Option<&str> {
        self.state
            .redshift_data
            .as_ref()
            .map(|service| service.endpoint.as_str())
    }

    /// PostgreSQL's connection string. `None` without [`Options::warehouse`].
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

    /// The environment variables that make any AWS client use this system.
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
            signals::wait_if_interrupted();
            if self.state.stack.is_some() {
                let _ = self.withdraw();
            }
            take_down_or_leave(&self.options.state);
        }
    }
}

/// Takes a system down where a failure cannot be reported. The next [`Local::up`] tries again.
fn take_down_or_leave(state: &Path) {
    let _ = state::take_down(state);
}
