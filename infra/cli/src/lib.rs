//! The library behind the command `look`.

pub mod audit;
pub mod commands;
pub mod consume;
pub mod history;
pub mod init;
pub mod input;
pub mod lanes;
pub mod outcome;
pub mod report;
pub mod run;
pub mod show;
pub mod simulate;
pub mod summary;
pub mod system;
