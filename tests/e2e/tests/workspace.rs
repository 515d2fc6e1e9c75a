//! What ARCHITECTURE.md and deny.toml promise of the tree itself.

#![expect(
    clippy::expect_used,
    clippy::panic,
    reason = "a test fails by panicking"
)]

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;
use std::process::Command;

use serde::Deserialize;

#[derive(Deserialize)]
struct Metadata {
    packages: Vec<Package>,
    workspace_members: BTreeSet<String>,
}

#[derive(Deserialize)]
struct Package {
    name: String,
    version: String,
    id: String,
    license: Option<String>,
    source: Option<String>,
    dependencies: Vec<Dependency>,
}

#[derive(Deserialize)]
struct Dependency {
    name: String,
    kind: Option<String>,
}

#[derive(Deserialize)]
struct Policy {
    licenses: Licenses,
    bans: Bans,
}

#[derive(Deserialize)]
struct Licenses {
    allow: BTreeSet<String>,
}

#[derive(Deserialize)]
struct Bans {
    deny: Vec<Ban>,
}

#[derive(Deserialize)]
struct Ban {
    name: String,
    reason: String,
}

fn metadata() -> Metadata {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("../..");
    let output = Command::new(env!("CARGO"))
        .args(["metadata", "--format-version", "1", "--locked"])
        .current_dir(root)
        .output()
        .expect("cargo runs");
    assert!(
        output.status.success(),
        "{}",
        String::from_utf8_lossy(&output.stderr)
    );
    serde_json::from_slice(&output.stdout).expect("cargo metadata is JSON")
}

fn policy() -> Policy {
    toml::from_str(include_str!("../../../deny.toml")).expect("deny.toml is readable")
}

/// A row of the table in ARCHITECTURE.md: a crate and the crates that it may use outside tests.
struct Row<'a> {
    name: &'a str,
    is_pure: bool,
    may_use: BTreeSet<&'a str>,
}

/// The rows of the table under "Libraries and functions": `crate`, folder, what, may use.
fn rows() -> Vec<Row<'static>> {
    let page = include_str!("../../../ARCHITECTURE.md");
    let (_, section) = page
        .split_once("\n## Libraries and functions\n")
        .expect("the section with the table");
    let section = section.split("\n## ").next().unwrap_or_default();
    let mut rows = Vec::new();
    for line in section.lines().filter(|line| line.starts_with("| `")) {
        let cells: Vec<&str> = line.trim_matches('|').split('|').map(str::trim).collect();
        let [name, _folder, what, may_use] = cells[..] else {
            panic!("expected four cells: {line}");
        };
        rows.push(Row {
            name: name.trim_matches('`'),
            is_pure: what.ends_with("Pure"),
            may_use: may_use
                .split_whitespace()
                .filter(|word| *word != "–")
                .map(|word| word.trim_matches('`'))
                .collect(),
        });
    }
    rows
}

/// The packages of this workspace by name.
fn members(metadata: &Metadata) -> BTreeMap<&str, &Package> {
    metadata
        .packages
        .iter()
        .filter(|package| metadata.workspace_members.contains(&package.id))
        .map(|package| (package.name.as_str(), package))
        .collect()
}

/// The names of a package's dependencies outside tests and build scripts.
fn dependencies(package: &Package) -> BTreeSet<&str> {
    package
        .dependencies
        .iter()
        .filter(|dependency| dependency.kind.is_none())
        .map(|dependency| dependency.name.as_str())
        .collect()
}

#[test]
fn every_crate_uses_exactly_the_crates_of_its_row() {
    let metadata = metadata();
    let members = members(&metadata);
    let rows = rows();
    let names: BTreeSet<&str> = rows.iter().map(|row| row.name).collect();
    assert_eq!(names.len(), rows.len(), "a crate has two rows");
    assert_eq!(names, members.keys().copied().collect());
    for row in rows {
        let ours: BTreeSet<&str> = dependencies(members[row.name])
            .into_iter()
            .filter(|name| members.contains_key(name))
            .collect();
        assert_eq!(ours, row.may_use, "{}: uses, and may use", row.name);
    }
}

#[test]
fn the_pure_crates_know_no_runtime_and_no_aws() {
    let metadata = metadata();
    let members = members(&metadata);
    let pure: Vec<Row> = rows().into_iter().filter(|row| row.is_pure).collect();
    let names: BTreeSet<&str> = pure.iter().map(|row| row.name).collect();
    assert_eq!(
        names,
        BTreeSet::from(["bundle", "decision", "features", "scoring"])
    );
    for name in names {
        for dependency in dependencies(members[name]) {
            let is_runtime = ["tokio", "lambda_runtime"].contains(&dependency);
            assert!(
                !is_runtime && !dependency.starts_with("aws"),
                "{name} uses {dependency}"
            );
        }
    }
}

#[test]
fn every_dependency_has_an_allowed_licence_and_source() {
    let (metadata, policy) = (metadata(), policy());
    for package in metadata.packages.iter().filter(|p| p.source.is_some()) {
        let named = format!("{} {}", package.name, package.version);
        assert!(
            package
                .source
                .as_ref()
                .is_some_and(|s| s.starts_with("registry+")),
            "{named} is not from crates.io"
        );
        let text = package
            .license
            .as_ref()
            .unwrap_or_else(|| panic!("{named} states no licence"));
        let expression =
            spdx::Expression::parse_mode(text, spdx::ParseMode::LAX).expect("an SPDX expression");
        let allowed = expression
            .evaluate(|requirement| policy.licenses.allow.contains(&requirement.to_string()));
        assert!(
            allowed,
            "{named} is under {text}, which deny.toml does not allow"
        );
        if let Some(ban) = policy.bans.deny.iter().find(|ban| ban.name == package.name) {
            panic!("{named} is banned: {}", ban.reason);
        }
    }
}

#[test]
fn the_licence_policy_refuses_what_it_does_not_name() {
    let allow = policy().licenses.allow;
    let evaluate = |text| {
        spdx::Expression::parse_mode(text, spdx::ParseMode::LAX)
            .unwrap()
            .evaluate(|r| allow.contains(&r.to_string()))
    };
    assert!(evaluate("MIT/Apache-2.0") && evaluate("MIT OR GPL-3.0-only"));
    assert!(!evaluate("GPL-3.0-only") && !evaluate("MIT AND GPL-3.0-only"));
}
