//! The smaller commands.

mod features;
mod labelled;
mod local;
mod on_system;
mod replay;
mod report;
mod score;
mod simulate;
mod train;

pub use features::FeaturesArgs;
pub use local::LocalArgs;
pub use on_system::{AuditArgs, HistoryArgs, InitArgs};
pub use replay::ReplayArgs;
pub use report::ReportArgs;
pub use score::ScoreArgs;
pub use simulate::SimulateArgs;
pub use train::TrainArgs;
