//! `make needs` names each missing program before a build starts. `make deploy` uploads the template.

#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

use std::fs;
use std::os::unix::fs::PermissionsExt as _;
use std::path::Path;
use std::process::Command;

/// A command that runs `make` in the project's folder.
fn make(arguments: &[&str]) -> Command {
    let program = std::env::split_paths(&std::env::var_os("PATH").unwrap())
        .map(|folder| folder.join("make"))
        .find(|make| make.is_file())
        .unwrap();
    let mut command = Command::new(program);
    // `make test` hands its variables to this process. With them, this make would print its folder.
    command
        .arg("--no-print-directory")
        .args(arguments)
        .current_dir(Path::new(env!("CARGO_MANIFEST_DIR")).join("../.."))
        .env_remove("MAKEFLAGS")
        .env_remove("MAKELEVEL");
    command
}

/// Runs `make needs` on a machine that has cargo, cc and these interpreters, each a name and its
/// version. Returns its standard output, or `None` if it succeeds.
fn missing(interpreters: &[(&str, &str)]) -> Option<String> {
    let folder = tempfile::tempdir().unwrap();
    let write = |name: &str, text: &str| {
        let path = folder.path().join(name);
        fs::write(&path, format!("#!/bin/sh\n{text}\n")).unwrap();
        fs::set_permissions(&path, fs::Permissions::from_mode(0o755)).unwrap();
    };
    write("cargo", "");
    write("cc", "");
    for (name, version) in interpreters {
        write(name, &format!("echo {version}"));
    }
    let output = make(&["needs"])
        .env("PATH", folder.path())
        .output()
        .unwrap();
    match output.status.success() {
        true => None,
        false => Some(String::from_utf8(output.stdout).unwrap()),
    }
}

#[test]
fn a_supported_python_is_accepted_under_any_of_its_names() {
    assert_eq!(missing(&[("python3", "3.11")]), None);
    assert_eq!(
        missing(&[("python3", "3.14"), ("python3.13", "3.13")]),
        None
    );
    assert_eq!(missing(&[("python3", "3.9"), ("python3.12", "3.12")]), None);
    assert_eq!(missing(&[("python3.11", "3.11")]), None);
}

#[test]
fn an_unsupported_python_is_named_in_one_line() {
    for (interpreters, found) in [
        (&[][..], "found none."),
        (&[("python3", "3.14")], "found python3 3.14."),
    ] {
        let text = missing(interpreters).unwrap();
        assert_eq!(text.lines().count(), 1, "{text}");
        assert!(
            text.starts_with("missing: Python 3.11, 3.12 or 3.13"),
            "{text}"
        );
        assert!(text.contains(found), "{text}");
    }
}

/// CloudFormation accepts a template of more than 51,200 bytes only from a bucket.
#[test]
fn a_large_template_is_deployed_from_the_bucket() {
    let output = make(&["--dry-run", "deploy", "BUCKET=artifacts"]).output();
    let text = String::from_utf8(output.unwrap().stdout).unwrap();
    let deploy = text
        .lines()
        .find(|line| line.contains("cloudformation deploy"));
    assert!(
        deploy.unwrap().contains("--s3-bucket \"artifacts\""),
        "{text}"
    );
}
