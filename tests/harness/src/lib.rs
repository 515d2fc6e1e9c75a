//! What tests stand on: [`memory`] has in-memory twins of the bucket, the stream and the warehouse
//! that fail on demand; [`contract`] has the checks that twins and real ones
//! must pass alike; [`http`] is a service that answers as a script says.

#![expect(
    clippy::panic,
    clippy::unwrap_used,
    reason = "this crate is used by tests alone"
)]

pub mod contract;
pub mod fixture;
pub mod http;
pub mod memory;
