//! What a million transactions cost, at public list prices of us-east-1 in USD. Without Redshift,
//! storage, logs and data transfer.

use crate::bucket::Requests;
use crate::function::Function;

/// Lambda on arm64, for a gigabyte and second.
const GB_SECOND: f64 = 0.000_013_333_4;
const INVOCATION: f64 = 0.20e-6;
const S3_PUT_OR_LIST: f64 = 0.005e-3;
const S3_GET: f64 = 0.000_4e-3;
const SQS_REQUEST: f64 = 0.40e-6;
const SHARD_HOUR: f64 = 0.015;
const PUT_UNIT: f64 = 0.014e-6;

/// The quantities that AWS bills.
pub(crate) struct Usage<'u> {
    pub(crate) transactions: f64,
    pub(crate) functions: [&'u Function; 4],
    pub(crate) requests: Requests,
    /// S3 sends each; load receives and deletes up to ten at a time.
    pub(crate) wake_ups: u64,
    pub(crate) shard_hours: f64,
    pub(crate) put_units: u64,
}

impl Usage<'_> {
    pub(crate) fn usd_per_million(&self) -> f64 {
        let lambda: f64 = self
            .functions
            .iter()
            .map(|function| of_function(function))
            .sum();
        let writes = self.requests.puts + self.requests.lists;
        let s3 = writes as f64 * S3_PUT_OR_LIST + self.requests.gets as f64 * S3_GET;
        let sqs = self.wake_ups as f64 * 1.2 * SQS_REQUEST;
        let kinesis = self.shard_hours * SHARD_HOUR + self.put_units as f64 * PUT_UNIT;
        (lambda + s3 + sqs + kinesis) / self.transactions * 1e6
    }
}

fn of_function(function: &Function) -> f64 {
    let used = function.used();
    let gigabytes = f64::from(function.memory_mb) / 1_024.0;
    let time = used.time.as_secs_f64() * gigabytes * GB_SECOND;
    time + used.invocations as f64 * INVOCATION
}
