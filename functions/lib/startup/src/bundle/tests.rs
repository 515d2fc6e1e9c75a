use harness::fixture::profiled;
use harness::memory::{Faults, Objects as Memory};
use jiff::Timestamp;
use serde_json::Value;
use sha2::{Digest, Sha256};

use super::*;
use crate::{Bundles, chain};

/// Stores a bundle in which the customer C1 has this mean. Returns its version.
pub(crate) fn upload(objects: &Memory, mean: f64) -> String {
    store(objects, files(mean))
}

pub(crate) fn store(objects: &Memory, files: Files) -> String {
    let version = Bundle::open(&files).unwrap().version().to_owned();
    for (name, bytes) in files {
        objects.set(&bundle::keys::file("small", &version, &name), bytes);
    }
    version
}

fn files(mean: f64) -> Files {
    profiled(Timestamp::UNIX_EPOCH, Some(&[("C1", mean)]))
}

/// Makes this version the only one.
pub(crate) fn point(objects: &Memory, version: &str) {
    let pointer = bundle::Pointer::first(version, Timestamp::UNIX_EPOCH);
    let bytes = pointer.to_bytes().unwrap();
    objects.set(&bundle::keys::pointer("small"), bytes);
}

async fn open_bundle(bundle: &str, objects: &Memory) -> Result<Arc<Bundle>, BundleError> {
    let now = Timestamp::now();
    let lead = std::time::Duration::from_secs(60);
    let mut bundles = Bundles::open(bundle, lead, now, objects).await?;
    bundles.bundle_at(now, objects).await
}

fn folder_with(files: &Files) -> tempfile::TempDir {
    let folder = tempfile::tempdir().unwrap();
    for (name, bytes) in files {
        std::fs::write(folder.path().join(name), bytes).unwrap();
    }
    folder
}

#[tokio::test]
async fn a_missing_or_invalid_pointer_is_named() {
    let objects = Memory::new();
    let missing = open_bundle("small", &objects).await.unwrap_err();
    assert_eq!(
        missing.to_string(),
        "bundles/small/current.json does not exist: \
         train the bundle first, for instance with `look train`"
    );
    let version = upload(&objects, 1.0);
    point(&objects, &version);
    let opened = open_bundle("small", &objects).await.unwrap();
    assert_eq!(opened.version(), version);
    objects.set(&bundle::keys::pointer("small"), "{}");
    let broken = open_bundle("small", &objects).await;
    assert!(matches!(broken, Err(BundleError::Pointer(..))));
}

#[tokio::test]
async fn the_definition_of_a_version_is_read_alone() {
    let faults = Faults::none();
    let objects = Memory::with(&faults);
    let version = upload(&objects, 1.0);
    let definition = definition_of("small", &version, &objects).await.unwrap();
    assert_eq!(definition.definition.name, "small");
    assert_eq!(faults.calls().len(), 2, "{:?}", faults.calls());
    let missing = definition_of("small", "none", &objects).await.unwrap_err();
    assert!(!missing.is_transient());
    let folder = folder_with(&files(1.0));
    let path = folder.path().to_str().unwrap();
    let of_folder = definition_of(path, &version, &objects).await.unwrap();
    assert_eq!(of_folder, definition);
    assert!(definition_of(path, "none", &objects).await.is_err());
}

#[tokio::test]
async fn a_folder_is_opened_by_its_path() {
    let objects = Memory::new();
    let version = upload(&objects, 2.0);
    let folder = folder_with(&files(2.0));
    let path = folder.path().to_str().unwrap();
    let opened = open_bundle(path, &objects).await.unwrap();
    assert_eq!(opened.version(), version, "equal files, equal version");
    let missing = open_bundle("./no/such/folder", &objects).await;
    assert_eq!(
        missing.unwrap_err().to_string(),
        "can't read ./no/such/folder"
    );
}

#[tokio::test]
async fn an_unreachable_bucket_is_reported_once() {
    let faults = Faults::none();
    let objects = Memory::with(&faults);
    faults.add(harness::memory::Fault::on("get"));
    let error = open_bundle("small", &objects).await.unwrap_err();
    let line = chain(&error);
    assert_eq!(line.matches("current.json").count(), 1, "{line}");
}

#[tokio::test]
async fn a_flipped_byte_in_any_file_refuses_the_bundle() {
    let files = files(1.0);
    for name in files.keys() {
        let objects = Memory::new();
        let version = upload(&objects, 1.0);
        point(&objects, &version);
        let mut broken = files.clone();
        let bytes = broken.get_mut(name).unwrap();
        let middle = bytes.len() / 2;
        bytes[middle] ^= 1;
        objects.set(&bundle::keys::file("small", &version, name), bytes.clone());
        let folder = folder_with(&broken);
        for place in ["small", folder.path().to_str().unwrap()] {
            let refused = open_bundle(place, &objects).await.unwrap_err();
            let BundleError::Refused(named, _) = &refused else {
                panic!("{name} in {place}: {refused}");
            };
            let names_place = named.starts_with(place);
            assert!(names_place, "{name} in {place}: {refused}");
        }
    }
}

/// Guarantee 6, independent of the checksums: the bundle must score as it did when it was built.
#[tokio::test]
async fn a_changed_score_refuses_a_bundle_with_valid_checksums() {
    for (look, item) in [("first", "transaction"), ("confirm", "hold")] {
        let mut altered = files(1.0);
        let mut golden: Value = serde_json::from_slice(&altered["golden.json"]).unwrap();
        let score = &mut golden[look][0]["score"];
        *score = (score.as_f64().unwrap() + 0.001).into();
        altered.insert("golden.json".into(), serde_json::to_vec(&golden).unwrap());

        let objects = Memory::new();
        for (name, bytes) in &reseal(altered) {
            objects.set(&bundle::keys::file("small", "altered", name), bytes.clone());
        }
        point(&objects, "altered");
        let refused = open_bundle("small", &objects).await.unwrap_err();
        let BundleError::Refused(_, error) = &refused else {
            panic!("{look}: {}", chain(&refused));
        };
        let bundle::Error::Golden { kind, index: 0, .. } = **error else {
            panic!("{look}: {}", chain(&refused));
        };
        assert_eq!(kind, item);
    }
    let unchanged = Bundle::open(&reseal(files(1.0)));
    assert!(unchanged.is_ok(), "the new checksums are valid");
}

/// Computes checksums and version again, as if the bundle had been built from these files.
fn reseal(mut files: Files) -> Files {
    let manifest = files.remove("bundle.json").unwrap();
    let mut manifest: Value = serde_json::from_slice(&manifest).unwrap();
    let mut sums = BTreeMap::new();
    for (name, bytes) in &files {
        sums.insert(name.clone(), hex::encode(Sha256::digest(bytes)));
    }
    let policy: decision::Policy = serde_json::from_value(manifest["policy"].clone()).unwrap();
    let sealed = serde_json::to_vec(&(&sums, policy, &manifest["cut_off"])).unwrap();
    manifest["version"] = hex::encode(Sha256::digest(sealed))[..16].into();
    manifest["files"] = serde_json::to_value(sums).unwrap();
    files.insert(
        "bundle.json".to_owned(),
        serde_json::to_vec(&manifest).unwrap(),
    );
    files
}

#[tokio::test]
async fn the_second_look_does_not_download_the_profiles() {
    let faults = Faults::none();
    let objects = Memory::with(&faults);
    let version = upload(&objects, 1.0);
    point(&objects, &version);
    let opened = open_confirm_bundle("small", &objects).await.unwrap();
    assert_eq!(opened.version(), version);
    let calls = faults.calls();
    assert!(
        !calls.iter().any(|call| call.contains(PROFILES)),
        "{calls:?}"
    );
}
