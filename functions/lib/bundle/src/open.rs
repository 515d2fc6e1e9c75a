//! Opens a bundle from its files, and checks all of them.

use std::collections::BTreeMap;
use std::sync::Arc;

use features::{Categories, Definition, Look, Profiles};
use scoring::Model;

use crate::bundle::SharedProfiles;
use crate::files::{CATEGORIES, CONFIRM, DEFINITION, FIRST, GOLDEN, MANIFEST, PROFILES};
use crate::manifest::{Manifest, checksum, version};
use crate::{Bundle, Error, Models};

type Files = BTreeMap<String, Vec<u8>>;

#[derive(Clone, Copy)]
enum ProfilesFile<'a> {
    Read,
    Ignore,
    /// Another bundle's, unless the manifest lists other profiles.
    Share(&'a SharedProfiles),
}

impl Bundle {
    /// Opens a bundle. `files` maps names to contents. Nothing is trusted: checksums, version,
    /// definition, policy, models and profiles are checked, and the golden vectors are scored
    /// again.
    pub fn open(files: &BTreeMap<String, Vec<u8>>) -> Result<Self, Error> {
        open(files, ProfilesFile::Read)
    }

    /// As [`Bundle::open`], but ignores the profiles' file, which may be missing. The second look
    /// does not need it.
    pub fn open_without_profiles(files: &BTreeMap<String, Vec<u8>>) -> Result<Self, Error> {
        open(files, ProfilesFile::Ignore)
    }

    /// As [`Bundle::open`], but if the profiles are those of `other`, they are shared with it, and
    /// their file may be missing. [`crate::profiles_checksum`] tells whether they are.
    pub fn open_sharing(files: &BTreeMap<String, Vec<u8>>, other: &Self) -> Result<Self, Error> {
        match &other.profiles {
            Some(profiles) => open(files, ProfilesFile::Share(profiles)),
            None => open(files, ProfilesFile::Read),
        }
    }
}

fn open(files: &Files, mut profiles_file: ProfilesFile<'_>) -> Result<Bundle, Error> {
    let manifest = Manifest::read(files)?;
    let listed = manifest.files.get(PROFILES);
    if let ProfilesFile::Share(shared) = profiles_file
        && listed != Some(&shared.checksum)
    {
        profiles_file = ProfilesFile::Read;
    }
    check_files(&manifest, files, profiles_file)?;
    let text = std::str::from_utf8(file(files, DEFINITION)?).map_err(|_| Error::Utf8)?;
    let definition = Definition::parse(text)?;
    let models = Models {
        first: model(files, FIRST, &definition.first)?,
        confirm: model(files, CONFIRM, &definition.confirm)?,
    };
    let categories = match files.get(CATEGORIES) {
        Some(bytes) => Categories::from_bytes(bytes)?,
        None if definition.category_features().next().is_none() => Categories::default(),
        None => return Err(Error::Missing(CATEGORIES.to_owned())),
    };
    let profiles = match (profiles_file, files.get(PROFILES), listed) {
        (ProfilesFile::Share(shared), ..) => Some(shared.clone()),
        (ProfilesFile::Read, Some(bytes), Some(checksum)) => Some(SharedProfiles {
            content: Arc::new(Profiles::from_bytes(bytes)?),
            checksum: checksum.clone(),
        }),
        _ => None,
    };
    let mut bundle = Bundle::new(
        definition,
        manifest.version,
        manifest.policy,
        models,
        categories,
        profiles,
    )?;
    if bundle.profiles.is_some() && bundle.cut_off != manifest.cut_off {
        return Err(Error::CutOff);
    }
    bundle.cut_off = manifest.cut_off;
    let golden = serde_json::from_slice(file(files, GOLDEN)?)
        .map_err(|source| Error::Json(GOLDEN, source))?;
    bundle.check_golden(&golden)?;
    Ok(bundle)
}

/// Compares the files with the manifest's checksums, and its version with its content.
fn check_files(
    manifest: &Manifest,
    files: &Files,
    profiles_file: ProfilesFile<'_>,
) -> Result<(), Error> {
    for (name, expected) in &manifest.files {
        if name == PROFILES && !matches!(profiles_file, ProfilesFile::Read) {
            continue;
        }
        let found = checksum(file(files, name)?);
        if found != *expected {
            return Err(Error::Checksum {
                file: name.clone(),
                found,
                expected: expected.clone(),
            });
        }
    }
    for name in files.keys() {
        if name != MANIFEST && !manifest.files.contains_key(name) {
            return Err(Error::Unlisted(name.clone()));
        }
    }
    let expected = version(&manifest.files, &manifest.policy, manifest.cut_off)?;
    if expected != manifest.version {
        return Err(Error::Version {
            found: manifest.version.clone(),
            expected,
        });
    }
    Ok(())
}

fn file<'f>(files: &'f Files, name: &str) -> Result<&'f Vec<u8>, Error> {
    files
        .get(name)
        .ok_or_else(|| Error::Missing(name.to_owned()))
}

fn model(files: &Files, name: &'static str, look: &Look) -> Result<Model, Error> {
    let model =
        Model::from_bytes(file(files, name)?).map_err(|source| Error::Model(name, source))?;
    if model.features() != look.features.len() {
        return Err(Error::Columns {
            file: name,
            found: model.features(),
            expected: look.features.len(),
        });
    }
    Ok(model)
}
