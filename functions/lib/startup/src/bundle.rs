use std::collections::BTreeMap;
use std::io;
use std::path::PathBuf;
use std::time::{Duration, Instant};

use bundle::{Bundle, PROFILES};
use futures_util::future::try_join_all;
use serde::Deserialize;
use store::Objects;

use crate::chain;

/// Why there is no bundle to work with.
#[derive(Debug, thiserror::Error)]
pub enum BundleError {
    /// The bucket failed us.
    #[error("can't fetch {key}")]
    Objects {
        /// The key or prefix.
        key: String,
        /// What the bucket said.
        source: store::Error,
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
    Refused(String, #[source] bundle::Error),
}

/// `bundles/<name>/current.json`.
#[derive(Deserialize)]
struct Pointer {
    version: String,
}

/// Opens the bundle in use: of this name in the bucket, or in this folder where `bundle` is a path
/// (begins with `/` or `.`).
pub async fn open_bundle(bundle: &str, objects: &impl Objects) -> Result<Bundle, BundleError> {
    opened(bundle, &files(bundle, objects, true).await?)
}

fn opened(bundle: &str, files: &BTreeMap<String, Vec<u8>>) -> Result<Bundle, BundleError> {
    Bundle::open(files).map_err(|source| BundleError::Refused(bundle.to_owned(), source))
}

/// The same for the confirming look alone: its profiles, which may be large, are not fetched.
pub async fn open_confirming(bundle: &str, objects: &impl Objects) -> Result<Bundle, BundleError> {
    let files = bundle_files(bundle, objects).await?;
    Bundle::open_without_profiles(&files)
        .map_err(|source| BundleError::Refused(bundle.to_owned(), source))
}

/// The files of the bundle in use, by name, but for its profiles.
pub async fn bundle_files(
    bundle: &str,
    objects: &impl Objects,
) -> Result<BTreeMap<String, Vec<u8>>, BundleError> {
    files(bundle, objects, false).await
}

async fn files(
    bundle: &str,
    objects: &impl Objects,
    replace_profiles: bool,
) -> Result<BTreeMap<String, Vec<u8>>, BundleError> {
    let wanted = |name: &str| replace_profiles || name != PROFILES;
    if bundle.starts_with(['/', '.']) {
        folder(bundle.into(), wanted)
    } else {
        fetch(bundle, &current(bundle, objects).await?, objects, wanted).await
    }
}

/// A bundle that is served for long, and the pointer that may move on.
#[derive(Debug)]
pub struct Follower {
    bundle: String,
    look_at: Instant,
    refused: Option<String>,
}

impl Follower {
    /// How often the pointer is looked at, before a batch: a small object, read in some milliseconds.
    pub const EVERY: Duration = Duration::from_secs(2);
    /// How long what failed is left alone: batches wait while a whole bundle is fetched.
    const AFTER_FAILURE: Duration = Duration::from_secs(60);

    /// Follows the bundle of this name, which was opened just now. One in a folder stays what it is.
    pub fn new(bundle: &str) -> Self {
        Self {
            bundle: bundle.to_owned(),
            look_at: Instant::now() + Self::EVERY,
            refused: None,
        }
    }

    /// The bundle in use, if that is not `version`, looked for once in [`Self::EVERY`] at the most. What
    /// can't be fetched or is refused is logged, and the bundle that was served goes on being served;
    /// what is refused is not fetched again.
    pub async fn newer(&mut self, version: &str, objects: &impl Objects) -> Option<Bundle> {
        if self.bundle.starts_with(['/', '.']) || Instant::now() < self.look_at {
            return None;
        }
        self.look_at = Instant::now() + Self::EVERY;
        let current = match current(&self.bundle, objects).await {
            Ok(current) => current,
            Err(error) => {
                tracing::error!(
                    bundle = self.bundle,
                    error = chain(&error),
                    "the pointer can't be followed"
                );
                return None;
            }
        };
        if current == version || self.refused.as_ref() == Some(&current) {
            return None;
        }
        let files = fetch(&self.bundle, &current, objects, |_| true).await;
        match files.and_then(|files| opened(&self.bundle, &files)) {
            Ok(newer) => {
                tracing::info!(
                    bundle = self.bundle,
                    version = newer.version(),
                    before = version,
                    "bundle followed"
                );
                Some(newer)
            }
            Err(error) => {
                tracing::error!(
                    bundle = self.bundle,
                    version = current,
                    error = chain(&error),
                    "bundle not followed"
                );
                self.look_at = Instant::now() + Self::AFTER_FAILURE;
                self.refused = matches!(error, BundleError::Refused(..)).then_some(current);
                None
            }
        }
    }
}

fn folder(
    path: PathBuf,
    wanted: impl Fn(&str) -> bool,
) -> Result<BTreeMap<String, Vec<u8>>, BundleError> {
    let read = || {
        let mut files = BTreeMap::new();
        for entry in std::fs::read_dir(&path)? {
            let entry = entry?;
            let name = entry.file_name().to_string_lossy().into_owned();
            if entry.file_type()?.is_file() && wanted(&name) {
                files.insert(name, std::fs::read(entry.path())?);
            }
        }
        Ok(files)
    };
    read().map_err(|source| BundleError::Folder(path.clone(), source))
}

/// The version in use.
async fn current(bundle: &str, objects: &impl Objects) -> Result<String, BundleError> {
    let pointer = bundle::keys::pointer(bundle);
    let bytes = objects
        .get(&pointer)
        .await
        .map_err(BundleError::objects(&pointer))?;
    let bytes = bytes.ok_or_else(|| BundleError::NoPointer(pointer.clone()))?;
    let Pointer { version } =
        serde_json::from_slice(&bytes).map_err(|source| BundleError::Pointer(pointer, source))?;
    Ok(version)
}

async fn fetch(
    bundle: &str,
    version: &str,
    objects: &impl Objects,
    wanted: impl Fn(&str) -> bool,
) -> Result<BTreeMap<String, Vec<u8>>, BundleError> {
    let prefix = bundle::keys::version(bundle, version);
    let listed = objects
        .list(&prefix)
        .await
        .map_err(BundleError::objects(&prefix))?;
    let named = listed.into_iter().map(|file| {
        (
            file.key
                .strip_prefix(&prefix)
                .unwrap_or(&file.key)
                .to_owned(),
            file.key,
        )
    });
    let files = named
        .filter(|(name, _)| wanted(name))
        .map(|(name, key)| async {
            let bytes = objects
                .get(&key)
                .await
                .map_err(BundleError::objects(&key))?;
            Ok((name, bytes.ok_or(BundleError::Gone(key))?))
        });
    Ok(try_join_all(files).await?.into_iter().collect())
}

impl BundleError {
    fn objects(key: &str) -> impl FnOnce(store::Error) -> Self {
        let key = key.to_owned();
        |source| Self::Objects { key, source }
    }
}

#[cfg(test)]
mod tests {
    use harness::fixture::profiled;
    use harness::memory::{Fault, Faults, Objects as Memory};
    use jiff::Timestamp;
    use sha2::{Digest, Sha256};

    use super::*;

    fn put(objects: &Memory, mean: f64) -> String {
        let files = profiled(Timestamp::UNIX_EPOCH, Some(&[("C1", mean)]));
        let version = Bundle::open(&files).unwrap().version().to_owned();
        for (name, bytes) in files {
            objects.set(&bundle::keys::file("small", &version, &name), bytes);
        }
        point(objects, &version);
        version
    }

    fn point(objects: &Memory, version: &str) {
        objects.set(
            &bundle::keys::pointer("small"),
            format!("{{\"version\": \"{version}\"}}"),
        );
    }

    /// As if it had looked long ago.
    fn due(follower: &mut Follower) {
        follower.look_at = Instant::now();
    }

    #[tokio::test]
    async fn a_pointer_that_moved_is_followed_now_and_then() {
        let objects = Memory::new();
        let first = put(&objects, 1.0);
        let mut follower = Follower::new("small");
        let second = put(&objects, 2.0);
        assert!(
            follower.newer(&first, &objects).await.is_none(),
            "it was opened just now"
        );
        due(&mut follower);
        assert_eq!(
            follower.newer(&first, &objects).await.unwrap().version(),
            second
        );
        due(&mut follower);
        assert!(follower.newer(&second, &objects).await.is_none());
    }

    #[tokio::test]
    async fn what_cannot_be_followed_is_left_and_what_is_refused_is_not_fetched_again() {
        let faults = Faults::none();
        let objects = Memory::with(&faults);
        let first = put(&objects, 1.0);
        let second = put(&objects, 2.0);
        let mut follower = Follower::new("small");
        faults.add(Fault::on("get"));
        due(&mut follower);
        assert!(
            follower.newer(&first, &objects).await.is_none(),
            "the bucket fails"
        );
        faults.clear();
        objects.set(
            &bundle::keys::file("small", &second, "first.model"),
            "broken",
        );
        due(&mut follower);
        assert!(
            follower.newer(&first, &objects).await.is_none(),
            "it is refused"
        );
        let before = faults.calls().len();
        follower.look_at -= Follower::EVERY;
        assert!(follower.newer(&first, &objects).await.is_none());
        assert_eq!(
            faults.calls().len(),
            before,
            "what failed is left alone for a while"
        );
        due(&mut follower);
        assert!(follower.newer(&first, &objects).await.is_none());
        assert_eq!(
            faults.calls().len(),
            before + 1,
            "the pointer alone is read again"
        );
        let third = put(&objects, 3.0);
        due(&mut follower);
        assert_eq!(
            follower.newer(&first, &objects).await.unwrap().version(),
            third
        );
    }

    /// The bundle as a folder on disk.
    fn folder(files: &BTreeMap<String, Vec<u8>>) -> tempfile::TempDir {
        let folder = tempfile::tempdir().unwrap();
        for (name, bytes) in files {
            std::fs::write(folder.path().join(name), bytes).unwrap();
        }
        folder
    }

    #[tokio::test]
    async fn a_bundle_is_opened_where_the_pointer_says_or_from_a_folder() {
        let objects = Memory::new();
        let missing = open_bundle("small", &objects).await.unwrap_err();
        assert!(
            missing
                .to_string()
                .starts_with("bundles/small/current.json is not there: train"),
            "{missing}"
        );
        let (first, second) = (put(&objects, 1.0), put(&objects, 2.0));
        assert_eq!(
            open_bundle("small", &objects).await.unwrap().version(),
            second
        );
        point(&objects, &first);
        assert_eq!(
            open_bundle("small", &objects).await.unwrap().version(),
            first
        );
        objects.set(&bundle::keys::pointer("small"), "{}");
        assert!(matches!(
            open_bundle("small", &objects).await,
            Err(BundleError::Pointer(..))
        ));

        let folder = folder(&profiled(Timestamp::UNIX_EPOCH, Some(&[("C1", 2.0)])));
        let path = folder.path().to_str().unwrap();
        assert_eq!(
            open_bundle(path, &objects).await.unwrap().version(),
            second,
            "the same files, the same version"
        );
        let nowhere = open_bundle("./no/such/folder", &objects).await.unwrap_err();
        assert_eq!(nowhere.to_string(), "can't read ./no/such/folder");
    }

    #[tokio::test]
    async fn a_byte_that_flipped_anywhere_is_a_bundle_refused() {
        let files = profiled(Timestamp::UNIX_EPOCH, Some(&[("C1", 1.0)]));
        for name in files.keys() {
            let objects = Memory::new();
            let version = put(&objects, 1.0);
            let mut broken = files.clone();
            let bytes = broken.get_mut(name).unwrap();
            let middle = bytes.len() / 2;
            bytes[middle] ^= 1;
            objects.set(&bundle::keys::file("small", &version, name), bytes.clone());
            let folder = folder(&broken);
            for place in ["small", folder.path().to_str().unwrap()] {
                let refused = open_bundle(place, &objects).await.unwrap_err();
                let said = matches!(&refused, BundleError::Refused(said, _) if said == place);
                assert!(said, "{name} in {place}: {refused}");
            }
        }
    }

    /// Promise 6, past the checksums: what is served must score as it did when it was built.
    #[tokio::test]
    async fn a_bundle_that_does_not_score_as_when_it_was_built_is_refused_though_its_checksums_agree()
     {
        let files = profiled(Timestamp::UNIX_EPOCH, Some(&[("C1", 1.0)]));
        for (look, what) in [("first", "transaction"), ("confirm", "hold")] {
            let mut golden: serde_json::Value =
                serde_json::from_slice(&files["golden.json"]).unwrap();
            let score = &mut golden[look][0]["score"];
            *score = (score.as_f64().unwrap() + 0.001).into();
            let mut altered = files.clone();
            altered.insert(
                "golden.json".to_owned(),
                serde_json::to_vec(&golden).unwrap(),
            );
            let resealed = reseal(altered);
            let objects = Memory::new();
            for (name, bytes) in &resealed {
                objects.set(&bundle::keys::file("small", "altered", name), bytes.clone());
            }
            point(&objects, "altered");
            let refused = open_bundle("small", &objects).await.unwrap_err();
            let BundleError::Refused(
                _,
                bundle::Error::Golden {
                    what: found,
                    place: 0,
                    ..
                },
            ) = refused
            else {
                panic!("{look}: {}", chain(&refused));
            };
            assert_eq!(found, what);
        }
        assert!(
            Bundle::open(&reseal(files)).is_ok(),
            "it is the score that is refused, and not the seal"
        );
    }

    /// The files with checksums and version as they would be if they had been built so.
    fn reseal(mut files: BTreeMap<String, Vec<u8>>) -> BTreeMap<String, Vec<u8>> {
        let hex = |bytes: &[u8]| {
            Sha256::digest(bytes)
                .iter()
                .map(|byte| format!("{byte:02x}"))
                .collect::<String>()
        };
        let manifest = files.remove("bundle.json").unwrap();
        let mut manifest: serde_json::Value = serde_json::from_slice(&manifest).unwrap();
        let sums: BTreeMap<_, _> = files
            .iter()
            .map(|(name, bytes)| (name.clone(), hex(bytes)))
            .collect();
        let policy: decision::Policy = serde_json::from_value(manifest["policy"].clone()).unwrap();
        manifest["version"] = hex(&serde_json::to_vec(&(&sums, policy)).unwrap())[..16].into();
        manifest["files"] = serde_json::to_value(sums).unwrap();
        files.insert(
            "bundle.json".to_owned(),
            serde_json::to_vec(&manifest).unwrap(),
        );
        files
    }

    #[tokio::test]
    async fn the_confirming_look_does_not_fetch_the_profiles() {
        let faults = Faults::none();
        let objects = Memory::with(&faults);
        let version = put(&objects, 1.0);
        assert_eq!(
            open_confirming("small", &objects).await.unwrap().version(),
            version
        );
        assert!(
            !faults.calls().iter().any(|call| call.contains(PROFILES)),
            "{:?}",
            faults.calls()
        );
    }
}
