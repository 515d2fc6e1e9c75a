//! The subcommands of `look`.

mod features;
mod labelled;
mod local;
mod on_system;
mod replay;
mod report;
mod score;
mod simulate;
mod train;

use clap::{Parser, Subcommand};

use features::FeaturesArgs;
use local::LocalArgs;
use on_system::{AuditArgs, HistoryArgs, InitArgs};
use replay::ReplayArgs;
use report::ReportArgs;
use score::ScoreArgs;
use simulate::SimulateArgs;
use train::TrainArgs;

use crate::run;

/// Second Look: block now, confirm with your whole history.
#[derive(Parser)]
#[command(
    name = "look",
    version,
    propagate_version = true,
    max_term_width = 100,
    after_help = "Start with: look run"
)]
pub struct Cli {
    #[command(subcommand)]
    pub command: Command,
}

#[derive(Subcommand)]
pub enum Command {
    Run(run::Args),
    Simulate(SimulateArgs),
    Train(TrainArgs),
    Features(FeaturesArgs),
    Score(ScoreArgs),
    Replay(ReplayArgs),
    Report(ReportArgs),
    Init(InitArgs),
    History(HistoryArgs),
    Audit(AuditArgs),
    Local(LocalArgs),
}

/// Parses a command line without running it. The error is clap's message.
///
/// ```
/// assert_eq!(look::commands::check(["look", "run", "--live", "2000"]), Ok(()));
/// assert!(look::commands::check(["look", "run", "--live", "many"]).is_err());
/// ```
pub fn check<'a>(arguments: impl IntoIterator<Item = &'a str>) -> Result<(), String> {
    match Cli::try_parse_from(arguments) {
        Ok(_) => Ok(()),
        Err(error) => Err(error.to_string()),
    }
}
