use std::collections::BTreeMap;
use std::io;
use std::path::{Path, PathBuf};

use bundle::{Bundle, PROFILES};
use futures_util::future::try_join_all;
use serde::Deserialize;
use store::Objects;

/// Why a bundle can't be opened.
#[derive(Debug, thiserror::Error)]
pub enum BundleError {
    /// The source names the key.
    #[error(transparent)]
    Objects(#[from] store::Error),
    #[error("{0} does not exist: train the bundle first, for instance with `look train`")]
    NoPointer(String),
    #[error("{0} is not a valid pointer to a version")]
    Pointer(String, #[source] serde_json::Error),
    #[error("{0} was deleted while the bundle was read")]
    Deleted(String),
    #[error("can't read {}", .0.display())]
    Folder(PathBuf, #[source] io::Error),
    /// The source names the file and the fault.
    #[error("bundle {0} is refused")]
    Refused(String, #[source] bundle::Error),
}

/// `bundles/<name>/current.json`.
#[derive(Deserialize)]
struct Pointer {
    version: String,
}

/// Which files of a bundle are read.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Files {
    All,
    /// Profiles may be large, and only the first look needs them.
    WithoutProfiles,
}

impl Files {
    fn include(self, name: &str) -> bool {
        self == Self::All || name != PROFILES
    }
}

/// Opens the active version of this bundle. `bundle` is a name in the bucket, or the path of a
/// folder if it begins with `/` or `.`.
pub async fn open_bundle(bundle: &str, objects: &impl Objects) -> Result<Bundle, BundleError> {
    let files = read(bundle, objects, Files::All).await?;
    Bundle::open(&files).map_err(|source| BundleError::Refused(bundle.to_owned(), source))
}

/// Like [`open_bundle`], for the second look alone: without the profiles.
pub async fn open_confirm_bundle(
    bundle: &str,
    objects: &impl Objects,
) -> Result<Bundle, BundleError> {
    let files = read(bundle, objects, Files::WithoutProfiles).await?;
    Bundle::open_without_profiles(&files)
        .map_err(|source| BundleError::Refused(bundle.to_owned(), source))
}

/// The files of the active version by name, without the profiles.
pub async fn bundle_files(
    bundle: &str,
    objects: &impl Objects,
) -> Result<BTreeMap<String, Vec<u8>>, BundleError> {
    read(bundle, objects, Files::WithoutProfiles).await
}

async fn read(
    bundle: &str,
    objects: &impl Objects,
    files: Files,
) -> Result<BTreeMap<String, Vec<u8>>, BundleError> {
    if is_folder(bundle) {
        let path = Path::new(bundle);
        return read_folder(path, files)
            .map_err(|source| BundleError::Folder(path.to_owned(), source));
    }
    let version = active_version(bundle, objects).await?;
    fetch(bundle, &version, objects, files).await
}

pub(crate) fn is_folder(bundle: &str) -> bool {
    bundle.starts_with(['/', '.'])
}

fn read_folder(path: &Path, files: Files) -> io::Result<BTreeMap<String, Vec<u8>>> {
    let mut found = BTreeMap::new();
    for entry in std::fs::read_dir(path)? {
        let entry = entry?;
        let name = entry.file_name().to_string_lossy().into_owned();
        if entry.file_type()?.is_file() && files.include(&name) {
            found.insert(name, std::fs::read(entry.path())?);
        }
    }
    Ok(found)
}

/// The version that the bundle's pointer names.
pub(crate) async fn active_version(
    bundle: &str,
    objects: &impl Objects,
) -> Result<String, BundleError> {
    let key = bundle::keys::pointer(bundle);
    let Some(bytes) = objects.get(&key).await? else {
        return Err(BundleError::NoPointer(key));
    };
    let Pointer { version } =
        serde_json::from_slice(&bytes).map_err(|source| BundleError::Pointer(key, source))?;
    Ok(version)
}

/// Downloads the files of this version, all at once.
pub(crate) async fn fetch(
    bundle: &str,
    version: &str,
    objects: &impl Objects,
    files: Files,
) -> Result<BTreeMap<String, Vec<u8>>, BundleError> {
    let prefix = bundle::keys::version(bundle, version);
    let mut downloads = Vec::new();
    for object in objects.list(&prefix).await? {
        let name = object.key.strip_prefix(&prefix).unwrap_or(&object.key);
        if files.include(name) {
            downloads.push(download(name.to_owned(), object.key, objects));
        }
    }
    Ok(try_join_all(downloads).await?.into_iter().collect())
}

async fn download(
    name: String,
    key: String,
    objects: &impl Objects,
) -> Result<(String, Vec<u8>), BundleError> {
    match objects.get(&key).await? {
        Some(bytes) => Ok((name, bytes)),
        None => Err(BundleError::Deleted(key)),
    }
}

#[cfg(test)]
pub(crate) mod tests;
