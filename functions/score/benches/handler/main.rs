//! Measures the handler's throughput and its cold start: `make bench`.
//!
//! Writes target/bench/summary.json. Uses one thread and reports the best of several rounds,
//! because disturbances only make a round slower.

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
use harness::memory::{Faults, Objects, Stream};
use jiff::Timestamp;
use score::{DecidedBatch, Handler, Judged, Publish, Records, open_records, read_transactions};
use scoring::{Forest, Matrix, Node, Split, Tree};
use serde_json::{Value, json};
use startup::Bundles;

const BATCHES: [usize; 3] = [100, 1_000, 10_000];
/// Every 50th transaction has a high amount and is held.
const HOLD_EVERY: usize = 50;
const ROUNDS: u32 = 15;
/// A larger model than training builds from the shipped definition.
const TREES: usize = 300;
const DEPTH: usize = 4;
const FEATURES: usize = 12;
/// Distinct customers in the event. Each has a profile.
const CUSTOMERS: usize = 5_000;

fn main() {
    let mut summary =
        json!({ "machine": { "cores": std::thread::available_parallelism().unwrap().get() } });
    for size in BATCHES {
        let event = event(size);
        for (name, publish) in [
            ("handler", Publish::HoldsOnly),
            ("handler_with_approvals", Publish::AllDecisions),
        ] {
            let ns = handler(&event, size, publish);
            let per_second = 1e9 / ns;
            println!(
                "{name:<24} {size:>6} transactions per batch: \
                 {per_second:>9.0} per second and core, {ns:.0} ns each"
            );
            summary[name][size.to_string()] = json!({
                "transactions_per_second_and_core": per_second.round(),
                "ns_per_transaction": ns.round(),
                "event_bytes": event.len(),
            });
        }
    }
    let parts = parts(&event(1_000));
    println!("ns per transaction of each part (batches of 1000): {parts}");
    summary["ns_per_transaction"] = parts;
    summary["peak_memory_mb"] = json!(kilobytes("self", "VmHWM") / 1024);
    match cold::start(Path::new(env!("CARGO_BIN_EXE_score"))) {
        Ok(cold) => {
            println!("cold start: {cold}");
            summary["cold_start"] = cold;
        }
        Err(error) => panic!("can't measure the cold start: {error}"),
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

/// A Kinesis event as Lambda sends it, with one transaction of about 430 bytes in each record.
fn event(transactions: usize) -> Vec<u8> {
    let mut text = String::from("{\"Records\":[");
    for i in 0..transactions {
        let amount = if i % HOLD_EVERY == HOLD_EVERY - 1 {
            990.0
        } else {
            5.0 + (i % 90) as f64
        };
        let comma = if i == 0 { "" } else { "," };
        let data = STANDARD.encode(transaction(i, amount));
        write!(text, "{comma}{}", record(i, &data)).unwrap();
    }
    text.push_str("]}");
    text.into_bytes()
}

fn transaction(i: usize, amount: f64) -> String {
    let second = i % 60;
    let millisecond = i % 1_000;
    let customer = i * 7_919 % CUSTOMERS;
    let terminal = i * 104_729 % 10_000;
    let shop = i % 500;
    let host = i % 255;
    let session = i * 2_654_435_761;
    [
        format!(r#"{{"transaction_id":"T{i:09}","#),
        format!(r#""occurred_at":"2026-01-31T08:59:{second:02}.{millisecond:03}Z","#),
        format!(r#""amount":{amount:.2},"#),
        format!(r#""customer_id":"C{customer:06}","terminal_id":"S{terminal:05}","#),
        format!(r#""merchant":{{"name":"Corner shop {shop}","category":"5411","country":"DE"}},"#),
        r#""card":{"bin":"45717360","entry":"contactless","network":"visa"},"#.to_owned(),
        format!(r#""device":{{"ip":"203.0.113.{host}","agent":"pos/4.2","#),
        format!(r#""session":"{session:032x}"}},"#),
        r#""currency":"EUR","channel":"point_of_sale"}"#.to_owned(),
    ]
    .concat()
}

fn record(i: usize, data: &str) -> String {
    let number = format!("4959033827149025660855969253836157109592157{i:013}");
    let millisecond = i % 1_000;
    [
        r#"{"kinesis":{"kinesisSchemaVersion":"1.0","#.to_owned(),
        format!(r#""partitionKey":"C{i}","sequenceNumber":"{number}","data":"{data}","#),
        format!(r#""approximateArrivalTimestamp":1769850000.{millisecond:03}}},"#),
        r#""eventSource":"aws:kinesis","eventVersion":"1.0","#.to_owned(),
        format!(r#""eventID":"shardId-000000000006:{number}","eventName":"aws:kinesis:record","#),
        r#""invokeIdentityArn":"arn:aws:iam::123456789012:role/second-look-functions","#.to_owned(),
        r#""awsRegion":"us-east-1","eventSourceARN":"#.to_owned(),
        r#""arn:aws:kinesis:us-east-1:123456789012:stream/second-look-transactions"}"#.to_owned(),
    ]
    .concat()
}

fn now() -> Timestamp {
    "2026-01-31T09:00:05Z".parse().unwrap()
}

/// The time of the shortest round, in ns per transaction.
fn best<T>(transactions: usize, mut round: impl FnMut() -> T) -> f64 {
    let shortest = (0..ROUNDS).map(|_| {
        let started = Instant::now();
        black_box(round());
        started.elapsed()
    });
    shortest.min().unwrap_or(Duration::ZERO).as_nanos() as f64 / transactions as f64
}

/// From the event's bytes to decisions and the S3 object, with in-memory adapters.
fn handler(event: &[u8], transactions: usize, publish: Publish) -> f64 {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_time()
        .build()
        .unwrap();
    let bundles = std::cell::Cell::new(Some(Bundles::fixed(bundle())));
    best(transactions, || {
        // In-memory adapters keep all they get, so each round has new ones.
        let faults = Faults::none();
        let mut handler = Handler {
            bundles: bundles.take().unwrap(),
            objects: Objects::with(&faults),
            decisions: Stream::with(&faults),
            publish,
        };
        let records: Records = serde_json::from_slice(event).unwrap();
        let time_left = Duration::from_secs(60);
        let response = handler.handle(records, now(), time_left);
        let response = runtime.block_on(response).unwrap();
        assert!(response.batch_item_failures.is_empty());
        let expected = match publish {
            Publish::AllDecisions | Publish::EachDecision => transactions,
            Publish::HoldsOnly => transactions / HOLD_EVERY,
        };
        assert_eq!(decisions(&handler.decisions), expected);
        bundles.set(Some(handler.bundles));
    })
}

/// How many decisions were published: one a line.
fn decisions(stream: &Stream) -> usize {
    let records = stream.published();
    records.iter().map(|record| lines(&record.data)).sum()
}

#[expect(
    clippy::naive_bytecount,
    reason = "not worth a dependency, and much faster than a split"
)]
fn lines(data: &[u8]) -> usize {
    1 + data.iter().filter(|&&byte| byte == b'\n').count()
}

fn parts(event: &[u8]) -> Value {
    let bundle: Bundle = bundle();
    let records: Records = serde_json::from_slice(event).unwrap();
    let rows = records.len();
    let mut rejected = Vec::new();
    let frames = open_records(&records, &mut rejected);
    let all: Vec<u32> = (0..rows as u32).collect();
    let batch = read_transactions(bundle.schema(), &records, &frames, &all, &mut rejected);
    assert_eq!((batch.len(), rejected.len()), (rows, 0));
    let mut scratch = Scratch::default();
    assert!(rows <= CUSTOMERS);
    let event = best(rows, || {
        serde_json::from_slice::<Records>(event).unwrap().len()
    });
    let decode = best(rows, || {
        let mut rejected = Vec::new();
        let frames = open_records(&records, &mut rejected);
        read_transactions(bundle.schema(), &records, &frames, &all, &mut rejected).len()
    });
    let profiled = bundle_with_profiles();
    let features = best(rows, || {
        profiled.first_scores(&batch, &mut scratch).scores.len()
    });
    let forest = forest();
    let matrix = matrix(rows);
    let mut scores = Vec::new();
    let scoring = best(rows, || {
        forest.score(&matrix, &mut scores);
        scores.len()
    });
    let first = bundle.first_scores(&batch, &mut scratch);
    let encoding = best(rows, || {
        let mut decided = DecidedBatch {
            records: rows,
            ..DecidedBatch::default()
        };
        let judged = vec![Judged::new(&bundle, &batch, first)];
        decided.encode(&records, judged, Publish::HoldsOnly, now());
        decided.body.len()
    });
    json!({
        "event_to_records": event.round(),
        "records_to_columns": decode.round(),
        "two_features_and_one_tree": features.round(),
        "twelve_features_300_trees_of_depth_4": scoring.round(),
        "decisions_and_body": encoding.round(),
    })
}

/// A bundle with a first look of two features and one tree; one feature comes from the customer's
/// profile. Only the features take noticeable time.
fn bundle_with_profiles() -> Bundle {
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

/// Pseudo-random numbers: the processor must not be able to predict a tree's branches.
struct RandomNumbers(u64);

impl RandomNumbers {
    /// From 0 to 1.
    fn next(&mut self) -> f64 {
        self.0 = self
            .0
            .wrapping_mul(6_364_136_223_846_793_005)
            .wrapping_add(1_442_695_040_888_963_407);
        (self.0 >> 33) as f64 / f64::from(1_u32 << 31)
    }
}

/// Complete trees with distinct leaf values.
fn forest() -> Forest {
    let mut random = RandomNumbers(1);
    let inner = (1 << DEPTH) - 1;
    let mut node = |place: usize| {
        let feature = (random.next() * FEATURES as f64) as usize;
        let split = Split {
            feature,
            threshold: random.next(),
            below: 2 * place + 1,
            other: 2 * place + 2,
            missing_below: false,
        };
        Node {
            value: random.next() - 0.5,
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
    let mut random = RandomNumbers(2);
    let mut matrix = Matrix::new(FEATURES);
    (0..rows * FEATURES).for_each(|_| matrix.push(random.next()));
    matrix
}

/// One line of `/proc/<pid>/status`, in kB.
fn kilobytes(pid: &str, name: &str) -> u64 {
    let status = std::fs::read_to_string(format!("/proc/{pid}/status")).unwrap_or_default();
    let line = status
        .lines()
        .find_map(|line| line.strip_prefix(name)?.strip_prefix(':'));
    line.and_then(|line| line.split_whitespace().next()?.parse().ok())
        .unwrap_or_default()
}
