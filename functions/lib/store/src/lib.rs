//! Where decisions, transactions and outcomes go: objects in one S3 bucket, records on one Kinesis
//! stream. Two small traits, the real adapters, and every key's name in one place.
//!
//! The in-memory twins and the contract suites that both must pass are in tests/harness.

mod error;
mod gzip;
mod objects;
mod pause;
mod stream;

pub use error::Error;
pub use gzip::{gunzip, gzip};
pub use objects::{ObjectInfo, Objects, PutNew, S3};
pub use stream::{KinesisStream, Stream, StreamRecord};
