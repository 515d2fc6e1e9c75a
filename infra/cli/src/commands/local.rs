use std::path::PathBuf;
use std::process::ExitCode;

use anyhow::Result;
use clap::Subcommand;
use local::{Local, Options, Parameters};

use crate::show::{Steps, line};

/// Start, stop or look at the system on this machine: LocalStack, PostgreSQL, the Redshift stand-in
/// and the deployed stack.
#[derive(clap::Args, Debug)]
#[command(after_help = "Examples:
  look local up
  eval \"$(look local status --export)\"    # then any AWS tool talks to it
  look local down")]
pub struct LocalArgs {
    #[command(subcommand)]
    command: Command,
    /// Where its state lies.
    #[arg(long, global = true, default_value = "target/local")]
    state: PathBuf,
}

#[derive(Subcommand, Debug)]
enum Command {
    /// Start everything and deploy infra/template.yaml.
    Up,
    /// Stop everything.
    Down,
    /// Say what runs; exit code 1 where something does not.
    Status {
        /// Print the environment for AWS tools.
        #[arg(long)]
        export: bool,
    },
}

impl LocalArgs {
    /// Does it.
    pub fn main(&self) -> Result<ExitCode> {
        match &self.command {
            Command::Up => {
                let steps = Steps::new();
                let mut options = Options::new(&self.state);
                options.endpoint_url = host::environment("AWS_ENDPOINT_URL");
                let up = || Local::up(&options, |progress| steps.note(&format!("{progress}"))).map_err(Into::into);
                let mut local = steps.step("start LocalStack, PostgreSQL and the Redshift stand-in", up)?;
                let parameters = Parameters::default();
                steps.step("deploy infra/template.yaml", || Ok(local.deploy(&parameters).map(|_| ())?))?;
                for (name, value) in local.outputs().all() {
                    line(&format!("{name}={value}"));
                }
                local.detach();
            }
            Command::Down => Local::stop(&self.state)?,
            Command::Status { export } => {
                let Some(local) = Local::open(&Options::new(&self.state))? else {
                    line("not running");
                    return Ok(ExitCode::FAILURE);
                };
                for (name, value) in local.environment() {
                    line(&if *export { format!("export {name}={value}") } else { format!("{name}={value}") });
                }
                local.detach();
            }
        }
        Ok(ExitCode::SUCCESS)
    }
}
