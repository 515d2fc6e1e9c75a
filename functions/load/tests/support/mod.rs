//! In-memory adapters for loads. The warehouse records the objects that were loaded.

#![allow(
    dead_code,
    clippy::allow_attributes,
    reason = "each test uses a part of it"
)]

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex};

use decision::keys;
use harness::memory::{Answer, Faults, Objects, Warehouse};
use jiff::{SignedDuration, Timestamp};
use load::ledger::{self, Generation, Manifest};
use load::{Loader, NewObject, Settings, WarehouseTable};

pub(crate) const BUCKET: &str = "second-look-bucket";
pub(crate) const PREFIX: &str = "second-look";

pub(crate) fn at(seconds: i64) -> Timestamp {
    "2026-11-24T01:14:00Z".parse::<Timestamp>().unwrap() + SignedDuration::from_secs(seconds)
}

pub(crate) struct World {
    pub(crate) faults: Faults,
    pub(crate) objects: Arc<Objects>,
    pub(crate) warehouse: Warehouse,
    pub(crate) settings: Settings,
    loaded: Arc<Mutex<Vec<String>>>,
}

impl World {
    /// A COPY fails if a URL of its manifest contains one of `bad`.
    pub(crate) fn new(bad: &'static [&'static str]) -> Self {
        let faults = Faults::none();
        let objects = Arc::new(Objects::with(&faults));
        let loaded = Arc::new(Mutex::new(Vec::new()));
        let warehouse = Warehouse::with(&faults).answering({
            let (objects, loaded) = (Arc::clone(&objects), Arc::clone(&loaded));
            move |sql, _| copy(&objects, sql, bad, &loaded)
        });
        let settings = Settings {
            bucket: BUCKET.into(),
            statement_prefix: PREFIX.into(),
            max_attempts: 3,
        };
        Self {
            faults,
            objects,
            warehouse,
            settings,
            loaded,
        }
    }

    pub(crate) fn loader(&self) -> Loader<'_, Objects, Warehouse> {
        Loader {
            objects: &self.objects,
            warehouse: &self.warehouse,
            sql: &load_sql,
            settings: &self.settings,
        }
    }

    /// How often each object was loaded.
    pub(crate) fn loaded(&self) -> BTreeMap<String, usize> {
        let mut loaded = BTreeMap::new();
        for url in self.loaded.lock().unwrap().iter() {
            *loaded
                .entry(
                    url.strip_prefix("s3://second-look-bucket/")
                        .unwrap()
                        .to_owned(),
                )
                .or_default() += 1;
        }
        loaded
    }

    /// Asserts that no list waits, no load is running and no list has failed.
    pub(crate) fn assert_quiet(&self, table: WarehouseTable) {
        assert_eq!(
            self.objects.keys(&ledger::waiting_prefix(table)),
            [""; 0],
            "lists wait"
        );
        assert_eq!(
            self.objects.keys(keys::PENDING),
            [""; 0],
            "loads are running"
        );
        assert_eq!(
            self.objects.keys("manifests/failed/"),
            [""; 0],
            "lists have failed"
        );
    }
}

/// Loads all objects of the manifest, or none.
fn copy(objects: &Objects, sql: &str, bad: &[&str], loaded: &Mutex<Vec<String>>) -> Answer {
    let Some((_, manifest)) = sql.split_once(&format!("s3://{BUCKET}/manifests/loading/")) else {
        return Ok(vec![]);
    };
    let key = format!("manifests/loading/{}", manifest.split('\'').next().unwrap());
    let (table, generation) = key["manifests/loading/".len()..]
        .strip_suffix(".json")
        .unwrap()
        .split_once('/')
        .unwrap();
    // INVARIANT: when a load starts, the previous one has ended.
    let table = WarehouseTable::of_name(table).unwrap();
    let ended = objects.keys(&ledger::ended_prefix(table));
    let ended = ended
        .iter()
        .filter_map(|key| ledger::parse_ended(key))
        .max()
        .unwrap_or(Generation(0));
    assert_eq!(
        ended.next(),
        Generation(generation.parse().unwrap()),
        "a load starts before the previous one has ended"
    );
    let manifest: Manifest = serde_json::from_slice(&objects.bytes(&key).unwrap()).unwrap();
    let urls: Vec<String> = manifest
        .entries
        .into_iter()
        .map(|entry| entry.url)
        .collect();
    if urls
        .iter()
        .any(|url| bad.iter().any(|bad| url.contains(bad)))
    {
        return Err("the object is not readable".to_owned());
    }
    loaded.lock().unwrap().extend(urls);
    Ok(vec![])
}

pub(crate) fn object(key: &str) -> NewObject {
    NewObject {
        bucket: BUCKET.to_owned(),
        key: key.to_owned(),
        version: "1".to_owned(),
    }
}

/// The part of the bundle's SQL that the in-memory COPY needs.
pub(crate) fn load_sql(table: WarehouseTable, manifest: &str) -> Vec<String> {
    vec![
        format!("COPY {} FROM '{manifest}'", table.name()),
        "MERGE".to_owned(),
    ]
}
