//! What the first look does with profiles, and without.

#![expect(
    clippy::unwrap_used,
    reason = "a test fails by panicking, and says where it is"
)]

use bundle::{Bundle, Error, PROFILES, Scratch, replace_profiles};
use decision::{Batch, Origin};
use features::{Definition, Profiles, ProfilesError, TableBuilder};
use harness::fixture::{profiled, profiled_definition};
use jiff::Timestamp;
use serde_json::json;

const CUT_OFF: &str = "2026-01-31T00:00:00Z";

fn cut_off() -> Timestamp {
    CUT_OFF.parse().unwrap()
}

/// How many allocations it makes.
fn allocations(mut of: impl FnMut()) -> u64 {
    allocation_counter::measure(&mut of).count_total
}

/// Each customer's score at this time, and the missing profiles.
fn look(bundle: &Bundle, customers: &[&str], occurred_at: &str) -> Vec<(f64, Vec<String>)> {
    let lines = customers.iter().map(|customer| {
        let id = format!("T-{customer}");
        json!({"transaction_id": id, "occurred_at": occurred_at, "amount": 9.5, "customer_id": customer, "terminal_id": "S"})
    });
    let lines: Vec<String> = lines.map(|line| line.to_string()).collect();
    let mut batch = Batch::new(bundle.schema());
    for line in &lines {
        batch
            .read(
                line.as_bytes(),
                Origin { record: 0, item: 0 },
                Timestamp::MAX,
            )
            .unwrap();
    }
    let mut scratch = Scratch::default();
    let first = bundle.first_scores(&batch, &mut scratch);
    assert_eq!(first.missing.len(), customers.len());
    let told = first
        .scores
        .iter()
        .zip(first.missing)
        .map(|(score, missing)| (*score, bundle.degraded(*missing).to_vec()));
    told.collect()
}

#[test]
fn a_customer_is_judged_by_its_own_profile() {
    let bundle = Bundle::open(&profiled(
        cut_off(),
        Some(&[("poor", 20.0), ("rich", 80.0), ("new", f64::NAN)]),
    ))
    .unwrap();
    let found = look(
        &bundle,
        &["poor", "rich", "new", "poor"],
        "2026-01-31T12:00:00Z",
    );
    let held: Vec<bool> = found.iter().map(|(score, _)| *score > 0.5).collect();
    assert_eq!(held, [true, false, false, true]);
    assert!(
        found.iter().all(|(_, degraded)| degraded.is_empty()),
        "{found:?}"
    );
    assert_eq!(bundle.cut_off(), Some(cut_off()));
}

#[test]
fn missing_and_stale_profiles_are_named_in_degraded() {
    let names = |found: &[(f64, Vec<String>)]| {
        found
            .iter()
            .map(|(_, names)| names.join(" "))
            .collect::<Vec<_>>()
    };
    let bundle = Bundle::open(&profiled(cut_off(), Some(&[("poor", 20.0)]))).unwrap();
    let found = look(&bundle, &["poor", "stranger"], "2026-01-31T12:00:00Z");
    assert_eq!(names(&found), ["", "profile_missing:customer_id"]);
    assert!(found[1].0 < 0.5, "an unknown entity has empty windows");
    // The next profiles become active an hour after their cut-off.
    let next = look(&bundle, &["poor", "stranger"], "2026-02-01T00:59:59Z");
    assert_eq!(names(&next), ["", "profile_missing:customer_id"]);
    let late = look(&bundle, &["poor", "stranger"], "2026-02-01T01:00:00Z");
    assert_eq!(
        names(&late),
        [
            "profiles_stale",
            "profile_missing:customer_id profiles_stale"
        ]
    );
    assert_eq!(late[0].0, found[0].0, "a stale profile is still used");
    let none = Bundle::open(&profiled(cut_off(), None)).unwrap();
    let without = look(&none, &["poor"], "2026-01-31T12:00:00Z");
    assert_eq!(
        (names(&without), none.cut_off()),
        (vec!["profiles_missing".to_owned()], None)
    );
    assert_eq!(without[0].0, found[1].0);
}

#[test]
fn other_profiles_give_another_version_of_the_same_bundle() {
    let files = profiled(cut_off(), Some(&[("poor", 20.0)]));
    let definition = Definition::parse(&profiled_definition()).unwrap();
    let mut table = TableBuilder::new(&definition, 0).unwrap();
    table.push("poor", [1.0, 80.0].into_iter());
    let next = Profiles::build("2026-02-01T00:00:00Z".parse().unwrap(), vec![table]).unwrap();
    let refreshed = replace_profiles(files.clone(), &next).unwrap();
    let (before, after) = (
        Bundle::open(&files).unwrap(),
        Bundle::open(&refreshed).unwrap(),
    );
    assert_ne!(before.version(), after.version());
    assert_eq!(before.policy(), after.policy());
    let score = |bundle| look(bundle, &["poor"], "2026-02-01T12:00:00Z")[0].0;
    assert!(score(&before) > 0.5 && score(&after) < 0.5);
    let changed: Vec<&String> = files
        .keys()
        .filter(|name| files[*name] != refreshed[*name])
        .collect();
    assert_eq!(changed, ["bundle.json", PROFILES]);
}

#[test]
fn the_second_look_opens_a_bundle_without_profiles_and_other_tables_are_refused() {
    let mut files = profiled(cut_off(), Some(&[("poor", 20.0)]));
    let whole = Bundle::open(&files).unwrap();
    let bytes = files.remove(PROFILES).unwrap();
    assert!(matches!(Bundle::open(&files), Err(Error::Missing(name)) if name == PROFILES));
    assert_eq!(
        Bundle::open_without_profiles(&files).unwrap().version(),
        whole.version()
    );
    let stranger = Profiles::build(cut_off(), Vec::new()).unwrap();
    let refused = replace_profiles(files, &stranger).unwrap_err();
    assert!(
        matches!(refused, Error::Profiles(ProfilesError::Other)),
        "{refused}"
    );
    assert_eq!(Profiles::from_bytes(&bytes).unwrap().len(), 1);
}

#[test]
fn finding_a_profile_and_scoring_do_not_allocate() {
    let files = profiled(cut_off(), Some(&[("poor", 20.0), ("rich", 80.0)]));
    let profiles = Profiles::from_bytes(&files[PROFILES]).unwrap();
    let mut found = 0;
    let look_up = || {
        found = ["poor", "stranger"]
            .iter()
            .filter_map(|name| profiles.find(0, name))
            .count();
    };
    assert_eq!((allocations(look_up), found), (0, 1));

    let bundle = Bundle::open(&files).unwrap();
    let line = r#"{"transaction_id":"T","occurred_at":"2026-01-31T12:00:00Z","amount":9.5,"customer_id":"poor","terminal_id":"S"}"#;
    let mut batch = Batch::new(bundle.schema());
    for record in 0..100 {
        batch
            .read(line.as_bytes(), Origin { record, item: 0 }, Timestamp::MAX)
            .unwrap();
    }
    let mut scratch = Scratch::default();
    let mut score = || assert_eq!(bundle.first_scores(&batch, &mut scratch).scores.len(), 100);
    assert!(
        allocations(&mut score) > 0,
        "the first call grows the scratch"
    );
    assert_eq!(allocations(score), 0);
}

#[test]
fn equal_profiles_are_shared_and_others_are_read() {
    let files = profiled(cut_off(), Some(&[("C1", 20.0)]));
    let first = Bundle::open(&files).unwrap();
    let checksum = bundle::profiles_checksum(&files[bundle::MANIFEST]);
    assert_eq!(checksum.as_deref(), first.profiles_checksum());

    let mut without_profiles = files;
    without_profiles.remove(PROFILES);
    let second = Bundle::open_sharing(&without_profiles, &first).unwrap();
    assert!(second.shares_profiles_with(&first));
    let time = "2026-01-31T10:00:00Z";
    assert_eq!(look(&second, &["C1"], time), look(&first, &["C1"], time));

    let other = profiled(cut_off(), Some(&[("C1", 80.0)]));
    let third = Bundle::open_sharing(&other, &first).unwrap();
    assert!(!third.shares_profiles_with(&first));
    let missing = Bundle::open_sharing(&without_profiles, &third).unwrap_err();
    assert!(matches!(missing, Error::Missing(_)), "{missing}");
}
