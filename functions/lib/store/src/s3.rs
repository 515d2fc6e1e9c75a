use aws_sdk_s3::Client;
use aws_sdk_s3::config::retry::RetryConfig;
use aws_sdk_s3::error::ProvideErrorMetadata;
use aws_sdk_s3::primitives::ByteStream;
use aws_sdk_s3::types::{Delete, Object, ObjectIdentifier, TaggingDirective};
use jiff::Timestamp;
use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, percent_encode};
use retry::retry;

use crate::error::is_permanent;
use crate::{Error, ObjectInfo, Objects, PutNew, Replace};

/// The bytes of a key that stand encoded in the header of a copy's source.
const PATH: &AsciiSet = &NON_ALPHANUMERIC
    .remove(b'/')
    .remove(b'-')
    .remove(b'_')
    .remove(b'.')
    .remove(b'~');
/// The most keys of one page of a listing.
const LIST_PAGE: usize = 1_000;
/// The most keys of one DeleteObjects call.
const DELETE_CALL: usize = 1_000;

/// Objects in an S3 bucket.
#[derive(Clone, Debug)]
pub struct S3 {
    client: Client,
    bucket: String,
}

/// An object's bytes and their ETag.
struct Tagged {
    bytes: Vec<u8>,
    tag: String,
}

/// One page of a listing.
struct Page {
    objects: Vec<ObjectInfo>,
    next: Option<String>,
}

impl S3 {
    /// Turns the client's own retries off: see the crate `retry`.
    pub fn new(client: Client, bucket: impl Into<String>) -> Self {
        let config = client.config().to_builder();
        let config = config.retry_config(RetryConfig::disabled());
        Self {
            client: Client::from_conf(config.build()),
            bucket: bucket.into(),
        }
    }

    pub fn bucket(&self) -> &str {
        &self.bucket
    }

    async fn try_get(&self, key: &str) -> Result<Option<Vec<u8>>, Error> {
        Ok(self.try_get_tagged(key).await?.map(|object| object.bytes))
    }

    async fn try_get_tagged(&self, key: &str) -> Result<Option<Tagged>, Error> {
        let call = self.client.get_object().bucket(&self.bucket).key(key);
        let object = match call.send().await {
            Ok(object) => object,
            Err(e) if e.code() == Some("NoSuchKey") => return Ok(None),
            Err(e) => return Err(Error::call("GetObject", key, e)),
        };
        let tag = object.e_tag.unwrap_or_default();
        match object.body.collect().await {
            Ok(bytes) => Ok(Some(Tagged {
                bytes: bytes.to_vec(),
                tag,
            })),
            Err(e) => Err(Error::Call {
                operation: "GetObject",
                name: key.to_owned(),
                code: None,
                transient: true,
                source: Box::new(e),
            }),
        }
    }

    async fn try_put(&self, key: &str, bytes: &[u8]) -> Result<(), Error> {
        let call = self.client.put_object().bucket(&self.bucket).key(key);
        let call = call.body(ByteStream::from(bytes.to_vec()));
        let sent = call.send().await;
        sent.map_err(|e| Error::call("PutObject", key, e))?;
        Ok(())
    }

    async fn try_put_new(&self, key: &str, bytes: &[u8]) -> Result<PutNew, Error> {
        let call = self.client.put_object().bucket(&self.bucket).key(key);
        let call = call
            .if_none_match("*")
            .body(ByteStream::from(bytes.to_vec()));
        let Err(error) = call.send().await else {
            return Ok(PutNew::Written);
        };
        // A 409 (ConditionalRequestConflict) means that two writes ran at once. It is transient.
        if error.code() != Some("PreconditionFailed") {
            return Err(Error::call("PutObject", key, error));
        }
        match self.try_get(key).await? {
            // An earlier try wrote the object, but its answer was lost.
            Some(existing) if existing == bytes => Ok(PutNew::Written),
            Some(existing) => Ok(PutNew::Exists(existing)),
            // Deleted since the write: the next try may succeed.
            None => Err(Error::Call {
                operation: "PutObject",
                name: key.to_owned(),
                code: error.code().map(str::to_owned),
                transient: true,
                source: Box::new(error),
            }),
        }
    }

    async fn try_replace(
        &self,
        key: &str,
        expected: &[u8],
        bytes: &[u8],
    ) -> Result<Replace, Error> {
        let Some(object) = self.try_get_tagged(key).await? else {
            return Ok(Replace::Changed(None));
        };
        // An earlier try may have written the object although its answer was lost.
        if object.bytes == bytes {
            return Ok(Replace::Written);
        }
        if object.bytes != expected {
            return Ok(Replace::Changed(Some(object.bytes)));
        }
        let call = self.client.put_object().bucket(&self.bucket).key(key);
        let call = call
            .if_match(object.tag)
            .body(ByteStream::from(bytes.to_vec()));
        match call.send().await {
            Ok(_) => Ok(Replace::Written),
            // Another process wrote between our read and our write. The next try reads its bytes.
            Err(error) if error.code() == Some("PreconditionFailed") => Err(Error::Call {
                operation: "PutObject",
                name: key.to_owned(),
                code: error.code().map(str::to_owned),
                transient: true,
                source: Box::new(error),
            }),
            Err(error) => Err(Error::call("PutObject", key, error)),
        }
    }

    async fn try_copy(&self, from: &str, to: &str) -> Result<bool, Error> {
        let encoded = percent_encode(from.as_bytes(), PATH);
        let call = self.client.copy_object().bucket(&self.bucket).key(to);
        let call = call.copy_source(format!("{}/{encoded}", self.bucket));
        // Copying tags would need the right to read them.
        let call = call.tagging_directive(TaggingDirective::Replace);
        match call.send().await {
            Ok(_) => Ok(true),
            Err(e) if e.code() == Some("NoSuchKey") => Ok(false),
            Err(e) => Err(Error::call("CopyObject", from, e)),
        }
    }

    async fn try_delete(&self, key: &str) -> Result<(), Error> {
        let call = self.client.delete_object().bucket(&self.bucket).key(key);
        let sent = call.send().await;
        sent.map_err(|e| Error::call("DeleteObject", key, e))?;
        Ok(())
    }

    async fn try_delete_many(&self, keys: &[String]) -> Result<(), Error> {
        const OPERATION: &str = "DeleteObjects";
        let first = keys.first().map_or("", String::as_str);
        let identifier = |key: &String| ObjectIdentifier::builder().key(key).build();
        let objects: Result<Vec<_>, _> = keys.iter().map(identifier).collect();
        let delete = objects.and_then(|objects| {
            Delete::builder()
                .set_objects(Some(objects))
                .quiet(true)
                .build()
        });
        let delete = delete.map_err(|e| Error::Call {
            operation: OPERATION,
            name: first.to_owned(),
            code: None,
            transient: false,
            source: Box::new(e),
        })?;
        let call = self.client.delete_objects().bucket(&self.bucket);
        let sent = call.delete(delete).send().await;
        let answer = sent.map_err(|e| Error::call(OPERATION, first, e))?;
        // An answer of 200 may contain failures.
        let Some(failed) = answer.errors().first() else {
            return Ok(());
        };
        Err(Error::Call {
            operation: OPERATION,
            name: failed.key().unwrap_or(first).to_owned(),
            code: failed.code().map(str::to_owned),
            transient: !failed.code().is_some_and(is_permanent),
            source: "an object was not deleted".into(),
        })
    }

    async fn try_list_page(
        &self,
        prefix: &str,
        after: &str,
        token: Option<String>,
        most: usize,
    ) -> Result<Page, Error> {
        let most = i32::try_from(most.min(LIST_PAGE)).unwrap_or_default();
        let call = self.client.list_objects_v2().bucket(&self.bucket);
        let call = call
            .prefix(prefix)
            .set_start_after(Some(after.to_owned()).filter(|after| !after.is_empty()))
            .max_keys(most)
            .set_continuation_token(token);
        let sent = call.send().await;
        let page = sent.map_err(|e| Error::call("ListObjectsV2", prefix, e))?;
        let objects = page.contents.unwrap_or_default();
        Ok(Page {
            objects: objects.into_iter().filter_map(info).collect(),
            next: page
                .next_continuation_token
                .filter(|token| !token.is_empty()),
        })
    }
}

impl Objects for S3 {
    async fn get(&self, key: &str) -> Result<Option<Vec<u8>>, Error> {
        retry("GetObject", key, || self.try_get(key)).await
    }

    async fn put(&self, key: &str, bytes: Vec<u8>) -> Result<(), Error> {
        retry("PutObject", key, || self.try_put(key, &bytes)).await
    }

    async fn put_new(&self, key: &str, bytes: Vec<u8>) -> Result<PutNew, Error> {
        retry("PutObject", key, || self.try_put_new(key, &bytes)).await
    }

    async fn replace(&self, key: &str, expected: &[u8], bytes: Vec<u8>) -> Result<Replace, Error> {
        let replace = || self.try_replace(key, expected, &bytes);
        retry("PutObject", key, replace).await
    }

    async fn copy(&self, from: &str, to: &str) -> Result<bool, Error> {
        retry("CopyObject", from, || self.try_copy(from, to)).await
    }

    async fn delete(&self, key: &str) -> Result<(), Error> {
        retry("DeleteObject", key, || self.try_delete(key)).await
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
        let mut objects = Vec::new();
        let mut token = None;
        loop {
            let left = most - objects.len();
            let page = || self.try_list_page(prefix, after, token.clone(), left);
            let page = retry("ListObjectsV2", prefix, page).await?;
            objects.extend(page.objects);
            objects.truncate(most);
            token = page.next;
            if token.is_none() || objects.len() == most {
                return Ok(objects);
            }
        }
    }

    async fn delete_many(&self, keys: &[String]) -> Result<(), Error> {
        for keys in keys.chunks(DELETE_CALL) {
            let first = keys.first().map_or("", String::as_str);
            retry("DeleteObjects", first, || self.try_delete_many(keys)).await?;
        }
        Ok(())
    }
}

/// `None` if the service left out the key or the time of the last write.
fn info(object: Object) -> Option<ObjectInfo> {
    let modified = object.last_modified?;
    let nanoseconds = i32::try_from(modified.subsec_nanos()).ok()?;
    Some(ObjectInfo {
        key: object.key?,
        modified: Timestamp::new(modified.secs(), nanoseconds).ok()?,
        bytes: u64::try_from(object.size.unwrap_or_default()).unwrap_or_default(),
    })
}
