//! The bucket: objects in memory, with S3's latencies, pages and notifications.

use std::collections::{BTreeMap, HashMap};
use std::ops::Bound;
use std::sync::{Arc, Mutex};

use decision::keys::{LEDGER, OUTCOME_SLICES, OUTCOMES, TRANSACTIONS};
use jiff::Timestamp;
use serde::de::DeserializeOwned;
use store::{Error, ObjectInfo, Objects, PutNew, Replace};
use tokio::sync::mpsc::UnboundedSender;
use tokio::time::sleep;
use turns::WaitingEntry;

use crate::clock::Clock;
use crate::latency::Latencies;

/// The most keys of one listing, and of one deletion.
const PAGE: usize = 1_000;

/// The requests that were made, by price.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Requests {
    /// PUT and LIST cost the same.
    pub(crate) puts: u64,
    pub(crate) lists: u64,
    pub(crate) gets: u64,
    /// Free of charge.
    pub(crate) deletes: u64,
}

impl Requests {
    pub(crate) const fn all(self) -> u64 {
        self.puts + self.lists + self.gets + self.deletes
    }
}

#[derive(Clone, Debug)]
pub(crate) struct Bucket(Arc<Inner>);

#[derive(Debug)]
struct Inner {
    clock: Clock,
    latencies: Latencies,
    state: Mutex<State>,
    /// The keys of objects that S3 notifies of.
    notifications: UnboundedSender<String>,
}

#[derive(Debug, Default)]
struct State {
    /// Everything but outcomes, batches and slices.
    objects: BTreeMap<String, Stored>,
    /// The outcomes of holds that are still in the ledger: no process asks for the others again.
    outcomes: HashMap<String, Vec<u8>>,
    requests: Requests,
    /// Writes under `waiting/` in the running second, and in the busiest one.
    waiting: PeakRate,
}

#[derive(Debug)]
struct Stored {
    bytes: Vec<u8>,
    modified: Timestamp,
}

#[derive(Clone, Copy, Debug, Default)]
struct PeakRate {
    second: u64,
    count: u64,
    peak: u64,
}

impl PeakRate {
    fn count(&mut self, second: u64) {
        if self.second != second {
            self.second = second;
            self.count = 0;
        }
        self.count += 1;
        self.peak = self.peak.max(self.count);
    }
}

impl State {
    fn write(&mut self, key: &str, bytes: Vec<u8>, clock: Clock) {
        // The warehouse knows from the entries how many rows these have.
        if key.starts_with(TRANSACTIONS) || key.starts_with(OUTCOME_SLICES) {
            return;
        }
        if key.starts_with("waiting/") {
            self.waiting.count(clock.elapsed().as_secs());
        }
        if key.starts_with(OUTCOMES) {
            self.outcomes.insert(key.to_owned(), bytes);
            return;
        }
        let modified = clock.now();
        let stored = Stored { bytes, modified };
        self.objects.insert(key.to_owned(), stored);
    }

    fn read(&self, key: &str) -> Option<&Vec<u8>> {
        let outcome = || self.outcomes.get(key);
        let object = self.objects.get(key).map(|stored| &stored.bytes);
        object.or_else(outcome)
    }

    fn delete(&mut self, key: &str) {
        let removed = self.objects.remove(key);
        if let Some(ledger) = removed.filter(|_| key.starts_with(LEDGER)) {
            for outcome in outcomes_of(&ledger.bytes) {
                self.outcomes.remove(&outcome);
            }
        }
    }

    fn page(&self, prefix: &str, after: &str, most: usize) -> Vec<ObjectInfo> {
        let first = match after < prefix {
            true => Bound::Included(prefix),
            false => Bound::Excluded(after),
        };
        let from = self.objects.range::<str, _>((first, Bound::Unbounded));
        let matching = from.take_while(|(key, _)| key.starts_with(prefix));
        let info = |(key, stored): (&String, &Stored)| ObjectInfo {
            key: key.clone(),
            modified: stored.modified,
            bytes: stored.bytes.len() as u64,
        };
        matching.take(most).map(info).collect()
    }
}

/// The keys of the outcomes of a ledger object.
fn outcomes_of(ledger: &[u8]) -> Vec<String> {
    const FIELD: &str = "\"identity\":\"";
    let text = std::str::from_utf8(ledger).unwrap();
    let identities = text.split(FIELD).skip(1).map(|rest| &rest[..32]);
    let key = |digits: &str| format!("{OUTCOMES}{}/{digits}.json", &digits[..2]);
    identities.map(key).collect()
}

impl Bucket {
    pub(crate) fn new(
        clock: Clock,
        latencies: Latencies,
        notifications: UnboundedSender<String>,
    ) -> Self {
        Self(Arc::new(Inner {
            clock,
            latencies,
            state: Mutex::default(),
            notifications,
        }))
    }

    pub(crate) fn requests(&self) -> Requests {
        self.0.state.lock().unwrap().requests
    }

    /// The most writes under `waiting/` in a second.
    pub(crate) fn waiting_peak(&self) -> u64 {
        self.0.state.lock().unwrap().waiting.peak
    }

    /// How many objects have this prefix.
    pub(crate) fn count(&self, prefix: &str) -> usize {
        let state = self.0.state.lock().unwrap();
        state.page(prefix, "", usize::MAX).len()
    }

    /// Reads an object of a turn, as the warehouse does: without a request.
    pub(crate) fn read<T: DeserializeOwned>(&self, key: &str) -> T {
        let state = self.0.state.lock().unwrap();
        serde_json::from_slice(state.read(key).unwrap()).unwrap()
    }

    /// One request: it takes its time, then has its effect.
    async fn request<T>(&self, what: impl FnOnce(&mut State, Clock) -> T) -> T {
        sleep(self.0.latencies.request.draw()).await;
        what(&mut self.0.state.lock().unwrap(), self.0.clock)
    }

    fn notify(&self, key: &str) {
        if WaitingEntry::parse(key).is_some_and(|entry| entry.is_held()) {
            // Nobody listens at the end of a scenario.
            let _ = self.0.notifications.send(key.to_owned());
        }
    }
}

impl Objects for Bucket {
    async fn get(&self, key: &str) -> Result<Option<Vec<u8>>, Error> {
        let read = |state: &mut State, _| {
            state.requests.gets += 1;
            state.read(key).cloned()
        };
        Ok(self.request(read).await)
    }

    async fn put(&self, key: &str, bytes: Vec<u8>) -> Result<(), Error> {
        let write = |state: &mut State, clock| {
            state.requests.puts += 1;
            state.write(key, bytes, clock);
        };
        self.request(write).await;
        self.notify(key);
        Ok(())
    }

    async fn put_new(&self, key: &str, bytes: Vec<u8>) -> Result<PutNew, Error> {
        let write = |state: &mut State, clock| {
            state.requests.puts += 1;
            let Some(existing) = state.read(key).cloned() else {
                state.write(key, bytes, clock);
                return PutNew::Written;
            };
            // The adapter reads the object that is there.
            state.requests.gets += 1;
            match existing == bytes {
                true => PutNew::Written,
                false => PutNew::Exists(existing),
            }
        };
        Ok(self.request(write).await)
    }

    async fn replace(&self, _: &str, _: &[u8], _: Vec<u8>) -> Result<Replace, Error> {
        unreachable!("only train replaces objects")
    }

    async fn copy(&self, from: &str, to: &str) -> Result<bool, Error> {
        let copy = |state: &mut State, clock| {
            state.requests.puts += 1;
            let bytes = state.read(from).cloned();
            let is_there = bytes.is_some();
            if let Some(bytes) = bytes {
                state.write(to, bytes, clock);
            }
            is_there
        };
        Ok(self.request(copy).await)
    }

    async fn delete(&self, key: &str) -> Result<(), Error> {
        self.delete_many(&[key.to_owned()]).await
    }

    async fn list(&self, prefix: &str) -> Result<Vec<ObjectInfo>, Error> {
        self.list_after(prefix, "", usize::MAX).await
    }

    async fn list_after(
        &self,
        prefix: &str,
        after: &str,
        most: usize,
    ) -> Result<Vec<ObjectInfo>, Error> {
        let mut listed: Vec<ObjectInfo> = Vec::new();
        loop {
            let after = listed.last().map_or(after, |last| &last.key);
            let left = (most - listed.len()).min(PAGE);
            let list = |state: &mut State, _| {
                state.requests.lists += 1;
                state.page(prefix, after, left)
            };
            let page = self.request(list).await;
            let is_last = page.len() < PAGE;
            listed.extend(page);
            if is_last || listed.len() == most {
                return Ok(listed);
            }
        }
    }

    async fn delete_many(&self, keys: &[String]) -> Result<(), Error> {
        for keys in keys.chunks(PAGE) {
            let delete = |state: &mut State, _| {
                state.requests.deletes += 1;
                keys.iter().for_each(|key| state.delete(key));
            };
            self.request(delete).await;
        }
        Ok(())
    }
}
