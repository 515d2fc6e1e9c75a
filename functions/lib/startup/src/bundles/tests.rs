use harness::fixture::profiled;
use harness::memory::{Fault, Faults, Objects as Memory};

use super::*;
use crate::bundle::tests::{point, store, upload};

const LEAD: Duration = Duration::from_secs(60);

fn second(second: i64) -> Timestamp {
    Timestamp::from_second(1_700_000_000 + second).unwrap()
}

/// Adds an activation to the pointer.
async fn activate(objects: &Memory, version: &str, at: i64) {
    let pointer = read_pointer("small", objects).await.unwrap();
    let changed = pointer.activate(version, second(at), second(at), Duration::ZERO);
    let bytes = changed.unwrap().to_bytes().unwrap();
    objects.set(&bundle::keys::pointer("small"), bytes);
}

async fn open_at(objects: &Memory, now: i64) -> Bundles {
    let bundles = Bundles::open("small", LEAD, second(now), objects).await;
    bundles.unwrap()
}

fn versions(bundles: &Bundles) -> Vec<&str> {
    bundles.open.iter().map(|open| open.version()).collect()
}

#[tokio::test]
async fn the_arrival_decides_which_version_judges() {
    let objects = Memory::new();
    let first = upload(&objects, 1.0);
    let second_version = upload(&objects, 2.0);
    point(&objects, &first);
    activate(&objects, &second_version, 100).await;
    let mut bundles = open_at(&objects, 50).await;
    for (arrival, version) in [(99, &first), (100, &second_version), (-999, &first)] {
        let judge = bundles.bundle_at(second(arrival), &objects).await.unwrap();
        assert_eq!(judge.version(), version, "{arrival}");
    }
}

#[tokio::test]
async fn the_pointer_is_read_again_after_half_of_the_lead() {
    let faults = Faults::none();
    let objects = Memory::with(&faults);
    let first = upload(&objects, 1.0);
    let second_version = upload(&objects, 2.0);
    point(&objects, &first);
    let mut bundles = open_at(&objects, 0).await;
    activate(&objects, &second_version, 61).await;

    let before = faults.calls().len();
    bundles.follow(second(30), &objects).await.unwrap();
    assert_eq!(faults.calls().len(), before, "the copy is young enough");
    bundles.follow(second(31), &objects).await.unwrap();
    assert_eq!(faults.calls().len(), before + 1);
    assert_eq!(bundles.version_at(second(61)), second_version);
    bundles.follow(second(5), &objects).await.unwrap();
    assert_eq!(faults.calls().len(), before + 2, "the clock was set back");
}

#[tokio::test]
async fn an_old_copy_of_the_pointer_that_cannot_be_read_again_is_an_error() {
    let faults = Faults::none();
    let objects = Memory::with(&faults);
    let first = upload(&objects, 1.0);
    point(&objects, &first);
    let mut bundles = open_at(&objects, 0).await;
    faults.add(Fault::on("get"));
    bundles.follow(second(30), &objects).await.unwrap();
    let error = bundles.follow(second(31), &objects).await.unwrap_err();
    assert!(error.is_transient());
    assert!(bundles.follow(second(32), &objects).await.is_err());
    faults.clear();
    bundles.follow(second(33), &objects).await.unwrap();
}

#[tokio::test]
async fn the_next_version_is_open_before_its_activation_and_the_replaced_one_is_closed() {
    let faults = Faults::none();
    let objects = Memory::with(&faults);
    let first = upload(&objects, 1.0);
    let second_version = upload(&objects, 2.0);
    point(&objects, &first);
    activate(&objects, &second_version, 100).await;
    let mut bundles = open_at(&objects, 50).await;
    assert_eq!(versions(&bundles), [&first]);
    bundles.open_next(second(50), &objects).await;
    assert_eq!(versions(&bundles), [&first, &second_version]);
    let before = faults.calls().len();
    bundles.bundle_at(second(100), &objects).await.unwrap();
    assert_eq!(faults.calls().len(), before, "no batch waits for it");

    bundles.open_next(second(200), &objects).await;
    assert_eq!(
        versions(&bundles),
        [&first, &second_version],
        "late records"
    );
    bundles.open_next(second(500), &objects).await;
    assert_eq!(versions(&bundles), [&second_version]);
}

#[tokio::test]
async fn equal_profiles_are_downloaded_once_and_shared() {
    let faults = Faults::none();
    let objects = Memory::with(&faults);
    let first = upload(&objects, 1.0);
    let files = profiled(Timestamp::UNIX_EPOCH, Some(&[("C1", 1.0)]));
    let definition = String::from_utf8(files[bundle::DEFINITION].clone()).unwrap();
    let opened = bundle::Bundle::open(&files).unwrap();
    let mut same_profiles = files;
    same_profiles.insert(
        bundle::DEFINITION.to_owned(),
        format!("# Another version.\n{definition}").into_bytes(),
    );
    let profiles = features::Profiles::from_bytes(&same_profiles[bundle::PROFILES]).unwrap();
    let resealed = bundle::replace_profiles(same_profiles, &profiles).unwrap();
    let second_version = store(&objects, resealed);
    assert_ne!(opened.version(), second_version);

    point(&objects, &first);
    activate(&objects, &second_version, 100).await;
    let mut bundles = open_at(&objects, 50).await;
    bundles.open_next(second(50), &objects).await;
    let one = bundles.bundle_at(second(50), &objects).await.unwrap();
    let two = bundles.bundle_at(second(100), &objects).await.unwrap();
    assert!(one.shares_profiles_with(&two));
    let calls = faults.calls();
    let profiles = calls.iter().filter(|call| call.ends_with(bundle::PROFILES));
    assert_eq!(profiles.count(), 1, "{calls:?}");
}

#[tokio::test]
async fn at_most_three_versions_are_open() {
    let objects = Memory::new();
    let mut uploaded = Vec::new();
    for mean in [1.0, 2.0, 3.0, 4.0] {
        uploaded.push(upload(&objects, mean));
    }
    point(&objects, &uploaded[0]);
    let mut bundles = open_at(&objects, 0).await;
    for version in &uploaded {
        let opened = bundles.by_version(version, &objects).await.unwrap();
        assert_eq!(opened.version(), version);
    }
    assert_eq!(versions(&bundles), uploaded[1..]);
}

#[tokio::test]
async fn a_refused_version_judges_nothing_until_it_is_repaired() {
    let faults = Faults::none();
    let objects = Memory::with(&faults);
    let first = upload(&objects, 1.0);
    let second_version = upload(&objects, 2.0);
    let model = bundle::keys::file("small", &second_version, "first.model");
    let good = objects.bytes(&model).unwrap();
    objects.set(&model, "broken");
    point(&objects, &first);
    activate(&objects, &second_version, 100).await;

    let mut bundles = open_at(&objects, 50).await;
    bundles.open_next(second(50), &objects).await;
    let before = faults.calls().len();
    bundles.open_next(second(51), &objects).await;
    assert_eq!(faults.calls().len(), before, "it is not downloaded again");
    let judge = bundles.bundle_at(second(99), &objects).await.unwrap();
    assert_eq!(judge.version(), first);
    let refused = bundles.bundle_at(second(100), &objects).await.unwrap_err();
    assert!(!refused.is_transient());
    objects.set(&model, good);
    let judge = bundles.bundle_at(second(100), &objects).await.unwrap();
    assert_eq!(judge.version(), second_version);
}
