//! Sends every event of `events/` to its deployed function.

use std::collections::BTreeSet;
use std::fs;
use std::path::PathBuf;
use std::process::Command;

use local::{FUNCTIONS, Local};
use serde_json::Value;

/// The answer to each event, or a part of it. The bundle has no windows and the history no frauds,
/// so train refuses its events.
const ANSWERS: [(&str, &str); 17] = [
    ("confirm/aborted.json", r#""absent":1"#),
    ("confirm/batch.json", r#""absent":1"#),
    ("confirm/failed.json", r#""absent":1"#),
    ("confirm/finished.json", r#""absent":1"#),
    ("confirm/unknown_fields.json", r#""absent":1"#),
    ("confirm/without_statement_name.json", r#""absent":1"#),
    ("load/finished.json", r#"{"load":"absent"}"#),
    ("load/objects.json", r#"{"batchItemFailures":[]}"#),
    ("load/test_event.json", r#"{"batchItemFailures":[]}"#),
    ("score/empty.json", r#"{"batchItemFailures":[]}"#),
    ("score/good.json", r#"{"batchItemFailures":[]}"#),
    ("score/kpl.json", r#"{"batchItemFailures":[]}"#),
    ("score/poison.json", r#"{"batchItemFailures":[]}"#),
    ("score/several.json", r#"{"batchItemFailures":[]}"#),
    ("sweep/schedule.json", r#""given_up":0"#),
    ("train/as_of.json", "training failed"),
    ("train/profiles.json", "no windows"),
];

pub(crate) fn are_taken_by_the_deployed_functions(local: &Local) {
    let folder = local::root().join("events");
    let mut all = BTreeSet::new();
    for function in FUNCTIONS {
        let files = fs::read_dir(folder.join(function)).unwrap();
        all.extend(
            files.map(|file| format!("{function}/{}", file.unwrap().file_name().to_string_lossy())),
        );
    }
    assert_eq!(
        all,
        ANSWERS.iter().map(|(name, _)| (*name).to_owned()).collect(),
        "every event has an answer here"
    );
    for (name, part) in ANSWERS {
        let answer = invoke(local, name.split('/').next().unwrap(), folder.join(name));
        let answer = serde_json::to_string(&answer).unwrap();
        assert!(answer.contains(part), "{name}: {answer}");
    }
}

fn invoke(local: &Local, function: &str, event: PathBuf) -> Value {
    let answer = local.folder().join("answer.json");
    let name = local.outputs().function(function).unwrap();
    let output = Command::new(local.venv().aws())
        .args(["lambda", "invoke", "--function-name", name])
        .args(["--payload", &format!("fileb://{}", event.display())])
        .arg(&answer)
        .envs(local.environment())
        .output()
        .unwrap();
    assert!(
        output.status.success(),
        "{}: {}",
        event.display(),
        String::from_utf8_lossy(&output.stderr)
    );
    serde_json::from_slice(&fs::read(answer).unwrap()).unwrap()
}
