use std::path::{Path, PathBuf};
use std::process::ExitCode;

use anyhow::{Context as _, Result};
use clap::Subcommand;
use local::{Local, Options, Parameters};

use crate::show::{Steps, line};

/// Start, stop or inspect the system on this machine: LocalStack, PostgreSQL, the Redshift stand-in
/// and the deployed stack.
#[derive(clap::Args, Debug)]
#[command(after_help = "Examples:
  look local up
  look local status --json
  eval \"$(look local status --export)\"    # then AWS tools use this system
  look local down

With AWS_ENDPOINT_URL, `up` uses a LocalStack that is up. `up` and `down` refuse to touch a stack
that this state folder did not deploy, and a folder with files of another program.

Exit codes of up and down: 0 done, 1 failed, 2 wrong usage or refused
Exit codes of status: 0 every service runs, 1 a service does not run, 2 wrong usage")]
pub struct LocalArgs {
    #[command(subcommand)]
    command: Command,
    /// The state folder of the system: logs, data and state.json.
    #[arg(long, global = true, default_value = "target/local")]
    state: PathBuf,
}

#[derive(Subcommand, Debug)]
enum Command {
    /// Start everything and deploy infra/template.yaml.
    Up,
    /// Stop every process of the system and remove its data. The logs stay.
    Down,
    /// Show which services run. Exit code 1 if one does not.
    Status {
        /// Print shell commands that set the environment for AWS tools.
        #[arg(long, conflicts_with = "json")]
        export: bool,
        /// Print it as JSON.
        #[arg(long)]
        json: bool,
    },
}

impl LocalArgs {
    pub fn main(&self) -> Result<ExitCode> {
        match &self.command {
            Command::Up => {
                let steps = Steps::new();
                let mut options = Options::new(&self.state);
                options.endpoint_url = startup::environment("AWS_ENDPOINT_URL");
                let up = || {
                    Local::up(&options, |progress| steps.note(&format!("{progress}")))
                        .map_err(Into::into)
                };
                let mut local =
                    steps.step("start LocalStack, PostgreSQL and the Redshift stand-in", up)?;
                let parameters = Parameters::default();
                steps.step("deploy infra/template.yaml", || {
                    Ok(local.deploy(&parameters).map(|_| ())?)
                })?;
                for (name, value) in local.outputs().all() {
                    line(&format!("{name}={value}"));
                }
                local.detach();
            }
            Command::Down => {
                if Local::status(&self.state)?.is_none() {
                    eprintln!("no system is recorded in {}", self.state.display());
                }
                Local::stop(&self.state)?;
            }
            Command::Status { export: true, .. } => {
                let local = Local::open(&Options::new(&self.state))?;
                let local = local.context("nothing runs here: start it with `look local up`")?;
                for (name, value) in local.environment() {
                    line(&format!("export {name}={value}"));
                }
                local.detach();
            }
            Command::Status { json, .. } => return status(&self.state, *json),
        }
        Ok(ExitCode::SUCCESS)
    }
}

fn status(state: &Path, json: bool) -> Result<ExitCode> {
    let status = Local::status(state)?;
    if json {
        line(&serde_json::to_string_pretty(&status)?);
    }
    let Some(status) = status else {
        eprintln!("nothing runs in {}", state.display());
        return Ok(ExitCode::FAILURE);
    };
    if !json {
        for (part, up) in &status.up {
            line(&format!(
                "{} {part}",
                if *up { "✓ runs   " } else { "✗ stopped" }
            ));
        }
        line(&format!(
            "stack: {}",
            status.state.stack.as_deref().unwrap_or("not deployed")
        ));
        for (name, value) in &status.state.outputs {
            line(&format!("  {name}={value}"));
        }
    }
    Ok(if status.is_up() {
        ExitCode::SUCCESS
    } else {
        ExitCode::FAILURE
    })
}
