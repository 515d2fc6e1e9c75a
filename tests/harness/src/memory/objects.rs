use std::collections::BTreeMap;
use std::ops::Bound;
use std::sync::Mutex;

use jiff::Timestamp;
use store::{Error, ObjectInfo, PutNew, Replace};
use tokio::task::yield_now;

use super::faults::Course;
use super::{Faults, lock};

#[derive(Debug, Default)]
pub struct Objects {
    objects: Mutex<BTreeMap<String, (Vec<u8>, Timestamp)>>,
    now: Mutex<Option<Timestamp>>,
    faults: Faults,
}

impl Objects {
    /// An empty bucket without faults.
    pub fn new() -> Self {
        Self::default()
    }

    /// An empty bucket with these faults.
    pub fn with(faults: &Faults) -> Self {
        Self {
            faults: faults.clone(),
            ..Self::default()
        }
    }

    pub const fn faults(&self) -> &Faults {
        &self.faults
    }

    /// Sets the modification time of objects that are written from now on.
    pub fn set_time(&self, now: Timestamp) {
        *lock(&self.now) = Some(now);
    }

    /// The keys that begin with `prefix`, in order. Ignores faults.
    pub fn keys(&self, prefix: &str) -> Vec<String> {
        let listed = self.matching(prefix, "", usize::MAX);
        listed.into_iter().map(|object| object.key).collect()
    }

    fn matching(&self, prefix: &str, after: &str, most: usize) -> Vec<ObjectInfo> {
        let objects = lock(&self.objects);
        let first = match after < prefix {
            true => Bound::Included(prefix),
            false => Bound::Excluded(after),
        };
        let from = objects.range::<str, _>((first, Bound::Unbounded));
        let info = |(key, (bytes, modified)): (&String, &(Vec<u8>, Timestamp))| ObjectInfo {
            key: key.clone(),
            modified: *modified,
            bytes: bytes.len() as u64,
        };
        from.take_while(|(key, _)| key.starts_with(prefix))
            .take(most)
            .map(info)
            .collect()
    }

    /// The bytes of an object. Ignores faults.
    pub fn bytes(&self, key: &str) -> Option<Vec<u8>> {
        lock(&self.objects).get(key).map(|(bytes, _)| bytes.clone())
    }

    /// Writes an object. Ignores faults.
    pub fn set(&self, key: &str, bytes: impl Into<Vec<u8>>) {
        let now = self.time();
        lock(&self.objects).insert(key.to_owned(), (bytes.into(), now));
    }

    fn time(&self) -> Timestamp {
        lock(&self.now).unwrap_or_else(Timestamp::now)
    }

    /// Runs `what` unless a fault prevents it.
    async fn call<T>(
        &self,
        operation: &'static str,
        key: &str,
        what: impl FnOnce() -> T,
    ) -> Result<T, Error> {
        self.faults.wait().await;
        self.part_of_call(operation, key, what).await
    }

    /// One key of a call. The call's latency has passed.
    async fn part_of_call<T>(
        &self,
        operation: &'static str,
        key: &str,
        what: impl FnOnce() -> T,
    ) -> Result<T, Error> {
        yield_now().await;
        let course = self.faults.answered(operation, key).await;
        if course == Course::Refused {
            return Err(injected(operation, key));
        }
        let done = what();
        if course == Course::AnswerLost {
            Err(injected(operation, key))
        } else {
            Ok(done)
        }
    }
}

pub(super) fn injected(operation: &'static str, name: &str) -> Error {
    let source = "injected by the test".into();
    Error::Call {
        operation,
        name: name.to_owned(),
        code: None,
        transient: true,
        source,
    }
}

impl store::Objects for Objects {
    async fn get(&self, key: &str) -> Result<Option<Vec<u8>>, Error> {
        self.call("get", key, || self.bytes(key)).await
    }

    async fn put(&self, key: &str, bytes: Vec<u8>) -> Result<(), Error> {
        self.call("put", key, || self.set(key, bytes)).await
    }

    async fn put_new(&self, key: &str, bytes: Vec<u8>) -> Result<PutNew, Error> {
        let now = self.time();
        let write = || match lock(&self.objects).entry(key.to_owned()) {
            std::collections::btree_map::Entry::Occupied(there) if there.get().0 == bytes => {
                PutNew::Written
            }
            std::collections::btree_map::Entry::Occupied(there) => {
                PutNew::Exists(there.get().0.clone())
            }
            std::collections::btree_map::Entry::Vacant(free) => {
                free.insert((bytes, now));
                PutNew::Written
            }
        };
        self.call("put_new", key, write).await
    }

    async fn replace(&self, key: &str, expected: &[u8], bytes: Vec<u8>) -> Result<Replace, Error> {
        let now = self.time();
        let write = || match lock(&self.objects).get_mut(key) {
            Some((there, _)) if *there == bytes => Replace::Written,
            Some((there, modified)) if there == expected => {
                *there = bytes;
                *modified = now;
                Replace::Written
            }
            Some((there, _)) => Replace::Changed(Some(there.clone())),
            None => Replace::Changed(None),
        };
        self.call("replace", key, write).await
    }

    async fn copy(&self, from: &str, to: &str) -> Result<bool, Error> {
        let copy = || match self.bytes(from) {
            Some(bytes) => {
                self.set(to, bytes);
                true
            }
            None => false,
        };
        self.call("copy", from, copy).await
    }

    async fn delete(&self, key: &str) -> Result<(), Error> {
        self.call("delete", key, || lock(&self.objects).remove(key))
            .await
            .map(drop)
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
        let listed = || self.matching(prefix, after, most);
        self.call("list", prefix, listed).await
    }

    async fn delete_many(&self, keys: &[String]) -> Result<(), Error> {
        self.faults.wait().await;
        for key in keys {
            let remove = || lock(&self.objects).remove(key);
            self.part_of_call("delete", key, remove).await?;
        }
        Ok(())
    }
}
