//! Reads the files of a bundle's versions, from the bucket or from a folder.

use std::collections::BTreeMap;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use bundle::{Bundle, MANIFEST, PROFILES, PointerError};
use features::Definition;
use futures_util::future::try_join_all;
use jiff::Timestamp;
use store::Objects;

use crate::pointer::active_version;

/// Why a bundle can't be opened.
#[derive(Debug, thiserror::Error)]
pub enum BundleError {
    /// The source names the key.
    #[error(transparent)]
    Objects(#[from] store::Error),
    #[error("{0} does not exist: train the bundle first, for instance with `look train`")]
    NoPointer(String),
    #[error("{0} is not a valid pointer to the bundle's versions")]
    Pointer(String, #[source] PointerError),
    #[error("version {version} of bundle {bundle} does not exist")]
    NoVersion { bundle: String, version: String },
    #[error("{0} was deleted while the bundle was read")]
    Deleted(String),
    #[error("can't read {}", .0.display())]
    Folder(PathBuf, #[source] io::Error),
    /// The source names the file and the fault.
    #[error("bundle {0} is refused")]
    Refused(String, #[source] Box<bundle::Error>),
}

impl BundleError {
    /// Whether the same call may succeed later. `false` if the version does not exist or is
    /// refused.
    pub const fn is_transient(&self) -> bool {
        !matches!(self, Self::NoVersion { .. } | Self::Refused(..))
    }

    pub(crate) fn refused(name: String, source: bundle::Error) -> Self {
        Self::Refused(name, Box::new(source))
    }
}

pub(crate) type Files = BTreeMap<String, Vec<u8>>;

/// Opens the active version for the second look alone: without the profiles.
pub async fn open_confirm_bundle(
    bundle: &str,
    objects: &impl Objects,
) -> Result<Bundle, BundleError> {
    let files = if is_folder(bundle) {
        read_folder(bundle, is_not_profiles)?
    } else {
        let version = active_version(bundle, Timestamp::now(), objects).await?;
        bundle_files(bundle, &version, objects).await?
    };
    Bundle::open_without_profiles(&files)
        .map_err(|source| BundleError::refused(bundle.to_owned(), source))
}

/// The files of one version by name, without the profiles. `bundle` is a name in the bucket.
pub async fn bundle_files(
    bundle: &str,
    version: &str,
    objects: &impl Objects,
) -> Result<BTreeMap<String, Vec<u8>>, BundleError> {
    fetch(bundle, version, objects, is_not_profiles).await
}

/// The part of a bundle version that the SQL of its evidence depends on.
#[derive(Clone, Debug, PartialEq)]
pub struct VersionDefinition {
    pub definition: Definition,
    /// Of its profiles. `None` without profiles.
    pub cut_off: Option<Timestamp>,
}

/// The definition of one version. `load` needs no more of a bundle.
pub async fn definition_of(
    bundle: &str,
    version: &str,
    objects: &impl Objects,
) -> Result<VersionDefinition, BundleError> {
    if is_folder(bundle) {
        let opened = open_second(bundle, version, objects).await?;
        return Ok(VersionDefinition {
            definition: opened.definition().clone(),
            cut_off: opened.cut_off(),
        });
    }
    let file = async |name| {
        let key = bundle::keys::file(bundle, version, name);
        let bytes = objects.get(&key).await?;
        bytes.ok_or_else(|| no_version(bundle, version))
    };
    let text = file(bundle::DEFINITION).await?;
    let manifest = file(bundle::MANIFEST).await?;
    let refused = |source| BundleError::refused(format!("{bundle}/{version}"), source);
    let text = std::str::from_utf8(&text).map_err(|_| refused(bundle::Error::Utf8))?;
    Ok(VersionDefinition {
        definition: Definition::parse(text).map_err(|source| refused(source.into()))?,
        cut_off: bundle::profiles_cut_off(&manifest).map_err(refused)?,
    })
}

/// Opens one version without its profiles.
pub(crate) async fn open_second(
    bundle: &str,
    version: &str,
    objects: &impl Objects,
) -> Result<Bundle, BundleError> {
    let files = if is_folder(bundle) {
        read_folder(bundle, is_not_profiles)?
    } else {
        bundle_files(bundle, version, objects).await?
    };
    let opened = Bundle::open_without_profiles(&files);
    of_version(bundle, version, opened)
}

/// Opens one version with its profiles. They are not downloaded if one of `others` has them.
pub(crate) async fn open_first(
    bundle: &str,
    version: &str,
    others: &[Arc<Bundle>],
    objects: &impl Objects,
) -> Result<Bundle, BundleError> {
    let other = if others.iter().any(|other| other.cut_off().is_some()) {
        let key = bundle::keys::file(bundle, version, MANIFEST);
        let manifest = objects.get(&key).await?;
        let manifest = manifest.ok_or_else(|| no_version(bundle, version))?;
        let wanted = bundle::profiles_checksum(&manifest);
        let same = |other: &&Arc<Bundle>| {
            wanted.is_some() && other.profiles_checksum() == wanted.as_deref()
        };
        others.iter().find(same)
    } else {
        None
    };
    let opened = match other {
        Some(other) => {
            let files = bundle_files(bundle, version, objects).await?;
            Bundle::open_sharing(&files, other)
        }
        None => Bundle::open(&fetch(bundle, version, objects, is_any).await?),
    };
    of_version(bundle, version, opened)
}

/// Refuses a bundle that was copied to the folder of another version.
fn of_version(
    bundle: &str,
    version: &str,
    opened: Result<Bundle, bundle::Error>,
) -> Result<Bundle, BundleError> {
    let checked = opened.and_then(|opened| match opened.version() {
        found if found == version => Ok(opened),
        found => Err(bundle::Error::Version {
            found: found.to_owned(),
            expected: version.to_owned(),
        }),
    });
    checked.map_err(|source| BundleError::refused(format!("{bundle}/{version}"), source))
}

pub(crate) fn is_folder(bundle: &str) -> bool {
    bundle.starts_with(['/', '.'])
}

pub(crate) const fn is_any(_: &str) -> bool {
    true
}

/// Profiles may be large, and only the first look needs them.
fn is_not_profiles(name: &str) -> bool {
    name != PROFILES
}

pub(crate) fn read_folder(bundle: &str, include: fn(&str) -> bool) -> Result<Files, BundleError> {
    let path = Path::new(bundle);
    let files = try_read_folder(path, include);
    files.map_err(|source| BundleError::Folder(path.to_owned(), source))
}

fn try_read_folder(path: &Path, include: fn(&str) -> bool) -> io::Result<Files> {
    let mut found = BTreeMap::new();
    for entry in std::fs::read_dir(path)? {
        let entry = entry?;
        let name = entry.file_name().to_string_lossy().into_owned();
        if entry.file_type()?.is_file() && include(&name) {
            found.insert(name, std::fs::read(entry.path())?);
        }
    }
    Ok(found)
}

/// Downloads the files of this version, all at once.
async fn fetch(
    bundle: &str,
    version: &str,
    objects: &impl Objects,
    include: fn(&str) -> bool,
) -> Result<Files, BundleError> {
    let prefix = bundle::keys::version(bundle, version);
    let listed = objects.list(&prefix).await?;
    if listed.is_empty() {
        return Err(no_version(bundle, version));
    }
    let mut downloads = Vec::new();
    for object in listed {
        let name = object.key.strip_prefix(&prefix).unwrap_or(&object.key);
        if include(name) {
            downloads.push(download(name.to_owned(), object.key, objects));
        }
    }
    Ok(try_join_all(downloads).await?.into_iter().collect())
}

fn no_version(bundle: &str, version: &str) -> BundleError {
    BundleError::NoVersion {
        bundle: bundle.to_owned(),
        version: version.to_owned(),
    }
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
