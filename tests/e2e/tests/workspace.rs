//! What ARCHITECTURE.md and deny.toml promise of the tree itself.

#![expect(clippy::expect_used, reason = "a test fails by panicking")]

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

/// Our own crates, and the ones of them that each may use outside tests.
const LAYERS: [(&str, &[&str]); 19] = [
    ("decision", &[]),
    ("scoring", &[]),
    ("features", &["decision"]),
    ("bundle", &["decision", "scoring", "features"]),
    ("store", &[]),
    ("warehouse", &[]),
    ("import", &["scoring"]),
    ("startup", &["bundle", "store", "warehouse"]),
    (
        "score",
        &[
            "bundle",
            "decision",
            "features",
            "startup",
            "store",
            "warehouse",
        ],
    ),
    (
        "confirm",
        &[
            "bundle",
            "decision",
            "features",
            "startup",
            "store",
            "warehouse",
        ],
    ),
    (
        "load",
        &["decision", "features", "startup", "store", "warehouse"],
    ),
    (
        "sweep",
        &[
            "confirm",
            "decision",
            "features",
            "load",
            "startup",
            "store",
            "warehouse",
        ],
    ),
    (
        "train",
        &[
            "bundle",
            "decision",
            "features",
            "scoring",
            "startup",
            "store",
            "warehouse",
        ],
    ),
    (
        "harness",
        &[
            "bundle",
            "decision",
            "features",
            "scoring",
            "store",
            "warehouse",
        ],
    ),
    ("redshift-data", &[]),
    ("local", &[]),
    (
        "look",
        &[
            "bundle",
            "decision",
            "features",
            "import",
            "local",
            "score",
            "scoring",
            "startup",
            "store",
            "train",
            "warehouse",
        ],
    ),
    ("e2e", &[]),
    ("quality", &[]),
];

#[test]
fn the_arrow_of_dependence_points_one_way() {
    let metadata = metadata();
    let ours: BTreeMap<&str, &Package> = metadata
        .packages
        .iter()
        .filter(|p| metadata.workspace_members.contains(&p.id))
        .map(|p| (p.name.as_str(), p))
        .collect();
    assert_eq!(
        ours.keys().copied().collect::<BTreeSet<_>>(),
        LAYERS.iter().map(|(name, _)| *name).collect()
    );
    for (name, allowed) in LAYERS {
        for dependency in ours[name].dependencies.iter().filter(|d| d.kind.is_none()) {
            let outside = !ours.contains_key(dependency.name.as_str());
            assert!(
                outside || allowed.contains(&dependency.name.as_str()),
                "{name} uses {}",
                dependency.name
            );
        }
    }
}

#[test]
fn the_pure_crates_know_no_runtime_and_no_aws() {
    let metadata = metadata();
    for name in ["decision", "scoring", "features", "bundle"] {
        let package = metadata
            .packages
            .iter()
            .find(|p| p.name == name && p.source.is_none())
            .expect("a member");
        for dependency in package.dependencies.iter().filter(|d| d.kind.is_none()) {
            let impure = dependency.name.starts_with("aws")
                || ["tokio", "lambda_runtime"].contains(&&*dependency.name);
            assert!(!impure, "{name} uses {}", dependency.name);
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
