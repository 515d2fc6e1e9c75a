//! Reads and writes the objects of COPY and UNLOAD: in S3, or as files
//! `<folder>/<bucket>/<key>`.

use std::path::{Path, PathBuf};

use aws_sdk_s3::primitives::ByteStream;

#[derive(Clone, Debug)]
pub enum Storage {
    /// S3 or a compatible store.
    S3(aws_sdk_s3::Client),
    /// A folder on this machine.
    Folder(PathBuf),
}

/// Why an object could not be read or written.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    #[error("{0} is not an address of the form s3://bucket/key")]
    Address(String),
    #[error("S3ServiceException:The specified key does not exist.,Status 404,Error NoSuchKey")]
    Missing(String),
    #[error("the specified S3 object {url} cannot be used: {why}")]
    Object { url: String, why: String },
}

fn object_error(bucket: &str, key: &str, why: impl std::fmt::Display) -> Error {
    Error::Object {
        url: format!("s3://{bucket}/{key}"),
        why: why.to_string(),
    }
}

fn missing_error(bucket: &str, key: &str) -> Error {
    Error::Missing(format!("s3://{bucket}/{key}"))
}

/// Splits `s3://bucket/key` into bucket and key.
pub(crate) fn split(url: &str) -> Result<(&str, &str), Error> {
    let rest = url
        .strip_prefix("s3://")
        .ok_or_else(|| Error::Address(url.to_owned()))?;
    rest.split_once('/')
        .ok_or_else(|| Error::Address(url.to_owned()))
}

impl Storage {
    pub async fn get(&self, bucket: &str, key: &str) -> Result<Vec<u8>, Error> {
        match self {
            Self::S3(client) => {
                let object = client.get_object().bucket(bucket).key(key).send().await;
                let object = object.map_err(|error| match error.into_service_error() {
                    missing if missing.is_no_such_key() => missing_error(bucket, key),
                    other => object_error(bucket, key, other),
                })?;
                let bytes = object
                    .body
                    .collect()
                    .await
                    .map_err(|error| object_error(bucket, key, error))?;
                Ok(bytes.to_vec())
            }
            Self::Folder(folder) => {
                let body = std::fs::read(folder.join(bucket).join(key));
                body.map_err(|error| match error.kind() {
                    std::io::ErrorKind::NotFound => missing_error(bucket, key),
                    _ => object_error(bucket, key, error),
                })
            }
        }
    }

    pub async fn put(&self, bucket: &str, key: &str, body: Vec<u8>) -> Result<(), Error> {
        match self {
            Self::S3(client) => {
                let put = client
                    .put_object()
                    .bucket(bucket)
                    .key(key)
                    .body(ByteStream::from(body))
                    .send()
                    .await;
                put.map(|_| ())
                    .map_err(|error| object_error(bucket, key, error.into_service_error()))
            }
            Self::Folder(folder) => {
                let path = folder.join(bucket).join(key);
                let write = || {
                    path.parent().map_or(Ok(()), std::fs::create_dir_all)?;
                    std::fs::write(&path, body)
                };
                write().map_err(|error| object_error(bucket, key, error))
            }
        }
    }

    /// The keys of a bucket that begin with a prefix, in byte order.
    pub async fn list(&self, bucket: &str, prefix: &str) -> Result<Vec<String>, Error> {
        let mut keys = Vec::new();
        match self {
            Self::S3(client) => {
                let mut pages = client
                    .list_objects_v2()
                    .bucket(bucket)
                    .prefix(prefix)
                    .into_paginator()
                    .send();
                while let Some(page) = pages.next().await {
                    let page = page.map_err(|error| {
                        object_error(bucket, prefix, error.into_service_error())
                    })?;
                    keys.extend(
                        page.contents()
                            .iter()
                            .filter_map(|object| object.key().map(str::to_owned)),
                    );
                }
            }
            Self::Folder(folder) => {
                walk(&folder.join(bucket), "", &mut keys)
                    .map_err(|error| object_error(bucket, prefix, error))?;
                keys.retain(|key| key.starts_with(prefix));
            }
        }
        keys.sort();
        Ok(keys)
    }
}

fn walk(folder: &Path, prefix: &str, keys: &mut Vec<String>) -> std::io::Result<()> {
    if !folder.is_dir() {
        return Ok(());
    }
    for entry in std::fs::read_dir(folder)? {
        let entry = entry?;
        let name = format!("{prefix}{}", entry.file_name().to_string_lossy());
        if entry.file_type()?.is_dir() {
            walk(&entry.path(), &format!("{name}/"), keys)?;
        } else {
            keys.push(name);
        }
    }
    Ok(())
}
