//! The pages' examples run.

use std::fs;
use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use super::markdown::words;
use super::{page, pages, root};

#[test]
fn every_example_of_toml_and_json_is_well_formed() {
    let mut checked = 0;
    for page in pages() {
        for block in page.blocks("toml") {
            checked += 1;
            let read = block.parse::<toml::Table>();
            assert!(read.is_ok(), "{}: {read:?}", page.path);
        }
        for block in page.blocks("json") {
            for value in serde_json::Deserializer::from_str(&block).into_iter() {
                checked += 1;
                let value: Result<serde_json::Value, _> = value;
                assert!(value.is_ok(), "{}: {value:?}", page.path);
            }
        }
    }
    assert!(checked >= 8, "only {checked} examples were found");
}

/// One decision as a line of the stream.
fn decision(transaction: &str, stage: &str, action: &str) -> String {
    let text = format!(
        r#"{{"decision_id": "{transaction}", "transaction_id": "{transaction}",
        "stage": "{stage}", "action": "{action}", "score": 0.9,
        "deadline": "2026-02-11T18:50:07.861204391Z"}}"#
    );
    text.replace('\n', " ")
}

#[test]
fn the_consumer_of_the_documentation_keeps_its_rules() {
    let page = page("docs/decisions.md");
    let program = page.blocks("python").pop().expect("a consumer");
    assert!(program.lines().count() <= 30, "the consumer is short");
    let lines = [
        decision("A", "provisional", "hold"),
        decision("A", "provisional", "hold"),
        decision("A", "final", "release"),
        decision("A", "final", "release"),
        decision("A", "provisional", "hold"),
        decision("B", "final", "block"),
        decision("B", "provisional", "hold"),
        decision("C", "provisional", "hold"),
        decision("D", "provisional", "approve"),
    ];
    let mut python = Command::new("python3")
        .args(["-c", &program])
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .expect("python3 starts");
    let mut stdin = python.stdin.take().expect("a pipe");
    for line in lines {
        writeln!(stdin, "{line}").expect("the consumer reads");
    }
    drop(stdin);
    let output = python.wait_with_output().expect("the consumer ends");
    assert!(output.status.success());
    let printed = String::from_utf8_lossy(&output.stdout);
    let printed: Vec<&str> = printed.lines().collect();
    assert_eq!(
        printed,
        [
            "hold A",
            "release A",
            "block B",
            "hold C",
            "approve D",
            "fallback C"
        ]
    );
}

#[test]
fn every_decision_of_the_documentation_is_a_decision() {
    let blocks = page("docs/decisions.md").blocks("json");
    assert_eq!(blocks.len(), 2, "a hold and its final decision");
    for block in blocks {
        let read = serde_json::from_str::<decision::Decision>(&block);
        assert!(read.is_ok(), "{read:?}: {block}");
    }
}

/// `look`, as `cargo test --workspace` and `make run` build it.
fn look_program() -> PathBuf {
    let test = std::env::current_exe().expect("this program's path");
    let folder = test
        .parent()
        .and_then(Path::parent)
        .expect("target/release");
    let program = folder.join("look");
    assert!(
        program.is_file(),
        "{} is missing: cargo build --release --workspace --locked",
        program.display()
    );
    program
}

#[test]
fn the_example_without_a_system_runs_as_it_stands() {
    let page = page("docs/getting-started.md");
    let example: Vec<String> = page
        .blocks("sh")
        .into_iter()
        .find(|block| block.starts_with("look simulate"))
        .expect("the example")
        .lines()
        .map(str::to_owned)
        .collect();
    assert_eq!(example.len(), 3, "simulate, train, score");
    let folder = tempfile::tempdir().expect("a folder");
    let bundles = root().join("infra").canonicalize().expect("infra/");
    std::os::unix::fs::symlink(bundles, folder.path().join("infra")).expect("a link");
    for line in example {
        let arguments = words(&line);
        let output = Command::new(look_program())
            .args(&arguments[1..])
            .current_dir(folder.path())
            .output()
            .expect("look starts");
        let said = String::from_utf8_lossy(&output.stderr);
        assert!(output.status.success(), "{line}: {said}");
        if line.contains("> decisions.ndjson") {
            let transactions = fs::read_to_string(folder.path().join("cards/transactions.ndjson"))
                .expect("the simulated transactions");
            let decisions = String::from_utf8_lossy(&output.stdout).lines().count();
            assert_eq!(decisions, transactions.lines().count());
        }
    }
}
