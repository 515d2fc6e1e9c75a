//! What the tests of deployed systems share: [`deploy`] starts a system, [`traffic`] makes its
//! records, [`published`] reads its decisions, [`stand_in`] and [`functions`] break its parts, and
//! [`wait`] waits for a condition.

#![expect(
    clippy::indexing_slicing,
    clippy::unwrap_used,
    reason = "this crate is used by tests alone"
)]

pub mod deploy;
pub mod functions;
mod http;
pub mod published;
pub mod stand_in;
pub mod traffic;
pub mod wait;
