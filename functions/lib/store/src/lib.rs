//! Two small traits, [`Objects`] (a bucket) and [`Stream`] (a Kinesis stream), and their real
//! adapters. They handle keys and bytes only: the crate `decision` defines the keys.
//!
//! `tests/harness` has the in-memory adapters, and the contract suites that the real and the
//! in-memory adapters must pass.

mod error;
mod gzip;
mod objects;
mod s3;
mod stream;

pub use error::Error;
pub use gzip::{gunzip, gunzip_lines, gunzip_reader, gzip};
pub use objects::{ObjectInfo, Objects, PutNew, Replace};
pub use s3::S3;
pub use stream::{KinesisStream, Stream, StreamRecord};
