//! Lanes and turns: how work reaches the warehouse, with processes that may die at any point.
//!
//! A *lane* is a queue of work and runs one statement at a time. A *turn* is one round of a lane: a
//! claim takes waiting entries, an attempt submits a statement for them, and the end does the
//! lane's own work, deletes the entries, writes the mark and looks for the next turn. Every step
//! may be repeated, and may come late. Conditional writes of S3 objects are the only lock.

mod error;
mod failure;
mod hours;
mod lane;
mod ordinals;
mod plan;
mod select;
mod turn;
mod turns;
mod waiting;

pub use error::Error;
pub use failure::Failure;
pub use hours::{HourRange, HourRanges, MAX_RANGES};
pub use lane::Lane;
pub use ordinals::{
    BatchHolds, BatchPart, HoldRange, batch_holds, evidence_entries, hold_range, read_claim, split,
};
pub use select::{Limits, Selection};
pub use turn::{
    Attempt, Claim, ClaimedEntry, Ended, OnBadRows, Plan, PlannedStatement, TurnId, TurnNumber,
};
pub use turns::{
    Completed, Load, Progress, Settings, SettingsError, Sql, Started, Starter, Turns, Work,
};
pub use waiting::{BatchEntry, EvidenceEntry, FileEntry, SliceEntry, VersionHolds, WaitingEntry};
