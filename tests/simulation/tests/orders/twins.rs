//! The twins keep the contract of the real adapters.

use std::sync::Arc;

use harness::contract;
use harness::interleave::finish;
use jiff::Timestamp;
use simulation::{Bucket, DecisionStream, Gate};

#[test]
fn the_bucket_keeps_the_contract() {
    let bucket = Bucket::new(&Arc::new(Gate::open()));
    bucket.set_time(Timestamp::now());
    finish(contract::objects(&bucket));
}

#[test]
fn the_stream_keeps_the_contract() {
    let stream = DecisionStream::new(&Arc::new(Gate::open()));
    let sent = finish(contract::decisions(&stream));
    assert_eq!(stream.published(), sent);
}
