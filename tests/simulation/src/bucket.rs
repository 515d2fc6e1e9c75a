//! A bucket that records its changes.

use std::collections::BTreeMap;
use std::mem::take;
use std::ops::Bound;
use std::sync::{Arc, Mutex};

use jiff::Timestamp;
use store::{Error, ObjectInfo, Objects, PutNew, Replace};

use crate::Gate;

/// A bucket in memory.
#[derive(Debug)]
pub struct Bucket {
    gate: Arc<Gate>,
    state: Mutex<State>,
}

#[derive(Debug, Default)]
struct State {
    objects: BTreeMap<String, Object>,
    now: Timestamp,
    changes: Vec<Change>,
}

#[derive(Debug)]
struct Object {
    bytes: Vec<u8>,
    modified: Timestamp,
}

/// What happened to an object, by its key.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Change {
    Written(String),
    Deleted(String),
}

impl State {
    fn write(&mut self, key: &str, bytes: Vec<u8>) {
        let modified = self.now;
        self.objects
            .insert(key.to_owned(), Object { bytes, modified });
        self.changes.push(Change::Written(key.to_owned()));
    }

    fn delete(&mut self, key: &str) {
        if self.objects.remove(key).is_some() {
            self.changes.push(Change::Deleted(key.to_owned()));
        }
    }

    fn write_new(&mut self, key: &str, bytes: Vec<u8>) -> PutNew {
        match self.objects.get(key) {
            Some(there) if there.bytes != bytes => PutNew::Exists(there.bytes.clone()),
            Some(_) => PutNew::Written,
            None => {
                self.write(key, bytes);
                PutNew::Written
            }
        }
    }

    fn replace(&mut self, key: &str, expected: &[u8], bytes: Vec<u8>) -> Replace {
        match self.objects.get(key) {
            None => Replace::Changed(None),
            Some(there) if there.bytes == bytes => Replace::Written,
            Some(there) if there.bytes == expected => {
                self.write(key, bytes);
                Replace::Written
            }
            Some(there) => Replace::Changed(Some(there.bytes.clone())),
        }
    }

    fn list(&self, prefix: &str, after: &str, most: usize) -> Vec<ObjectInfo> {
        let first = match after < prefix {
            true => Bound::Included(prefix),
            false => Bound::Excluded(after),
        };
        let from = self.objects.range::<str, _>((first, Bound::Unbounded));
        from.take_while(|(key, _)| key.starts_with(prefix))
            .take(most)
            .map(info)
            .collect()
    }
}

fn info((key, object): (&String, &Object)) -> ObjectInfo {
    ObjectInfo {
        key: key.clone(),
        modified: object.modified,
        bytes: object.bytes.len() as u64,
    }
}

impl Bucket {
    /// An empty bucket.
    pub fn new(gate: &Arc<Gate>) -> Self {
        Self {
            gate: Arc::clone(gate),
            state: Mutex::default(),
        }
    }

    /// The gate that every call passes.
    pub fn gate(&self) -> &Gate {
        &self.gate
    }

    /// Sets the modification time of objects that are written from now on.
    pub fn set_time(&self, now: Timestamp) {
        self.state.lock().unwrap().now = now;
    }

    /// The modification time of objects that are written now.
    pub fn now(&self) -> Timestamp {
        self.state.lock().unwrap().now
    }

    /// The keys that begin with `prefix`, in order. Not a call of a process.
    pub fn keys(&self, prefix: &str) -> Vec<String> {
        let listed = self.state.lock().unwrap().list(prefix, "", usize::MAX);
        listed.into_iter().map(|object| object.key).collect()
    }

    /// The bytes of an object. Not a call of a process.
    pub fn bytes(&self, key: &str) -> Option<Vec<u8>> {
        let state = self.state.lock().unwrap();
        state.objects.get(key).map(|object| object.bytes.clone())
    }

    /// When an object was written. Not a call of a process.
    pub fn modified(&self, key: &str) -> Option<Timestamp> {
        let state = self.state.lock().unwrap();
        state.objects.get(key).map(|object| object.modified)
    }

    /// Writes an object. Not a call of a process.
    pub fn set(&self, key: &str, bytes: Vec<u8>) {
        self.state.lock().unwrap().write(key, bytes);
    }

    /// What has changed since this was asked for last.
    pub fn take_changes(&self) -> Vec<Change> {
        take(&mut self.state.lock().unwrap().changes)
    }

    async fn call<T>(
        &self,
        operation: &'static str,
        key: &str,
        effect: impl FnOnce(&mut State) -> T,
    ) -> Result<T, Error> {
        let effect = || effect(&mut self.state.lock().unwrap());
        self.gate.call(effect, || failed(operation, key)).await
    }
}

fn failed(operation: &'static str, name: &str) -> Error {
    Error::Call {
        operation,
        name: name.to_owned(),
        code: None,
        transient: true,
        source: "the test lets the call fail".into(),
    }
}

impl Objects for Bucket {
    async fn get(&self, key: &str) -> Result<Option<Vec<u8>>, Error> {
        let bytes = |state: &mut State| Some(state.objects.get(key)?.bytes.clone());
        self.call("get", key, bytes).await
    }

    async fn put(&self, key: &str, bytes: Vec<u8>) -> Result<(), Error> {
        self.call("put", key, |state| state.write(key, bytes)).await
    }

    async fn put_new(&self, key: &str, bytes: Vec<u8>) -> Result<PutNew, Error> {
        let write = |state: &mut State| state.write_new(key, bytes);
        self.call("put_new", key, write).await
    }

    async fn replace(&self, key: &str, expected: &[u8], bytes: Vec<u8>) -> Result<Replace, Error> {
        let write = |state: &mut State| state.replace(key, expected, bytes);
        self.call("replace", key, write).await
    }

    async fn copy(&self, from: &str, to: &str) -> Result<bool, Error> {
        let copy = |state: &mut State| {
            let object = state.objects.get(from);
            let bytes = object.map(|object| object.bytes.clone());
            let is_there = bytes.is_some();
            if let Some(bytes) = bytes {
                state.write(to, bytes);
            }
            is_there
        };
        self.call("copy", from, copy).await
    }

    async fn delete(&self, key: &str) -> Result<(), Error> {
        self.call("delete", key, |state| state.delete(key)).await
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
        let list = |state: &mut State| state.list(prefix, after, most);
        self.call("list", prefix, list).await
    }

    async fn delete_many(&self, keys: &[String]) -> Result<(), Error> {
        for key in keys {
            self.delete(key).await?;
        }
        Ok(())
    }
}
