//! What training refuses, and what profiles wait for.

use std::time::Duration;

use harness::fixture::DEFINITION;
use harness::memory;
use jiff::Timestamp;
use store::Objects as _;
use train::{Answer, Handler, HandlerError, TooManyRows, TrainEvent};
use turns::{BatchEntry, HourRanges, WaitingEntry};

use super::unloaded::{csv, lines};
use super::{PROFILES_HEADER, Unloading, counting, handler, profiled_bucket};

/// For what must happen.
const DEADLINE: Duration = Duration::from_secs(60);

#[tokio::test]
async fn a_training_set_that_would_not_fit_is_refused_before_it_is_unloaded() {
    let objects = memory::Objects::new();
    let definition = DEFINITION.as_bytes().to_vec();
    objects.set("bundles/small/bundle.toml", definition);
    let warehouse = Unloading {
        objects: &objects,
        inner: counting(),
        parts: vec![csv(&lines(1_000))],
        profiles: format!("{PROFILES_HEADER}\n"),
    };
    let event: TrainEvent =
        serde_json::from_str(include_str!("../../../../events/train/as_of.json")).unwrap();
    let handle = async |memory_bytes| {
        let handler = Handler {
            memory_bytes,
            ..handler(&objects, &warehouse)
        };
        handler.handle(&event, Timestamp::now()).await
    };
    let base = 200 << 20;
    let refused = handle(base + 300_000).await.unwrap_err();
    let HandlerError::TooManyRows(TooManyRows {
        found,
        frauds: 50,
        fit,
        ..
    }) = refused
    else {
        panic!("{refused}")
    };
    assert!(found == 1_000 && (300..1_000).contains(&fit), "{fit}");
    let share = 0.5 * (fit - 50) as f64 / 950.0;
    let share = (share * 100.0).floor() / 100.0;
    assert_eq!(
        refused.to_string(),
        format!(
            "the training set has 1000 rows (50 of them frauds), but {fit} rows fit the function's \
             memory: lower training.negatives to {share}, shorten training.span, or give the \
             function more memory (TrainMemoryMB)"
        )
    );
    let refused = handle(base + 10_000).await.unwrap_err().to_string();
    assert!(
        refused.contains("memory: shorten training.span, or give"),
        "no share of the good transactions would fit: {refused}"
    );
    assert_eq!(objects.keys("training/"), [""; 0], "nothing was unloaded");
    handle(base + 10_000_000).await.unwrap();
}

/// A batch that arrived at this time and waits to be loaded.
fn waiting(arrived_at: &str) -> String {
    let entry = WaitingEntry::Batch(BatchEntry {
        arrived_at: arrived_at.parse().unwrap(),
        shard: "000000000000".to_owned(),
        first: "1".to_owned(),
        last: "9".to_owned(),
        bytes: 1_000,
        held: Vec::new(),
        due: None,
        hours: HourRanges::default(),
    });
    entry.key()
}

#[tokio::test]
async fn profiles_are_not_updated_before_all_batches_up_to_the_cut_off_are_loaded() {
    let faults = memory::Faults::none();
    let objects = memory::Objects::with(&faults);
    let (parts, profiles) = profiled_bucket(&objects).await;
    let warehouse = Unloading {
        objects: &objects,
        inner: counting(),
        parts,
        profiles,
    };
    let now = "2026-01-20T01:00:00Z".parse::<Timestamp>().unwrap();
    let event: TrainEvent =
        serde_json::from_str(include_str!("../../../../events/train/as_of.json")).unwrap();
    let handler = handler(&objects, &warehouse);
    handler.handle(&event, now).await.unwrap();

    let refresh: TrainEvent =
        serde_json::from_str(include_str!("../../../../events/train/profiles.json")).unwrap();
    let [first, second, later] = [
        "2026-01-19T23:50:00Z",
        "2026-01-20T00:00:00Z",
        "2026-01-20T00:00:01Z",
    ]
    .map(waiting);
    for key in [&first, &second, &later] {
        objects.set(key, "");
    }
    let before = warehouse.inner.submitted().len();
    let error = handler.handle(&refresh, now).await.unwrap_err();
    assert_eq!(
        error.to_string(),
        "profiles as of 2026-01-20T00:00:00Z would be incomplete: 2 batches that arrived up to \
         then are not loaded, the oldest is 4200 s old"
    );
    assert_eq!(warehouse.inner.submitted().len(), before);

    // The profiles are updated when the batches are loaded in time.
    let patient = Handler {
        loads_patience: Duration::from_secs(20),
        ..handler
    };
    let lists = || {
        let calls = faults.calls();
        calls
            .iter()
            .filter(|call| call.starts_with("list "))
            .count()
    };
    let before = lists();
    let load = async {
        while lists() == before {
            tokio::task::yield_now().await;
        }
        objects.delete(&first).await.unwrap();
        tokio::task::yield_now().await;
        objects.delete(&second).await.unwrap();
    };
    let both = async { tokio::join!(patient.handle(&refresh, now), load) };
    let (updated, ()) = tokio::time::timeout(DEADLINE, both).await.unwrap();
    assert!(matches!(updated.unwrap(), Answer::Profiles(_)));
}

#[tokio::test]
async fn a_damaged_file_is_named() {
    let objects = memory::Objects::new();
    objects.set("bundles/small/bundle.toml", DEFINITION.as_bytes());
    let mut damaged = csv(&lines(100));
    damaged.push_str("not a row\n");
    let warehouse = Unloading {
        objects: &objects,
        inner: counting(),
        parts: vec![csv(&lines(1_000)), damaged],
        profiles: format!("{PROFILES_HEADER}\n"),
    };
    let event: TrainEvent =
        serde_json::from_str(include_str!("../../../../events/train/as_of.json")).unwrap();
    let handler = handler(&objects, &warehouse);
    let error = handler.handle(&event, Timestamp::now()).await.unwrap_err();
    let HandlerError::File { key, .. } = &error else {
        panic!("{error}")
    };
    assert!(key.ends_with("/set/part-0001.gz"), "{key}");
}
