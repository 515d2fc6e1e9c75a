//! Shared code of tests: [`memory`] has in-memory adapters for the bucket, the stream and the
//! warehouse, which fail on demand. [`contract`] has the checks that these and the real adapters
//! must pass. [`holds`] has holds and their evidence. [`interleave`] runs two futures in a given
//! order of steps. [`processes`] also kills and stalls them. [`http`] is a service with scripted
//! answers. [`peers`] runs Python scripts.

#![expect(
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::panic,
    clippy::unwrap_used,
    reason = "this crate is used by tests alone"
)]

pub mod contract;
pub mod fixture;
pub mod holds;
pub mod http;
pub mod interleave;
pub mod memory;
pub mod peers;
pub mod processes;
