//! The program `look`: output, errors and exit codes.

#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

use std::collections::HashMap;
use std::fs;
use std::path::Path;
use std::process::Command;

use look::audit::Audit;
use look::consume::DecisionLog;
use look::outcome::Outcome;
use look::summary::Summary;
use serde_json::Value;

struct Said {
    code: i32,
    out: String,
    err: String,
}

fn look(arguments: &[&str], folder: &Path) -> Said {
    let output = Command::new(env!("CARGO_BIN_EXE_look"))
        .args(arguments)
        .current_dir(folder)
        .output()
        .unwrap();
    let text = |bytes: Vec<u8>| String::from_utf8(bytes).unwrap();
    Said {
        code: output.status.code().unwrap(),
        out: text(output.stdout),
        err: text(output.stderr),
    }
}

/// Runs a command that must succeed. Returns its standard output.
fn fine(arguments: &[&str], folder: &Path) -> String {
    let said = look(arguments, folder);
    assert_eq!(said.code, 0, "look {arguments:?}: {}", said.err);
    said.out
}

/// Every command that starts or ends a system refuses a folder that is not a state folder.
#[test]
fn a_folder_of_another_program_is_refused_as_wrong_usage() {
    let folder = tempfile::tempdir().unwrap();
    let theirs = folder.path().join("local/localstack/data");
    fs::create_dir_all(theirs.parent().unwrap()).unwrap();
    fs::write(&theirs, "theirs").unwrap();
    for arguments in [
        &["local", "down", "--state", "local"][..],
        &["local", "up", "--state", "local"],
        &["run", "--live", "10", "--out", "."],
    ] {
        let said = look(arguments, folder.path());
        assert_eq!(said.code, 2, "{arguments:?}: {}", said.err);
        assert!(
            said.err.contains("contains files of another program"),
            "{arguments:?}: {}",
            said.err
        );
        assert_eq!(fs::read(&theirs).unwrap(), b"theirs");
    }
}

#[test]
fn an_audit_that_cannot_read_has_its_own_exit_code() {
    let folder = tempfile::tempdir().unwrap();
    let said = look(&["audit", "absent.ndjson"], folder.path());
    assert_eq!(said.code, 3, "{}", said.err);
    assert!(said.err.contains("could not read"), "{}", said.err);
}

#[test]
fn help_shows_an_example_of_each_command() {
    let folder = tempfile::tempdir().unwrap();
    let all = fine(&["--help"], folder.path());
    for command in [
        "run", "simulate", "train", "features", "score", "replay", "report", "init", "history",
        "audit", "local",
    ] {
        assert!(
            all.contains(&format!("\n  {command} ")),
            "{command} is missing: {all}"
        );
        let help = fine(&[command, "--help"], folder.path());
        assert!(
            help.contains("Example") && help.contains(&format!("look {command}")),
            "{help}"
        );
    }
}

#[test]
fn wrong_usage_exits_with_two_and_any_other_error_with_one() {
    let folder = tempfile::tempdir().unwrap();
    let line = r#"{"transaction_id":"T1","occurred_at":"2026-01-01T00:00:00Z","amount":1,"customer_id":"C","terminal_id":"S"}"#;
    fs::write(folder.path().join("twice.ndjson"), [line, line].join("\n")).unwrap();
    for wrong in [
        &["nonsense"][..],
        &["score"],
        &["local", "status", "--json", "--export"],
        &["run", "--live", "many"],
    ] {
        let said = look(wrong, folder.path());
        assert_eq!(
            (said.code, said.out.as_str()),
            (2, ""),
            "{wrong:?}: {}",
            said.err
        );
    }
    for (wrong, why) in [
        (&["score", "--bundle", ".", "absent.ndjson"][..], "look: "),
        (
            &["run", "--live", "1", "--input", "twice.ndjson"],
            "twice.ndjson: transaction T1 appears twice",
        ),
        (&["report"], "look: can't read target/run/outcome.json.gz"),
        (
            &["init"],
            "look: can't read infra/bundles/card-fraud/bundle.toml",
        ),
    ] {
        let said = look(wrong, folder.path());
        assert_eq!(
            (said.code, said.out.as_str()),
            (1, ""),
            "{wrong:?}: {}",
            said.err
        );
        assert!(said.err.contains(why), "{wrong:?}: {}", said.err);
    }
}

#[test]
fn status_without_a_system_exports_nothing() {
    let folder = tempfile::tempdir().unwrap();
    let said = look(&["local", "status"], folder.path());
    assert_eq!((said.code, said.out.as_str()), (1, ""), "{}", said.err);
    assert!(
        said.err.contains("nothing runs in target/local"),
        "{}",
        said.err
    );
    let said = look(&["local", "status", "--json"], folder.path());
    assert_eq!((said.code, said.out.trim()), (1, "null"), "{}", said.err);
    let said = look(&["local", "status", "--export"], folder.path());
    assert_eq!((said.code, said.out.as_str()), (1, ""), "{}", said.err);
}

#[test]
fn status_names_the_stopped_service() {
    let folder = tempfile::tempdir().unwrap();
    let service = |pid: u32| serde_json::json!({ "endpoint": "http://127.0.0.1:1", "pid": pid });
    let mut gone = Command::new("true").spawn().unwrap();
    gone.wait().unwrap();
    let mut state = serde_json::json!({
        "folder": folder.path(), "localstack": service(std::process::id()), "postgres": service(std::process::id()),
        "redshift_data": service(gone.id()), "stack": "second-look", "outputs": { "Bucket": "b" },
    });
    let write =
        |state: &Value| fs::write(folder.path().join("state.json"), state.to_string()).unwrap();
    write(&state);
    let said = look(&["local", "status", "--state", "."], folder.path());
    assert_eq!(said.code, 1, "{}", said.err);
    assert!(
        said.out.contains("✗ stopped redshift_data") && said.out.contains("✓ runs    localstack"),
        "{}",
        said.out
    );
    state["redshift_data"] = service(std::process::id());
    write(&state);
    let said = look(
        &["local", "status", "--json", "--state", "."],
        folder.path(),
    );
    let status: Value = serde_json::from_str(&said.out).unwrap();
    assert_eq!(
        (said.code, &status["up"]["redshift_data"]),
        (0, &Value::Bool(true)),
        "{}",
        said.out
    );
}

#[test]
fn simulated_transactions_can_be_trained_on_and_scored() {
    let folder = tempfile::tempdir().unwrap();
    let simulate = [
        "simulate",
        "--customers",
        "80",
        "--terminals",
        "160",
        "--days",
        "40",
        "--out",
        "cards",
        "--json",
    ];
    let counts: Value = serde_json::from_str(&fine(&simulate, folder.path())).unwrap();
    let made = fs::read_to_string(folder.path().join("cards/transactions.ndjson")).unwrap();
    assert_eq!(counts["transactions"], made.lines().count());

    // Fewer rounds than in the shipped definition: the quality of the model does not matter here.
    let definition =
        include_str!("../../bundles/card-fraud/bundle.toml").replace("rounds = 250", "rounds = 5");
    assert!(definition.contains("rounds = 5\n"));
    fs::write(folder.path().join("bundle.toml"), definition).unwrap();
    let train = [
        "train",
        "--bundle",
        "bundle.toml",
        "--history",
        "cards/transactions.ndjson",
    ];
    let train = [
        &train[..],
        &[
            "--labels",
            "cards/labels.ndjson",
            "--out",
            "bundle",
            "--json",
        ],
    ]
    .concat();
    let report: Value = serde_json::from_str(&fine(&train, folder.path())).unwrap();

    let said = look(
        &["score", "--bundle", "bundle", "cards/transactions.ndjson"],
        folder.path(),
    );
    assert_eq!(said.code, 0, "{}", said.err);
    let decisions: Vec<Value> = said
        .out
        .lines()
        .map(|line| serde_json::from_str(line).unwrap())
        .collect();
    assert_eq!(counts["transactions"], decisions.len());
    assert!(
        decisions
            .iter()
            .all(|decision| decision["bundle_version"] == report["version"]),
        "{report}"
    );

    let line = made.lines().next().unwrap();
    fs::write(
        folder.path().join("some.ndjson"),
        format!("{line}\nnot json\n\n{line}\n"),
    )
    .unwrap();
    let said = look(
        &["score", "--bundle", "bundle", "some.ndjson"],
        folder.path(),
    );
    assert_eq!(
        (said.code, said.out.lines().count()),
        (1, 2),
        "{}",
        said.err
    );
    assert!(said.err.contains("line 2: "), "{}", said.err);
}

#[test]
fn a_report_can_be_written_again_from_the_results_of_a_run() {
    let folder = tempfile::tempdir().unwrap();
    let run = folder.path().join("run");
    fs::create_dir(&run).unwrap();
    let audit = Audit {
        sent: 7,
        decided: 7,
        ..Audit::default()
    };
    let log = DecisionLog::default();
    let summary = Summary::new(&log, &audit, &HashMap::default(), None);
    let mut outcome = Outcome {
        source: "seven <cards>".into(),
        summary,
        audit,
        log,
        fraud: HashMap::default(),
    };
    outcome.write(&run).unwrap();
    assert_eq!(Outcome::read(&run).unwrap(), outcome);

    let summary: Value =
        serde_json::from_str(&fine(&["report", "--run", "run", "--json"], folder.path())).unwrap();
    assert_eq!(summary["transactions"], 7);
    let page = fs::read_to_string(run.join("report.html")).unwrap();
    assert!(page.contains("seven &lt;cards&gt;"), "{page}");

    outcome.audit.lost = 1;
    outcome.write(&run).unwrap();
    let said = look(
        &["report", "--run", "run", "--out", "page.html"],
        folder.path(),
    );
    assert_eq!(said.code, 1, "a guarantee is broken: {}", said.err);
    assert!(
        said.out.contains("✗ a guarantee is broken: lost: 1"),
        "{}",
        said.out
    );
    assert!(folder.path().join("page.html").is_file());
}
