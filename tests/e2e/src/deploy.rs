//! Systems with a small bundle of the harness.

use std::collections::BTreeMap;
use std::path::Path;

use bundle::{Bundle, Pointer};
use harness::fixture::{self, Limits};
use jiff::{SignedDuration, Timestamp};
use local::{Local, Options, Parameters};
use look::history;
use look::init::init;
use look::system::System;
use store::Objects as _;

use crate::traffic;
use crate::wait::eventually;

/// The name of the bundle.
const NAME: &str = "small";
/// The parameter `ActivationLeadSeconds` of the systems.
const LEAD: SignedDuration = SignedDuration::from_secs(2);

/// Starts a system without a bundle, with batches of at most 100 records from two shards.
pub fn deployed(folder: &Path, say: &impl Fn(&str)) -> Local {
    let mut local = Local::up(&Options::new(folder.join("state")), |step| {
        say(&step.to_string());
    })
    .unwrap();
    let parameters = Parameters::default()
        .with("BundleName", NAME)
        .with("ActivationLeadSeconds", LEAD.as_secs())
        .with("StreamBatchSize", 100)
        .with("StreamShards", 2)
        .with("TurnGraceSeconds", 5);
    local
        .deploy_with(&parameters, |step| say(&step.to_string()))
        .unwrap();
    local
}

/// Uploads a bundle, and a history with the usual amounts of the customers.
pub async fn prepare(system: &System, limits: Limits) {
    let definition = init(system, &fixture::definition(limits)).await.unwrap();
    let version = upload(system, &fixture::files_with(limits)).await;
    let pointer = Pointer::first(&version, Timestamp::now());
    let pointer = pointer.to_bytes().unwrap();
    let key = bundle::keys::pointer(NAME);
    system.objects.put(&key, pointer).await.unwrap();
    let rows = traffic::history(Timestamp::now());
    history::transactions(system, &definition, &rows)
        .await
        .unwrap();
    eventually("the history is in the warehouse", 180, async || {
        let count = system
            .count("SELECT COUNT(*) FROM transactions")
            .await
            .unwrap();
        if count == rows.len() as u64 {
            Ok(())
        } else {
            Err(format!("{count} of {}", rows.len()))
        }
    })
    .await;
}

/// Uploads a bundle and lets it judge the records that arrive from the returned time on.
pub async fn promote(system: &System, limits: Limits) -> Timestamp {
    let version = upload(system, &fixture::files_with(limits)).await;
    let key = bundle::keys::pointer(NAME);
    let bytes = system.objects.get(&key).await.unwrap().unwrap();
    let now = Timestamp::now();
    let active_from = now + LEAD;
    let lead = LEAD.unsigned_abs();
    let pointer = Pointer::parse(&bytes).unwrap();
    let pointer = pointer.activate(&version, active_from, now, lead).unwrap();
    let pointer = pointer.to_bytes().unwrap();
    system.objects.put(&key, pointer).await.unwrap();
    active_from
}

/// Writes the files of a bundle. Returns its version.
async fn upload(system: &System, files: &BTreeMap<String, Vec<u8>>) -> String {
    let version = Bundle::open(files).unwrap().version().to_owned();
    for (name, bytes) in files {
        let key = bundle::keys::file(NAME, &version, name);
        system.objects.put(&key, bytes.clone()).await.unwrap();
    }
    version
}
