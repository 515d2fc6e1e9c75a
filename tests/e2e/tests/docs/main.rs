//! The documentation: links resolve, commands parse, the keys are those of the code, examples run.

#![expect(
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::panic,
    reason = "a test fails by panicking"
)]

mod examples;
mod markdown;
mod reference;

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::{Path, PathBuf};

use markdown::{Page, commands, words};

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
        if Path::new(&*name)
            .extension()
            .is_some_and(|extension| extension == "md")
        {
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
            let is_code = name != link.text && Path::new(&link.target).extension().is_some();
            let is_test = is_code && !name.contains('.');
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
