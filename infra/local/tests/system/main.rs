//! The local system with dummy functions that only log their events: it starts, deploys a stack,
//! listens only on the loopback interface, and leaves no process behind.

#![expect(
    clippy::indexing_slicing,
    clippy::unwrap_used,
    reason = "a test fails by panicking"
)]

mod deployed;
mod others;
mod processes;
mod scratch;
mod stop;
