//! The documentation: links resolve, commands parse, the keys are those of the code, examples run.

#![expect(clippy::expect_used, reason = "a test fails by panicking")]

mod markdown;

use std::collections::{BTreeMap, BTreeSet};
use std::error::Error;
use std::fs;
use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use features::Definition;
use markdown::{Page, commands, words};

const CARD_FRAUD: &str = include_str!("../../../infra/bundles/card-fraud/bundle.toml");
const TEMPLATE: &str = include_str!("../../../infra/template.yaml");

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../..")
}

fn page(path: &str) -> Page {
    Page::read(&root(), path)
}

/// Every page that a reader of README can reach.
fn pages() -> Vec<Page> {
    let mut paths: Vec<String> = [
        "README.md",
        "ARCHITECTURE.md",
        "infra/redshift-data/README.md",
    ]
    .map(str::to_owned)
    .to_vec();
    for entry in fs::read_dir(root().join("docs")).expect("docs/ is readable") {
        let name = entry.expect("an entry").file_name();
        let name = name.to_string_lossy();
        if name.ends_with(".md") {
            paths.push(format!("docs/{name}"));
        }
    }
    paths.sort();
    paths.iter().map(|path| page(path)).collect()
}

#[test]
fn every_link_leads_to_a_file_and_an_anchor() {
    let pages = pages();
    let mut anchors: BTreeMap<PathBuf, BTreeSet<String>> = BTreeMap::new();
    for page in &pages {
        anchors.insert(page.file.clone(), page.anchors());
    }
    let mut checked = 0;
    for page in &pages {
        for link in page.links() {
            if link.target.starts_with("https://") {
                continue;
            }
            checked += 1;
            let (path, anchor) = link.target.split_once('#').unwrap_or((&link.target, ""));
            let file = match path {
                "" => page.file.clone(),
                path => page.resolve(path),
            };
            assert!(file.exists(), "{}: no file {}", page.path, link.target);
            if !anchor.is_empty() {
                let known = anchors.get(&file).is_some_and(|all| all.contains(anchor));
                assert!(known, "{}: no heading {}", page.path, link.target);
            }
        }
    }
    assert!(checked > 50, "only {checked} links were found");
}

#[test]
fn every_page_is_linked_from_readme() {
    let readme = page("README.md");
    let linked: BTreeSet<PathBuf> = readme
        .links()
        .into_iter()
        .filter(|link| !link.target.starts_with("https://"))
        .map(|link| readme.resolve(&link.target))
        .collect();
    for page in pages().iter().filter(|page| page.path != "README.md") {
        assert!(
            linked.contains(&page.file),
            "README has no link to {}",
            page.path
        );
    }
}

#[test]
fn readme_takes_five_minutes() {
    let lines = page("README.md").text.lines().count();
    assert!(lines < 200, "{lines} lines");
}

#[test]
fn every_test_that_is_named_as_proof_exists() {
    let mut checked = 0;
    for page in pages() {
        for link in page.links() {
            let name = link.text.trim_matches('`');
            let is_test = link.target.ends_with(".rs") && name != link.text && !name.contains('.');
            if !is_test {
                continue;
            }
            checked += 1;
            let code = fs::read_to_string(page.resolve(&link.target)).unwrap_or_default();
            let is_there = code.contains(&format!("fn {name}("));
            assert!(is_there, "{}: no test {name} in {}", page.path, link.target);
        }
    }
    assert!(checked >= 20, "only {checked} tests are named");
}

#[test]
fn every_command_of_look_parses() {
    let mut checked = 0;
    for page in pages() {
        for command in commands(&page, "look") {
            checked += 1;
            let arguments = words(&command);
            let parsed = look::commands::check(arguments.iter().map(String::as_str));
            assert_eq!(parsed, Ok(()), "{}: {command}", page.path);
        }
    }
    assert!(checked > 20, "only {checked} commands were found");
}

#[test]
fn every_make_target_exists() {
    let makefile = fs::read_to_string(root().join("Makefile")).expect("Makefile is readable");
    let targets: BTreeSet<&str> = makefile
        .lines()
        .filter_map(|line| line.split_once(':'))
        .map(|(target, _)| target)
        .collect();
    let mut checked = 0;
    for page in pages() {
        let inline = page.code_spans().into_iter();
        let inline = inline.filter(|span| span.starts_with("make "));
        for command in commands(&page, "make").into_iter().chain(inline) {
            checked += 1;
            let target = command.split_whitespace().nth(1).unwrap_or_default();
            assert!(
                targets.contains(target),
                "{}: no target: {command}",
                page.path
            );
        }
    }
    assert!(checked > 10, "only {checked} targets were found");
}

/// The keys that the parser accepts in a table of `bundle.toml`. They are read from its complaint
/// about a key that no table has.
fn accepted(table: &str) -> BTreeSet<String> {
    let text = match table {
        "top level" => format!("nonsense = 1\n{CARD_FRAUD}"),
        table => {
            let plain = format!("\n[{table}]\n");
            let header = match CARD_FRAUD.contains(&plain) {
                true => plain,
                false => format!("\n[[{table}]]\n"),
            };
            assert!(CARD_FRAUD.contains(&header), "card-fraud has no {table}");
            CARD_FRAUD.replacen(&header, &format!("{header}nonsense = 1\n"), 1)
        }
    };
    let error = Definition::parse(&text).expect_err("nonsense is no key");
    let mut message = String::new();
    let mut cause: Option<&dyn Error> = Some(&error);
    while let Some(error) = cause {
        message = error.to_string();
        cause = error.source();
    }
    let (_, expected) = message
        .split_once("unknown field `nonsense`, expected ")
        .unwrap_or_else(|| panic!("{table}: {message}"));
    expected
        .split('`')
        .skip(1)
        .step_by(2)
        .map(str::to_owned)
        .collect()
}

#[test]
fn the_reference_has_exactly_the_keys_that_the_code_accepts() {
    let page = page("docs/your-data.md");
    for table in [
        "top level",
        "schema",
        "feature",
        "first",
        "confirm",
        "costs",
        "policy",
        "training",
        "training.boost",
        "training.forest",
        "training.logistic",
    ] {
        let documented = page.first_cells(table);
        assert_eq!(
            documented,
            accepted(table),
            "{table}: documented, and accepted"
        );
    }
}

#[test]
fn the_columns_of_a_file_are_described_as_documented() {
    let page = page("docs/your-data.md");
    let mut fields = page.first_cells("table");
    for key in ["column", "since", "unit"] {
        assert!(fields.remove(key), "{key} is not documented");
    }
    let (before, after) = CARD_FRAUD.split_once("\n[table]\n").expect("a table");
    let (_, after) = after.split_once("\n\n").expect("an end of it");
    for field in fields {
        let text = format!("{before}\n[table]\n{field} = \"COLUMN\"\n\n{after}");
        let parsed = Definition::parse(&text);
        assert!(parsed.is_ok(), "{field}: {parsed:?}");
    }
    let counted = "{ column = \"N\", since = \"2018-04-01T00:00:00Z\", unit = \"s\" }";
    let text = format!("{before}\n[table]\noccurred_at = {counted}\n\n{after}");
    assert!(Definition::parse(&text).is_ok(), "{text}");
}

/// The logical ids of the template's entries under a heading of its top level.
fn template_names(section: &str) -> BTreeSet<&'static str> {
    let (_, section) = TEMPLATE
        .split_once(&format!("\n{section}:\n"))
        .expect("a section of the template");
    section
        .lines()
        .take_while(|line| line.is_empty() || line.starts_with(' ') || line.starts_with('#'))
        .filter(|line| line.starts_with("  ") && !line.starts_with("   "))
        .filter_map(|line| line.trim().split_once(':'))
        .filter(|(name, _)| !name.starts_with('#'))
        .map(|(name, _)| name)
        .collect()
}

#[test]
fn every_alarm_has_its_section() {
    let alarms: BTreeSet<String> = template_names("Resources")
        .into_iter()
        .filter(|name| {
            TEMPLATE.contains(&format!("\n  {name}:\n    Type: AWS::CloudWatch::Alarm\n"))
        })
        .map(str::to_owned)
        .collect();
    assert!(alarms.len() > 10, "{alarms:?}");
    assert_eq!(page("docs/operating.md").headings_under("Alarms"), alarms);
}

#[test]
fn every_parameter_of_the_template_is_documented() {
    let parameters: BTreeSet<String> = template_names("Parameters")
        .into_iter()
        .map(str::to_owned)
        .collect();
    let page = page("docs/deploying.md");
    assert_eq!(page.first_cells("parameters"), parameters);
}

/// One decision as a line of the stream.
fn decision(transaction: &str, stage: &str, action: &str) -> String {
    let text = format!(
        r#"{{"decision_id": "{transaction}-{stage}", "transaction_id": "{transaction}",
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
                .expect("what was simulated");
            let decisions = String::from_utf8_lossy(&output.stdout).lines().count();
            assert_eq!(decisions, transactions.lines().count());
        }
    }
}
