//! Measures the time that `score` takes for a batch on LocalStack, with a healthy, a throttling and
//! a hanging warehouse in one run, and counts its calls of the Data API: `make bench`.
//!
//! Writes target/bench/first_look.json. Compare the states with each other: LocalStack's S3 and
//! Kinesis take most of the time, and other machines take other times.

#![expect(
    clippy::indexing_slicing,
    clippy::unwrap_used,
    clippy::print_stdout,
    reason = "a benchmark"
)]

use std::collections::BTreeMap;
use std::time::Instant;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use e2e::deploy::{deployed, prepare};
use e2e::functions::{access_keys, invoke, logs};
use e2e::stand_in::{calls, set_faults};
use e2e::traffic::Traffic;
use harness::fixture::Limits;
use jiff::Timestamp;
use local::Local;
use look::system::System;
use serde_json::{Value, json};

/// The states in turn, several times, so that a slow moment of the machine hits all of them.
const ROUNDS: usize = 4;
const BATCHES: usize = 75;
/// Every tenth record is held.
const RECORDS: usize = 100;

fn main() {
    let folder = tempfile::tempdir().unwrap();
    let start = Instant::now();
    let say = |what: &str| eprintln!("{:>6.1?} {what}", start.elapsed());
    let local = deployed(folder.path(), &say);
    let runtime = tokio::runtime::Runtime::new().unwrap();
    runtime.block_on(async {
        let system = System::of_local(&local).await.unwrap();
        prepare(&system, Limits::DEFAULT).await;
    });
    let states = [
        ("healthy", json!({})),
        ("throttling", json!({ "throttle_share": 1.0 })),
        ("hanging", json!({ "hang_calls": true })),
    ];
    let mut of_score = 0;
    for round in 0..ROUNDS {
        for (state, (name, faults)) in states.iter().enumerate() {
            say(&format!("round {} of {ROUNDS}: {name}", round + 1));
            set_faults(&local, faults);
            for batch in 0..BATCHES {
                let number = round * BATCHES + batch;
                invoke(&local, "score", &event(state, number)).unwrap();
            }
            let keys = access_keys(&local, "score");
            let calls = calls(&local);
            of_score = keys.iter().filter_map(|key| calls.get(key)).sum();
        }
    }
    set_faults(&local, &json!({}));
    let times = times(&local);
    let mut summary = json!({ "data_api_calls_of_score": of_score, "records_per_batch": RECORDS });
    let p99 = |state: usize| percentile(&times[&shard(state)], 99);
    for (state, (name, _)) in states.iter().enumerate() {
        let times = &times[&shard(state)];
        assert!(times.len() >= ROUNDS * BATCHES, "{name}: {}", times.len());
        summary[name] = json!({
            "batches": times.len(),
            "p50_us": percentile(times, 50),
            "p99_us": p99(state),
            "p99_to_healthy": p99(state) as f64 / p99(0) as f64,
        });
        println!("{name:<10} {}", summary[name]);
    }
    println!("calls of the Data API by score: {of_score}");
    let folder = local::root().join("target/bench");
    std::fs::create_dir_all(&folder).unwrap();
    let file = folder.join("first_look.json");
    std::fs::write(file, serde_json::to_vec_pretty(&summary).unwrap()).unwrap();
    println!("written to target/bench/first_look.json");
    local.down().unwrap();
}

/// Each state has a shard of its own, which the log names.
fn shard(state: usize) -> String {
    format!("{:012}", 100 + state)
}

/// A batch as Lambda sends it.
fn event(state: usize, batch: usize) -> String {
    let shard = shard(state);
    let traffic = Traffic::usual(&format!("{state}-{batch}-"), RECORDS);
    let arrived_at = Timestamp::now().as_millisecond() as f64 / 1_000.0;
    let record = |(place, data): (usize, &[u8])| {
        let number = format!("{:056}", batch * RECORDS + place + 1);
        json!({
            "eventID": format!("shardId-{shard}:{number}"),
            "eventName": "aws:kinesis:record",
            "eventSource": "aws:kinesis",
            "eventVersion": "1.0",
            "awsRegion": "us-east-1",
            "eventSourceARN": "arn:aws:kinesis:us-east-1:000000000000:stream/transactions",
            "kinesis": {
                "kinesisSchemaVersion": "1.0",
                "partitionKey": "1",
                "sequenceNumber": number,
                "data": STANDARD.encode(data),
                "approximateArrivalTimestamp": arrived_at,
            },
        })
    };
    let data = traffic.records.iter().map(|record| record.data.as_slice());
    let records: Vec<Value> = data.enumerate().map(record).collect();
    json!({ "Records": records }).to_string()
}

/// The times of all batches by shard, in microseconds and ascending, from the log of `score`.
fn times(local: &Local) -> BTreeMap<String, Vec<u64>> {
    let mut times: BTreeMap<String, Vec<u64>> = BTreeMap::new();
    for (name, text) in logs(local) {
        let lines = text.lines().filter(|_| name.contains("score"));
        for line in lines.filter_map(|line| serde_json::from_str::<Value>(line).ok()) {
            if let (Some(shard), Some(time)) = (line["shard"].as_str(), line["total_us"].as_u64()) {
                times.entry(shard.to_owned()).or_default().push(time);
            }
        }
    }
    times.values_mut().for_each(|times| times.sort_unstable());
    times
}

/// The value at this percentile of ascending values.
fn percentile(values: &[u64], percent: usize) -> u64 {
    values[(values.len() - 1) * percent / 100]
}
