use std::collections::BTreeMap;
use std::io;
use std::path::PathBuf;

use futures_util::future::try_join_all;
use model::Bundle;
use outlet::{Objects, keys};
use serde::Deserialize;

/// Why there is no bundle to work with.
#[derive(Debug, thiserror::Error)]
pub enum BundleError {
    /// The bucket failed us.
    #[error("can't fetch {key}")]
    Objects {
        /// The key or prefix.
        key: String,
        /// What the bucket said.
        source: outlet::Error,
    },
    /// Nothing is deployed under this name.
    #[error("{0} is not there: train the bundle first, for instance with `look train`")]
    NoPointer(String),
    /// The pointer can't be read.
    #[error("{0} is no pointer to a version")]
    Pointer(String, #[source] serde_json::Error),
    /// A file was listed, and then gone.
    #[error("{0} is not there")]
    Gone(String),
    /// The folder can't be read.
    #[error("can't read {}", .0.display())]
    Folder(PathBuf, #[source] io::Error),
    /// It is not what it was when it was built.
    #[error("bundle {0} is refused")]
    Refused(String, #[source] model::Error),
}

/// `bundles/<name>/current.json`.
#[derive(Deserialize)]
struct Pointer {
    version: String,
}

/// Opens the bundle in use: of this name in the bucket, or in this folder where `bundle` is a path
/// (begins with `/` or `.`).
pub async fn open_bundle(bundle: &str, objects: &impl Objects) -> Result<Bundle, BundleError> {
    let files = if bundle.starts_with(['/', '.']) { folder(bundle.into())? } else { fetch(bundle, objects).await? };
    Bundle::open(&files).map_err(|source| BundleError::Refused(bundle.to_owned(), source))
}

fn folder(path: PathBuf) -> Result<BTreeMap<String, Vec<u8>>, BundleError> {
    let read = || {
        let mut files = BTreeMap::new();
        for entry in std::fs::read_dir(&path)? {
            let entry = entry?;
            if entry.file_type()?.is_file() {
                files.insert(entry.file_name().to_string_lossy().into_owned(), std::fs::read(entry.path())?);
            }
        }
        Ok(files)
    };
    read().map_err(|source| BundleError::Folder(path.clone(), source))
}

async fn fetch(bundle: &str, objects: &impl Objects) -> Result<BTreeMap<String, Vec<u8>>, BundleError> {
    let pointer = keys::bundle_pointer(bundle);
    let bytes = objects.get(&pointer).await.map_err(BundleError::objects(&pointer))?;
    let bytes = bytes.ok_or_else(|| BundleError::NoPointer(pointer.clone()))?;
    let Pointer { version } = serde_json::from_slice(&bytes).map_err(|source| BundleError::Pointer(pointer, source))?;
    let prefix = keys::bundle_version(bundle, &version);
    let listed = objects.list(&prefix).await.map_err(BundleError::objects(&prefix))?;
    let files = listed.into_iter().map(|file| async {
        let bytes = objects.get(&file.key).await.map_err(BundleError::objects(&file.key))?;
        let name = file.key.strip_prefix(&prefix).unwrap_or(&file.key).to_owned();
        Ok((name, bytes.ok_or(BundleError::Gone(file.key))?))
    });
    Ok(try_join_all(files).await?.into_iter().collect())
}

impl BundleError {
    fn objects(key: &str) -> impl FnOnce(outlet::Error) -> Self {
        let key = key.to_owned();
        |source| Self::Objects { key, source }
    }
}
