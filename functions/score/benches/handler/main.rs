//! How fast the hot path is, and how soon it begins: `make bench`.
//!
//! Writes target/bench/summary.json. One thread; the best of several rounds counts, since all that
//! can disturb a round makes it slower.

#![expect(
    clippy::indexing_slicing,
    clippy::panic,
    reason = "a test fails by panicking"
)]
#![expect(clippy::unwrap_used, clippy::print_stdout, reason = "a benchmark")]

mod cold;

use std::fmt::Write as _;
use std::hint::black_box;
use std::path::Path;
use std::time::{Duration, Instant};

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use bundle::{Bundle, Scratch};
use harness::fixture::{bundle, profiled};
use harness::memory::{Faults, Objects, Stream, Warehouse};
use jiff::Timestamp;
use score::{Context, Judged, Records, Settings, read, unwrap};
use scoring::{Forest, Matrix, Node, Split, Tree};
use serde_json::{Value, json};

const BATCHES: [usize; 3] = [100, 1_000, 10_000];
/// Every 50th transaction is dear and held.
const HOLD_EVERY: usize = 50;
const ROUNDS: u32 = 15;
/// A larger model than training makes of the shipped definition.
const TREES: usize = 300;
const DEPTH: usize = 4;
const FEATURES: usize = 12;
/// Customers in the event, each with a profile.
const CUSTOMERS: usize = 5_000;

fn main() {
    let mut summary =
        json!({ "machine": { "cores": std::thread::available_parallelism().unwrap().get() } });
    for size in BATCHES {
        let event = event(size);
        for publish_approvals in [false, true] {
            let name = if publish_approvals {
                "handler_with_approvals"
            } else {
                "handler"
            };
            let ns = handler(&event, size, publish_approvals);
            println!(
                "{name:<24} {size:>6} transactions a batch: {:>9.0} a second and core, {ns:.0} ns each",
                1e9 / ns
            );
            summary[name][size.to_string()] = json!({
                "transactions_per_second_and_core": (1e9 / ns).round(), "ns_per_transaction": ns.round(),
                "event_bytes": event.len(),
            });
        }
    }
    let parts = parts(&event(1_000));
    println!("parts, ns per transaction (batches of 1000): {parts}");
    summary["ns_per_transaction"] = parts;
    summary["peak_memory_mb"] = json!(kilobytes("self", "VmHWM") / 1024);
    match cold::start(Path::new(env!("CARGO_BIN_EXE_score"))) {
        Ok(cold) => {
            println!("cold start: {cold}");
            summary["cold_start"] = cold;
        }
        Err(why) => panic!("no cold start was measured: {why}"),
    }
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../target/bench");
    std::fs::create_dir_all(&folder).unwrap();
    std::fs::write(
        folder.join("summary.json"),
        serde_json::to_vec_pretty(&summary).unwrap(),
    )
    .unwrap();
    println!("written to target/bench/summary.json");
}

/// A Kinesis event of so many records of about 430 bytes, as the text that Lambda sends.
fn event(transactions: usize) -> Vec<u8> {
    let mut text = String::from("{\"Records\":[");
    for i in 0..transactions {
        let amount = if i % HOLD_EVERY == HOLD_EVERY - 1 {
            990.0
        } else {
            5.0 + (i % 90) as f64
        };
        let transaction = format!(
            r#"{{"transaction_id":"T{i:09}","occurred_at":"2026-01-31T08:59:{:02}.{:03}Z","amount":{amount:.2},"customer_id":"C{:06}","terminal_id":"S{:05}","merchant":{{"name":"Corner shop {}","category":"5411","country":"DE"}},"card":{{"bin":"45717360","entry":"contactless","network":"visa"}},"device":{{"ip":"203.0.113.{}","agent":"pos/4.2","session":"{:032x}"}},"currency":"EUR","channel":"point_of_sale"}}"#,
            i % 60,
            i % 1_000,
            i * 7_919 % CUSTOMERS,
            i * 104_729 % 10_000,
            i % 500,
            i % 255,
            i * 2_654_435_761
        );
        let number = format!("4959033827149025660855969253836157109592157{i:013}");
        let comma = if i == 0 { "" } else { "," };
        write!(
            text,
            r#"{comma}{{"kinesis":{{"kinesisSchemaVersion":"1.0","partitionKey":"C{i}","sequenceNumber":"{number}","data":"{}","approximateArrivalTimestamp":1769850000.{:03}}},"eventSource":"aws:kinesis","eventVersion":"1.0","eventID":"shardId-000000000006:{number}","eventName":"aws:kinesis:record","invokeIdentityArn":"arn:aws:iam::123456789012:role/second-look-functions","awsRegion":"us-east-1","eventSourceARN":"arn:aws:kinesis:us-east-1:123456789012:stream/second-look-transactions"}}"#,
            STANDARD.encode(transaction), i % 1_000
        )
        .unwrap();
    }
    text.push_str("]}");
    text.into_bytes()
}

fn now() -> Timestamp {
    "2026-01-31T09:00:05Z".parse().unwrap()
}

/// The shortest of several rounds, in ns per transaction.
fn best<T>(transactions: usize, mut round: impl FnMut() -> T) -> f64 {
    let shortest = (0..ROUNDS).map(|_| {
        let started = Instant::now();
        black_box(round());
        started.elapsed()
    });
    shortest.min().unwrap_or(Duration::ZERO).as_nanos() as f64 / transactions as f64
}

/// Event bytes in, decisions and S3 body out, adapters in memory.
fn handler(event: &[u8], transactions: usize, publish_approvals: bool) -> f64 {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_time()
        .build()
        .unwrap();
    let bundle = std::cell::Cell::new(Some(bundle()));
    best(transactions, || {
        // Adapters in memory keep all they are given: each round has new ones.
        let faults = Faults::none();
        let context = Context {
            bundle: bundle.take().unwrap(),
            objects: Objects::with(&faults),
            decisions: Stream::with(&faults),
            warehouse: Warehouse::with(&faults),
            settings: Settings {
                statement_prefix: "second-look".to_owned(),
                publish_approvals,
                patience: Duration::from_secs(5),
            },
        };
        let records: Records = serde_json::from_slice(event).unwrap();
        let response = runtime.block_on(context.handle(&records, now())).unwrap();
        assert!(response.batch_item_failures.is_empty());
        assert_eq!(
            context.decisions.published().len(),
            if publish_approvals {
                transactions
            } else {
                transactions / HOLD_EVERY
            }
        );
        bundle.set(Some(context.bundle));
    })
}

fn parts(event: &[u8]) -> Value {
    let bundle: Bundle = bundle();
    let records: Records = serde_json::from_slice(event).unwrap();
    let rows = records.len();
    let mut rejected = Vec::new();
    let frames = unwrap(&records, &mut rejected);
    let batch = read(bundle.schema(), &records, &frames, &mut rejected);
    assert_eq!((batch.len(), rejected.len()), (rows, 0));
    let mut scratch = Scratch::default();
    assert!(rows <= CUSTOMERS);
    let event = best(rows, || {
        serde_json::from_slice::<Records>(event).unwrap().len()
    });
    let decode = best(rows, || {
        let mut rejected = Vec::new();
        let frames = unwrap(&records, &mut rejected);
        read(bundle.schema(), &records, &frames, &mut rejected).len()
    });
    let replace_profiles = replace_profiles();
    let features = best(rows, || {
        replace_profiles
            .first_scores(&batch, &mut scratch)
            .scores
            .len()
    });
    let (forest, matrix) = (forest(), matrix(rows));
    let mut scores = Vec::new();
    let scoring = best(rows, || {
        forest.score(&matrix, &mut scores);
        scores.len()
    });
    let first = bundle.first_scores(&batch, &mut scratch);
    let encoding = best(rows, || {
        let mut judged = Judged::default();
        judged.decide(&bundle, &records, &batch, first, false, now());
        judged.body.len()
    });
    json!({
        "event_to_records": event.round(), "records_to_columns": decode.round(),
        "two_features_and_one_tree": features.round(), "twelve_features_300_trees_of_depth_4": scoring.round(),
        "decisions_and_body": encoding.round(),
    })
}

/// A first look of two features, one of them from its customer's profile, and one tree: all but the
/// features costs next to nothing.
fn replace_profiles() -> Bundle {
    let customers: Vec<String> = (0..CUSTOMERS)
        .map(|number| format!("C{number:06}"))
        .collect();
    let means: Vec<(&str, f64)> = customers
        .iter()
        .map(|customer| (customer.as_str(), 60.0))
        .collect();
    let midnight = "2026-01-31T00:00:00Z".parse().unwrap();
    Bundle::open(&profiled(midnight, Some(&means))).unwrap()
}

/// Numbers that follow no order: the branches of a tree must not be foreseeable.
struct Disorder(u64);

impl Disorder {
    /// From 0 to 1.
    fn next(&mut self) -> f64 {
        self.0 = self
            .0
            .wrapping_mul(6_364_136_223_846_793_005)
            .wrapping_add(1_442_695_040_888_963_407);
        (self.0 >> 33) as f64 / f64::from(1_u32 << 31)
    }
}

/// Full trees, each leaf another value.
fn forest() -> Forest {
    let mut disorder = Disorder(1);
    let inner = (1 << DEPTH) - 1;
    let mut node = |place: usize| {
        let feature = (disorder.next() * FEATURES as f64) as usize;
        let split = Split {
            feature,
            threshold: disorder.next(),
            below: 2 * place + 1,
            other: 2 * place + 2,
            missing_below: false,
        };
        Node {
            value: disorder.next() - 0.5,
            split: (place < inner).then_some(split),
        }
    };
    let trees: Vec<Tree> = (0..TREES)
        .map(|_| (0..=2 * inner).map(&mut node).collect())
        .collect();
    let forest = Forest::new(FEATURES, 0.0, &trees).unwrap();
    assert_eq!(
        (forest.trees(), forest.nodes()),
        (TREES, TREES * (2 * inner + 1))
    );
    forest
}

fn matrix(rows: usize) -> Matrix {
    let mut disorder = Disorder(2);
    let mut matrix = Matrix::new(FEATURES);
    (0..rows * FEATURES).for_each(|_| matrix.push(disorder.next()));
    matrix
}

/// A figure of `/proc/<pid>/status`.
fn kilobytes(pid: &str, name: &str) -> u64 {
    let status = std::fs::read_to_string(format!("/proc/{pid}/status")).unwrap_or_default();
    let line = status
        .lines()
        .find_map(|line| line.strip_prefix(name)?.strip_prefix(':'));
    line.and_then(|line| line.split_whitespace().next()?.parse().ok())
        .unwrap_or_default()
}
