//! Two small traits, [`Objects`] (a bucket) and [`Stream`] (a Kinesis stream), and their real
//! adapters. Keys and bytes only: the names of the keys are in the crate `decision`.
//!
//! The in-memory adapters, and the contract suites that both kinds must pass, are in tests/harness.

mod error;
mod gzip;
mod objects;
mod s3;
mod stream;

pub use error::Error;
pub use gzip::{gunzip, gzip};
pub use objects::{ObjectInfo, Objects, PutNew};
pub use s3::S3;
pub use stream::{KinesisStream, Stream, StreamRecord};
