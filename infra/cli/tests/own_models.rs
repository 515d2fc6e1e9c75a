//! Models that a user trains with other libraries on the features of a look.

use std::fs;
use std::path::Path;
use std::process::Command;

use harness::peers;
use serde_json::Value;

#[test]
fn a_users_own_models_are_served() {
    let folder = tempfile::tempdir().unwrap();
    let look = |arguments: &[&str]| {
        let output = Command::new(env!("CARGO_BIN_EXE_look"))
            .args(arguments)
            .current_dir(folder.path())
            .output();
        let output = output.unwrap();
        (
            output.status.success(),
            output.stdout,
            String::from_utf8(output.stderr).unwrap(),
        )
    };
    let fine = |arguments: &[&str]| {
        let (success, out, err) = look(arguments);
        assert!(success, "look {arguments:?}: {err}");
        out
    };
    fine(&[
        "simulate",
        "--customers",
        "80",
        "--terminals",
        "160",
        "--days",
        "40",
        "--out",
        "cards",
    ]);
    let definition = include_str!("../../bundles/card-fraud/bundle.toml");
    fs::write(folder.path().join("bundle.toml"), definition).unwrap();
    let history = [
        "--bundle",
        "bundle.toml",
        "--history",
        "cards/transactions.ndjson",
        "--labels",
        "cards/labels.ndjson",
    ];
    for look in ["first", "confirm"] {
        let table = fine(&[&["features"][..], &history, &["--look", look]].concat());
        fs::write(folder.path().join(look).with_extension("csv"), table).unwrap();
    }
    let script = Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("../../functions/lib/import/tests/models/own.py");
    let own: Value = serde_json::from_str(&peers::run(&script, folder.path())).unwrap();
    assert!(
        own["missing"].as_u64().unwrap() > 0,
        "some value must be missing: {own}"
    );

    let train = [&["train"][..], &history, &["--out", "bundle", "--json"]].concat();
    let imported = [
        &train[..],
        &[
            "--first-model",
            "first.json",
            "--confirm-model",
            "confirm.txt",
        ],
    ]
    .concat();
    let report: Value = serde_json::from_slice(&fine(&imported)).unwrap();
    assert_eq!(report["transactions"], own["rows"]);
    for (look, auc) in [("first", &own["aucs"][0]), ("confirm", &own["aucs"][1])] {
        assert_eq!(
            (&report[look]["learner"], &report[look]["trees"]),
            (&Value::from("imported"), &Value::from(20))
        );
        let (ours, theirs) = (
            report[look]["ranking"]["auc"].as_f64().unwrap(),
            auc.as_f64().unwrap(),
        );
        assert!(
            (ours - theirs).abs() < 1e-4,
            "{look}: AUC {ours}, the library's {theirs}"
        );
    }
    let decisions = fine(&["score", "--bundle", "bundle", "cards/transactions.ndjson"]);
    assert!(
        String::from_utf8(decisions)
            .unwrap()
            .contains(report["version"].as_str().unwrap())
    );

    let (success, _, err) = look(&[&train[..], &["--first-model", "bundle.toml"]].concat());
    assert!(
        !success && err.contains("can't import bundle.toml: unknown model format"),
        "{err}"
    );
}
