//! The `look` command: simulate, train, score, replay, run, audit a Second Look.

pub mod audit;
pub mod commands;
pub mod consume;
pub mod history;
pub mod init;
pub mod input;
pub mod report;
pub mod run;
pub mod show;
pub mod simulate;
pub mod summary;
pub mod system;
