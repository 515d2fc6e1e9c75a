//! The `look` command.

use std::process::ExitCode;

use anyhow::Result;
use clap::Parser as _;
use look::commands::{Cli, Command};
use look::run;

/// As clap exits.
const WRONG_USAGE: u8 = 2;

fn main() -> ExitCode {
    match run(Cli::parse().command) {
        Ok(code) => code,
        Err(error) => {
            eprintln!("look: {error:#}");
            let refusal = error.downcast_ref().is_some_and(local::Error::is_refusal);
            if refusal {
                ExitCode::from(WRONG_USAGE)
            } else {
                ExitCode::FAILURE
            }
        }
    }
}

fn run(command: Command) -> Result<ExitCode> {
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .enable_all()
        .build()?;
    match command {
        Command::Run(args) => run::main(&args),
        Command::Simulate(args) => args.main(),
        Command::Train(args) => args.main(),
        Command::Features(args) => args.main(),
        Command::Score(args) => args.main(),
        Command::Local(args) => args.main(),
        Command::Report(args) => args.main(),
        Command::Replay(args) => runtime.block_on(args.main()),
        Command::Init(args) => runtime.block_on(args.main()),
        Command::History(args) => runtime.block_on(args.main()),
        Command::Audit(args) => runtime.block_on(args.main()),
    }
}
