//! Building a bundle and opening it. A bundle that was changed after the build is refused.

#![expect(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    reason = "a test fails by panicking, and says where it is"
)]

use std::collections::BTreeMap;

use bundle::{Bundle, Error, GoldenFirst, Scratch};
use decision::{Batch, Hold, Origin};
use features::Categories;
use harness::fixture;
use jiff::Timestamp;
use proptest::prelude::*;
use serde_json::{Value, json};

/// The fixture with a changed manifest; its checksums and version are not adjusted.
fn with_manifest(change: impl FnOnce(&mut Value)) -> BTreeMap<String, Vec<u8>> {
    let mut files = fixture::files();
    let mut manifest: Value = serde_json::from_slice(&files["bundle.json"]).unwrap();
    change(&mut manifest);
    files.insert("bundle.json".to_owned(), manifest.to_string().into_bytes());
    files
}

proptest! {
    #[test]
    fn a_flipped_bit_in_any_file_is_detected(name in prop::sample::select(fixture::files().into_keys().collect::<Vec<_>>()), at: prop::sample::Index, bit in 0..8u8) {
        let mut files = fixture::files();
        let bytes = files.get_mut(&name).unwrap();
        let at = at.index(bytes.len());
        bytes[at] ^= 1 << bit;
        let what = fixture::files();
        // A change of white space does not change the manifest.
        let same = name == "bundle.json"
            && serde_json::from_slice::<Value>(&files[&name]).ok() == serde_json::from_slice::<Value>(&what[&name]).ok();
        match Bundle::open(&files) {
            Ok(opened) => prop_assert!(same || opened.version() == fixture::bundle().version(), "{} {}", name, at),
            Err(Error::Checksum { file, .. }) if name != "bundle.json" => prop_assert_eq!(file, name),
            Err(error) => prop_assert!(name == "bundle.json", "{}: {}", name, error),
        }
    }
}

#[test]
fn missing_unknown_and_changed_files_are_refused_by_name() {
    for name in fixture::files().into_keys() {
        let mut files = fixture::files();
        files.remove(&name);
        let error = Bundle::open(&files).unwrap_err();
        assert!(
            matches!(&error, Error::Missing(missing) if *missing == name),
            "{error}"
        );
    }
    let mut files = fixture::files();
    files.insert("notes.txt".to_owned(), Vec::new());
    assert!(matches!(Bundle::open(&files), Err(Error::Unlisted(name)) if name == "notes.txt"));
    let files = with_manifest(|manifest| manifest["format"] = json!(1));
    assert!(matches!(Bundle::open(&files), Err(Error::Format(1))));
    let files = with_manifest(|manifest| manifest["version"] = json!("0123456789abcdef"));
    assert!(matches!(Bundle::open(&files), Err(Error::Version { .. })));
    let files = with_manifest(|manifest| manifest["policy"]["hold_at"] = json!(0.4));
    assert!(
        matches!(Bundle::open(&files), Err(Error::Version { .. })),
        "the policy is part of the version"
    );
    let files = with_manifest(|manifest| manifest["files"]["first.model"] = json!("00"));
    assert!(
        matches!(Bundle::open(&files), Err(Error::Checksum { file, .. }) if file == "first.model")
    );
}

#[test]
fn equal_content_has_equal_bytes_and_changed_content_another_version() {
    assert_eq!(fixture::files(), fixture::files());
    let one = fixture::bundle();
    let other = bundle::Golden {
        first: golden().first,
        confirm: golden().confirm,
    };
    let policy = decision::Policy {
        hold_at: 0.51,
        ..fixture::policy()
    };
    let leaf = scoring::Node {
        value: -3.0,
        split: None,
    };
    let forest = scoring::Model::from(scoring::Forest::new(2, 0.0, &[vec![leaf]]).unwrap());
    let changed = bundle::build(
        fixture::DEFINITION,
        policy,
        bundle::Models {
            first: forest.clone(),
            confirm: forest,
        },
        &Categories::default(),
        None,
        other,
    )
    .unwrap();
    assert_ne!(Bundle::open(&changed).unwrap().version(), one.version());
    assert_eq!(one.version().len(), 16);
}

fn golden() -> bundle::Golden {
    serde_json::from_slice(&fixture::files()["golden.json"]).unwrap()
}

#[test]
fn a_bundle_needs_readable_golden_vectors_of_both_looks() {
    let forest = scoring::Model::from(scoring::Forest::new(2, 0.0, &[]).unwrap());
    let build = |golden| {
        bundle::build(
            fixture::DEFINITION,
            fixture::policy(),
            bundle::Models {
                first: forest.clone(),
                confirm: forest.clone(),
            },
            &Categories::default(),
            None,
            golden,
        )
    };
    let none = bundle::Golden::default();
    assert!(matches!(build(none), Err(Error::NoGolden("first"))));
    let no_hold = bundle::Golden {
        first: golden().first,
        confirm: Vec::new(),
    };
    assert!(matches!(build(no_hold), Err(Error::NoGolden("second"))));
    let unreadable = bundle::Golden {
        first: vec![GoldenFirst {
            transaction: json!({"amount": "x"}),
            windows: BTreeMap::new(),
            score: 0.0,
        }],
        confirm: golden().confirm,
    };
    assert!(build(unreadable).is_err());
    let wide = scoring::Forest::new(3, 0.0, &[]).unwrap().into();
    let wrong = bundle::build(
        fixture::DEFINITION,
        fixture::policy(),
        bundle::Models {
            first: wide,
            confirm: forest,
        },
        &Categories::default(),
        None,
        golden(),
    );
    assert!(matches!(
        wrong,
        Err(Error::Columns {
            file: "first.model",
            found: 3,
            expected: 2
        })
    ));
}

#[test]
fn reasons_name_the_features_that_changed_the_score() {
    let bundle = fixture::bundle();
    let bytes = json!({
        "transaction_id": "a", "occurred_at": "2026-01-31T09:00:00Z", "amount": 600.0, "customer_id": "C", "terminal_id": "T",
    });
    let bytes = bytes.to_string();
    let mut batch = Batch::new(bundle.schema());
    batch
        .read(
            bytes.as_bytes(),
            Origin { record: 0, item: 0 },
            "2026-01-31T09:00:01Z".parse::<Timestamp>().unwrap(),
        )
        .unwrap();
    let mut scratch = Scratch::default();
    assert!(bundle.first_scores(&batch, &mut scratch).scores[0] > 0.9);
    let reasons = bundle.first_reasons(&batch, 0);
    assert_eq!(
        (reasons.len(), reasons[0].feature.as_str(), reasons[0].value),
        (1, "amount", 600.0)
    );
    assert!((reasons[0].contribution - 3.0).abs() < 1e-6);

    let hold: Hold = golden().confirm[0].hold.clone();
    for (mean, released) in [(Some(500.0), true), (Some(20.0), false)] {
        let evidence = BTreeMap::from([("customer_mean_7d".to_owned(), mean)]);
        let confirmed = bundle.confirm(&hold, &evidence);
        assert_eq!(confirmed.score < 0.2, released);
        assert_eq!(confirmed.reasons[0].feature, "customer_mean_7d");
    }
    // A value that the warehouse does not know is not treated as a small number.
    let missing = bundle.confirm(
        &hold,
        &BTreeMap::from([("customer_mean_7d".to_owned(), None)]),
    );
    assert!(missing.score < 0.2, "NaN takes the branch of large values");
    assert!(missing.reasons[0].value.is_nan());
}
