//! A bucket, and a warehouse that remembers what was loaded into which table.

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

/// Everything that loads are made with, in memory.
pub(crate) struct World {
    pub(crate) faults: Faults,
    pub(crate) objects: Arc<Objects>,
    pub(crate) warehouse: Warehouse,
    pub(crate) settings: Settings,
    loaded: Arc<Mutex<Vec<String>>>,
}

impl World {
    /// A COPY of a manifest with a URL that contains one of `bad` fails.
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

    /// That nothing waits, nothing is under way, and nothing is left lying about.
    pub(crate) fn assert_quiet(&self, table: WarehouseTable) {
        assert_eq!(
            self.objects.keys(&ledger::waiting_prefix(table)),
            [""; 0],
            "lists wait"
        );
        assert_eq!(
            self.objects.keys(keys::PENDING),
            [""; 0],
            "loads are under way"
        );
        assert_eq!(
            self.objects.keys("manifests/failed/"),
            [""; 0],
            "lists have failed"
        );
    }
}

/// What COPY does: all objects of its manifest or none.
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
    // The invariant that all hangs on: when a load begins, the one before it has ended.
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
        "a load begins out of turn"
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

/// What stands for the bundle's SQL here: all that the twin's COPY must know.
pub(crate) fn load_sql(table: WarehouseTable, manifest: &str) -> Vec<String> {
    vec![
        format!("COPY {} FROM '{manifest}'", table.name()),
        "MERGE".to_owned(),
    ]
}
