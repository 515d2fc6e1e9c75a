//! The steps of a start, for a progress display.

use std::fmt;

/// A step of [`Local::up`](crate::Local::up) and [`Local::deploy`](crate::Local::deploy).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Progress {
    /// Ends processes and removes data of an earlier run.
    Clean,
    /// The first time, this makes the Python environment, which takes a minute or more.
    Venv,
    Postgres,
    LocalStack,
    StandIn,
    Package,
    Deploy,
}

impl fmt::Display for Progress {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.write_str(match self {
            Self::Clean => "cleaning up after earlier runs",
            Self::Venv => "checking the Python environment (the first run installs it)",
            Self::Postgres => "starting PostgreSQL",
            Self::LocalStack => "starting LocalStack",
            Self::StandIn => "starting the Redshift stand-in",
            Self::Package => "packaging the functions",
            Self::Deploy => "deploying the stack",
        })
    }
}
