//! The service as its clients know it: the AWS SDK for Rust, boto3 and the AWS CLI.

#![expect(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    reason = "a test fails by panicking, and says where it is"
)]

mod clients;
mod copies;
mod faults;
mod objects;
mod product_sql;
mod quotas;
mod redshift_values;
mod refusals;
mod results;
mod service;
mod statements;
mod submissions;
