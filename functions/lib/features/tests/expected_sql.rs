//! The SQL of each shipped bundle is the text that is committed beside it, in its folder `sql/`.
//! `make sql` writes these files again; the review of a change reads their difference.

#![expect(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    reason = "a test fails by panicking, and says where it is"
)]

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};

use expect_test::expect_file;
use features::{Definition, TrainingPeriod, sql};
use jiff::Timestamp;

// Values that differ between deployments and between statements.
const FROM: &str = "2026-01-01T00:00:00Z";
const TO: &str = "2026-02-01T00:00:00Z";
const AS_OF: &str = "2026-02-08T00:00:00Z";
const MANIFEST: &str = "s3://bucket/manifest.json";
const PREFIX: &str = "s3://bucket/unload/";
const ROLE: &str = "arn:aws:iam::123456789012:role/redshift";

fn timestamp(text: &str) -> Timestamp {
    text.parse().unwrap()
}

/// The folders of the bundles that are shipped.
fn bundle_folders() -> Vec<PathBuf> {
    let bundles = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../../infra/bundles");
    let entries = fs::read_dir(bundles).unwrap();
    let mut folders: Vec<PathBuf> = entries.map(|entry| entry.unwrap().path()).collect();
    folders.retain(|folder| folder.join("bundle.toml").is_file());
    folders.sort();
    folders
}

fn file_text(statements: &[String]) -> String {
    format!("-- Written by `make sql`.\n{};\n", statements.join(";\n\n"))
}

fn sql_files(definition: &Definition) -> BTreeMap<String, String> {
    let period = TrainingPeriod {
        from: timestamp(FROM),
        to: timestamp(TO),
        as_of: timestamp(AS_OF),
    };
    let training_set = sql::training_set(definition, &period);
    let training_export = sql::training_export(definition, &period, PREFIX, ROLE);
    let mut files = BTreeMap::from([
        ("tables".to_owned(), sql::schema_ddl(definition)),
        ("evidence".to_owned(), sql::evidence(definition, 1)),
        ("training_set".to_owned(), vec![training_set]),
        ("training_set_export".to_owned(), vec![training_export]),
    ]);
    for table in [sql::TRANSACTIONS, sql::REPORTS, sql::OUTCOMES] {
        let statements = sql::load(definition, table, MANIFEST, ROLE);
        files.insert(format!("load_{table}"), statements);
    }
    for entity in definition.profiled_entities() {
        let name = &definition.schema().entities[entity];
        let query = sql::profiles(definition, entity, period.to);
        let export = sql::profiles_export(definition, entity, period.to, PREFIX, ROLE);
        files.insert(format!("profiles_{name}"), vec![query]);
        files.insert(format!("profiles_{name}_export"), vec![export]);
    }
    files
        .into_iter()
        .map(|(name, statements)| (format!("{name}.sql"), file_text(&statements)))
        .collect()
}

#[test]
fn the_sql_of_each_shipped_bundle_is_committed_beside_it() {
    let folders = bundle_folders();
    assert!(!folders.is_empty());
    for folder in folders {
        let text = fs::read_to_string(folder.join("bundle.toml")).unwrap();
        let definition = Definition::parse(&text).unwrap();
        let files = sql_files(&definition);
        for (name, text) in &files {
            println!("If this file differs, run `make sql`, and read the difference.");
            expect_file![folder.join("sql").join(name)].assert_eq(text);
        }
        for entry in fs::read_dir(folder.join("sql")).unwrap() {
            let entry = entry.unwrap();
            let name = entry.file_name().into_string().unwrap();
            assert!(
                files.contains_key(&name),
                "{}: the bundle has no such SQL text any more, remove the file",
                entry.path().display()
            );
        }
    }
}
