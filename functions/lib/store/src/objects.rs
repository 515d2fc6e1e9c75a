use jiff::Timestamp;

use crate::Error;

/// One bucket of objects. Reads and listings see every write that has ended.
pub trait Objects: Send + Sync {
    /// The object's bytes; `None` if there is no such object.
    fn get(&self, key: &str) -> impl Future<Output = Result<Option<Vec<u8>>, Error>> + Send;
    /// Writes the object and replaces an earlier one.
    fn put(&self, key: &str, bytes: Vec<u8>) -> impl Future<Output = Result<(), Error>> + Send;
    /// Writes the object unless there is one. Of several concurrent writers, exactly one writes.
    fn put_new(
        &self,
        key: &str,
        bytes: Vec<u8>,
    ) -> impl Future<Output = Result<PutNew, Error>> + Send;
    /// Writes the object if its bytes are `expected`. Of several concurrent writers that expect the
    /// same bytes, exactly one writes.
    fn replace(
        &self,
        key: &str,
        expected: &[u8],
        bytes: Vec<u8>,
    ) -> impl Future<Output = Result<Replace, Error>> + Send;
    /// Copies the object within the bucket, without reading it into memory. Returns whether there is
    /// such an object. S3 refuses objects of more than 5 GB.
    fn copy(&self, from: &str, to: &str) -> impl Future<Output = Result<bool, Error>> + Send;
    /// Removes the object. It is no error if there is none.
    fn delete(&self, key: &str) -> impl Future<Output = Result<(), Error>> + Send;
    /// All objects with keys that begin with `prefix`, in the order of their keys.
    fn list(&self, prefix: &str) -> impl Future<Output = Result<Vec<ObjectInfo>, Error>> + Send;
    /// The first objects, at most `most`, with keys that begin with `prefix` and come after `after`,
    /// in the order of their keys. Nothing comes before an empty `after`.
    fn list_after(
        &self,
        prefix: &str,
        after: &str,
        most: usize,
    ) -> impl Future<Output = Result<Vec<ObjectInfo>, Error>> + Send;
    /// Removes objects. It is no error if one does not exist.
    fn delete_many(&self, keys: &[String]) -> impl Future<Output = Result<(), Error>> + Send;
}

/// Several owners can share one bucket.
impl<O: Objects> Objects for &O {
    async fn get(&self, key: &str) -> Result<Option<Vec<u8>>, Error> {
        (*self).get(key).await
    }

    async fn put(&self, key: &str, bytes: Vec<u8>) -> Result<(), Error> {
        (*self).put(key, bytes).await
    }

    async fn put_new(&self, key: &str, bytes: Vec<u8>) -> Result<PutNew, Error> {
        (*self).put_new(key, bytes).await
    }

    async fn replace(&self, key: &str, expected: &[u8], bytes: Vec<u8>) -> Result<Replace, Error> {
        (*self).replace(key, expected, bytes).await
    }

    async fn copy(&self, from: &str, to: &str) -> Result<bool, Error> {
        (*self).copy(from, to).await
    }

    async fn delete(&self, key: &str) -> Result<(), Error> {
        (*self).delete(key).await
    }

    async fn list(&self, prefix: &str) -> Result<Vec<ObjectInfo>, Error> {
        (*self).list(prefix).await
    }

    async fn list_after(
        &self,
        prefix: &str,
        after: &str,
        most: usize,
    ) -> Result<Vec<ObjectInfo>, Error> {
        (*self).list_after(prefix, after, most).await
    }

    async fn delete_many(&self, keys: &[String]) -> Result<(), Error> {
        (*self).delete_many(keys).await
    }
}

/// The result of [`Objects::put_new`].
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum PutNew {
    /// The object exists now, with the given bytes.
    Written,
    /// There was an object with other bytes: these.
    Exists(Vec<u8>),
}

/// The result of [`Objects::replace`].
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Replace {
    /// The object has the given bytes now.
    Written,
    /// The object has other bytes: these. `None` if there is no object.
    Changed(Option<Vec<u8>>),
}

/// One object of a listing.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ObjectInfo {
    pub key: String,
    pub modified: Timestamp,
    pub bytes: u64,
}
