//! Sends every event of `events/` to its deployed function.

use std::collections::BTreeSet;
use std::fs;

use e2e::functions::invoke;
use local::{FUNCTIONS, Local};

/// The answer to each event, or a part of it. The bundle has no windows and the history no frauds,
/// so train refuses its events.
const ANSWERS: [(&str, &str); 18] = [
    ("confirm/aborted.json", r#""evidence-0":"idle""#),
    ("confirm/batch.json", r#""evidence-0":"idle""#),
    ("confirm/failed.json", r#""evidence-0":"idle""#),
    ("confirm/finished.json", r#""evidence-0":"idle""#),
    ("confirm/unknown_fields.json", r#""evidence-0":"idle""#),
    (
        "confirm/without_statement_name.json",
        r#""evidence-0":"idle""#,
    ),
    ("load/finished.json", r#""transactions":"idle""#),
    ("load/labels.json", r#"{"batchItemFailures":[]}"#),
    ("load/objects.json", r#"{"batchItemFailures":[]}"#),
    ("load/test_event.json", r#"{"batchItemFailures":[]}"#),
    ("score/empty.json", r#"{"batchItemFailures":[]}"#),
    ("score/good.json", r#"{"batchItemFailures":[]}"#),
    ("score/kpl.json", r#"{"batchItemFailures":[]}"#),
    ("score/poison.json", r#"{"batchItemFailures":[]}"#),
    ("score/several.json", r#"{"batchItemFailures":[]}"#),
    ("sweep/schedule.json", r#""standing_still":0"#),
    ("train/as_of.json", "training failed"),
    ("train/profiles.json", r#""cut_off":"#),
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
        let event = fs::read_to_string(folder.join(name)).unwrap();
        let answer = invoke(local, name.split('/').next().unwrap(), &event).unwrap();
        let answer = serde_json::to_string(&answer).unwrap();
        assert!(answer.contains(part), "{name}: {answer}");
    }
}
