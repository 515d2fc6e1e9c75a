//! `bundle.json`: format, name, version, policy, and the checksum of each other file.

use std::collections::BTreeMap;

use decision::Policy;
use features::Profiles;
use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};

use crate::files::{FORMAT, MANIFEST, PROFILES};
use crate::{Bundle, Error};

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Manifest {
    pub(crate) format: u32,
    pub(crate) name: String,
    pub(crate) version: String,
    pub(crate) files: BTreeMap<String, String>,
    pub(crate) policy: Policy,
    /// The cut-off of the profiles. `None` without profiles.
    #[serde(default)]
    pub(crate) cut_off: Option<Timestamp>,
}

impl Manifest {
    pub(crate) fn read(files: &BTreeMap<String, Vec<u8>>) -> Result<Self, Error> {
        let bytes = files
            .get(MANIFEST)
            .ok_or_else(|| Error::Missing(MANIFEST.to_owned()))?;
        let manifest: Self =
            serde_json::from_slice(bytes).map_err(|source| Error::Json(MANIFEST, source))?;
        if manifest.format == FORMAT {
            Ok(manifest)
        } else {
            Err(Error::Format(manifest.format))
        }
    }
}

/// The checksum of the profiles that a manifest lists. `None` if it lists none or is not valid.
pub fn profiles_checksum(manifest: &[u8]) -> Option<String> {
    let manifest: Manifest = serde_json::from_slice(manifest).ok()?;
    manifest.files.get(PROFILES).cloned()
}

/// The cut-off of the profiles that a manifest lists. `None` without profiles.
pub fn profiles_cut_off(manifest: &[u8]) -> Result<Option<Timestamp>, Error> {
    let manifest: Manifest =
        serde_json::from_slice(manifest).map_err(|source| Error::Json(MANIFEST, source))?;
    Ok(manifest.cut_off)
}

/// The same bundle with other profiles, and so with another version.
pub fn replace_profiles(
    mut files: BTreeMap<String, Vec<u8>>,
    profiles: &Profiles,
) -> Result<BTreeMap<String, Vec<u8>>, Error> {
    let Manifest { name, policy, .. } = Manifest::read(&files)?;
    files.remove(MANIFEST);
    files.insert(PROFILES.to_owned(), profiles.to_bytes());
    seal(files, name, policy)
}

/// Adds the manifest, and opens the bundle: one that can't be opened must not be published.
pub(crate) fn seal(
    mut files: BTreeMap<String, Vec<u8>>,
    name: String,
    policy: Policy,
) -> Result<BTreeMap<String, Vec<u8>>, Error> {
    let checksums = files
        .iter()
        .map(|(name, bytes)| (name.clone(), checksum(bytes)))
        .collect();
    let cut_off = match files.get(PROFILES) {
        Some(bytes) => Some(Profiles::from_bytes(bytes)?.cut_off()),
        None => None,
    };
    let version = version(&checksums, &policy, cut_off)?;
    let manifest = Manifest {
        format: FORMAT,
        name,
        version,
        files: checksums,
        policy,
        cut_off,
    };
    let manifest =
        serde_json::to_vec_pretty(&manifest).map_err(|source| Error::Json(MANIFEST, source))?;
    files.insert(MANIFEST.to_owned(), manifest);
    Bundle::open(&files)?;
    Ok(files)
}

/// Derived from the content alone, not from the time: the same training gives the same version.
pub(crate) fn version(
    checksums: &BTreeMap<String, String>,
    policy: &Policy,
    cut_off: Option<Timestamp>,
) -> Result<String, Error> {
    let content = serde_json::to_vec(&(checksums, policy, cut_off))
        .map_err(|source| Error::Json(MANIFEST, source))?;
    Ok(checksum(&content).chars().take(16).collect())
}

/// SHA-256 in lower-case hexadecimal.
pub(crate) fn checksum(bytes: &[u8]) -> String {
    hex::encode(Sha256::digest(bytes))
}
