use aws_sdk_s3::Client;
use aws_sdk_s3::error::ProvideErrorMetadata;
use aws_sdk_s3::primitives::ByteStream;
use aws_sdk_s3::types::Object;
use jiff::Timestamp;

use crate::Error;
use crate::pause::pause;

/// One bucket of objects. Reads see every write that has ended, listings too.
pub trait Objects: Send + Sync {
    /// The object's bytes; `None` where there is no such object.
    fn get(&self, key: &str) -> impl Future<Output = Result<Option<Vec<u8>>, Error>> + Send;
    /// Writes the object, over whatever was there.
    fn put(&self, key: &str, bytes: Vec<u8>) -> impl Future<Output = Result<(), Error>> + Send;
    /// Writes the object unless there is one. Of many writers at once, one writes.
    fn put_new(
        &self,
        key: &str,
        bytes: Vec<u8>,
    ) -> impl Future<Output = Result<PutNew, Error>> + Send;
    /// Removes the object; there need not be one.
    fn delete(&self, key: &str) -> impl Future<Output = Result<(), Error>> + Send;
    /// All objects whose keys begin with `prefix`, in the order of their keys.
    fn list(&self, prefix: &str) -> impl Future<Output = Result<Vec<ObjectInfo>, Error>> + Send;
}

/// What became of [`Objects::put_new`].
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum PutNew {
    /// The object is there now, and as it was given.
    Written,
    /// There was one with other bytes: these.
    Exists(Vec<u8>),
}

/// One object of a listing.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ObjectInfo {
    /// Its key.
    pub key: String,
    /// When it was last written.
    pub modified: Timestamp,
    /// Its size.
    pub bytes: u64,
}

/// How often a conditional write is repeated that raced with another.
const RACES: u32 = 6;

/// Objects in an S3 bucket.
#[derive(Clone, Debug)]
pub struct S3 {
    client: Client,
    bucket: String,
}

impl S3 {
    /// The objects of this bucket.
    pub fn new(client: Client, bucket: impl Into<String>) -> Self {
        Self {
            client,
            bucket: bucket.into(),
        }
    }

    /// The bucket's name.
    pub fn bucket(&self) -> &str {
        &self.bucket
    }
}

impl Objects for S3 {
    async fn get(&self, key: &str) -> Result<Option<Vec<u8>>, Error> {
        let object = match self
            .client
            .get_object()
            .bucket(&self.bucket)
            .key(key)
            .send()
            .await
        {
            Ok(object) => object,
            Err(e) if e.code() == Some("NoSuchKey") => return Ok(None),
            Err(e) => return Err(Error::call("GetObject", key, e)),
        };
        match object.body.collect().await {
            Ok(bytes) => Ok(Some(bytes.to_vec())),
            Err(e) => Err(Error::Call {
                operation: "GetObject",
                name: key.to_owned(),
                code: None,
                transient: true,
                source: Box::new(e),
            }),
        }
    }

    async fn put(&self, key: &str, bytes: Vec<u8>) -> Result<(), Error> {
        let call = self
            .client
            .put_object()
            .bucket(&self.bucket)
            .key(key)
            .body(ByteStream::from(bytes));
        call.send()
            .await
            .map_err(|e| Error::call("PutObject", key, e))?;
        Ok(())
    }

    async fn put_new(&self, key: &str, bytes: Vec<u8>) -> Result<PutNew, Error> {
        let mut attempt = 0;
        loop {
            let call = self
                .client
                .put_object()
                .bucket(&self.bucket)
                .key(key)
                .if_none_match("*");
            let Err(error) = call.body(ByteStream::from(bytes.clone())).send().await else {
                return Ok(PutNew::Written);
            };
            match error.code() {
                // Someone was first, or it was ourselves: a write whose answer got lost is repeated
                // by the SDK and then finds its own object.
                Some("PreconditionFailed") => match self.get(key).await? {
                    Some(there) if there == bytes => return Ok(PutNew::Written),
                    Some(there) => return Ok(PutNew::Exists(there)),
                    // Deleted since: the condition may hold now.
                    None if attempt < RACES => {}
                    None => return Err(Error::call("PutObject", key, error)),
                },
                // Two conditional writes at once: S3 asks both to come again.
                Some("ConditionalRequestConflict") if attempt < RACES => {}
                _ => return Err(Error::call("PutObject", key, error)),
            }
            tokio::time::sleep(pause(attempt, key.len())).await;
            attempt += 1;
        }
    }

    async fn delete(&self, key: &str) -> Result<(), Error> {
        let call = self.client.delete_object().bucket(&self.bucket).key(key);
        call.send()
            .await
            .map_err(|e| Error::call("DeleteObject", key, e))?;
        Ok(())
    }

    async fn list(&self, prefix: &str) -> Result<Vec<ObjectInfo>, Error> {
        let mut listed = Vec::new();
        let mut pages = self
            .client
            .list_objects_v2()
            .bucket(&self.bucket)
            .prefix(prefix)
            .into_paginator()
            .send();
        while let Some(page) = pages.next().await {
            let page = page.map_err(|e| Error::call("ListObjectsV2", prefix, e))?;
            listed.extend(
                page.contents
                    .unwrap_or_default()
                    .into_iter()
                    .filter_map(ObjectInfo::of),
            );
        }
        Ok(listed)
    }
}

impl ObjectInfo {
    fn of(object: Object) -> Option<Self> {
        let modified = object.last_modified?;
        Some(Self {
            key: object.key?,
            modified: Timestamp::new(
                modified.secs(),
                i32::try_from(modified.subsec_nanos()).ok()?,
            )
            .ok()?,
            bytes: u64::try_from(object.size.unwrap_or_default()).unwrap_or_default(),
        })
    }
}
