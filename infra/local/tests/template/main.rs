//! Checks the settings of infra/template.yaml that the project's guarantees depend on, and runs the
//! executor's own tests.

#![expect(
    clippy::indexing_slicing,
    clippy::unwrap_used,
    clippy::panic,
    reason = "a test fails by panicking"
)]

mod alarms;
mod events;
mod failures;
mod resolved;
mod rights;
mod warehouse;

use std::path::Path;
use std::process::Command;
use std::sync::LazyLock;

use local::{Venv, root};
use serde_json::Value;

fn python(folder: &Path, arguments: &[&str]) -> String {
    let scratch = tempfile::tempdir().unwrap();
    let venv = Venv::ensure(&root(), scratch.path()).unwrap();
    let mut command = Command::new(venv.python());
    let output = command
        .current_dir(folder)
        .args(arguments)
        .env("PYTHONDONTWRITEBYTECODE", "1")
        .output()
        .unwrap();
    let (out, err) = (
        String::from_utf8_lossy(&output.stdout),
        String::from_utf8_lossy(&output.stderr),
    );
    assert!(output.status.success(), "{arguments:?}\n{out}\n{err}");
    out.into_owned()
}

/// The template as the AWS CLI reads it, with `!Ref x` as `{"Ref": "x"}`. It is read once for all
/// tests.
fn template() -> Value {
    static TEMPLATE: LazyLock<Value> = LazyLock::new(|| {
        let print = "import json; \
                     from awscli.customizations.cloudformation.yamlhelper import yaml_parse; \
                     print(json.dumps(yaml_parse(open('infra/template.yaml').read())))";
        serde_json::from_str(&python(&root(), &["-c", print])).unwrap()
    });
    TEMPLATE.clone()
}

fn resources<'a>(template: &'a Value, kind: &str) -> Vec<(&'a str, &'a Value)> {
    let all = template["Resources"].as_object().unwrap().iter();
    let found: Vec<_> = all
        .filter(|(_, resource)| resource["Type"] == kind)
        .map(|(name, resource)| (name.as_str(), &resource["Properties"]))
        .collect();
    assert!(!found.is_empty(), "no {kind}");
    found
}

#[test]
fn cfn_lint_accepts_the_template() {
    python(
        &root(),
        &[
            "target/venv/bin/cfn-lint",
            "--regions",
            "us-east-1",
            "--template",
            "infra/template.yaml",
        ],
    );
}

#[test]
fn the_tests_of_the_executor_pass() {
    python(
        &root().join("infra/local/executor"),
        &["-m", "unittest", "test_hostprocess", "test_streams"],
    );
}
