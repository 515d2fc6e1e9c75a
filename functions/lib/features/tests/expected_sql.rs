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
use features::sql::{
    BadRows, CopySource, HeldRows, HoldGroup, PlacedHolds, ReportsLoad, TransactionsLoad,
};
use features::{Definition, TrainingPeriod, sql};
use jiff::Timestamp;

// Values that differ between deployments and between statements.
const FROM: &str = "2026-01-01T00:00:00Z";
const TO: &str = "2026-02-01T00:00:00Z";
const AS_OF: &str = "2026-02-08T00:00:00Z";
const MANIFEST: &str = "s3://bucket/manifest.json";
const PREFIX: &str = "s3://bucket/unload/";
const ROLE: &str = "arn:aws:iam::123456789012:role/redshift";
const CLAIM: &str = "0123456789abcdef";
/// SQL that the Data API accepts in one statement, in bytes.
const MOST_SQL: usize = 100_000;

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

const SOURCE: CopySource<'_> = CopySource {
    manifest: MANIFEST,
    iam_role: ROLE,
    bad_rows: BadRows::Fail,
};

fn groups(number: u32) -> Vec<HoldGroup> {
    let group = |place| HoldGroup {
        group: format!("{place:016x}"),
        first: 20 * place,
    };
    (0..number).map(group).collect()
}

/// The load of batches with rows of two days.
fn load_batches(definition: &Definition, hold_groups: &[HoldGroup]) -> Vec<String> {
    let load = TransactionsLoad {
        turn: 7,
        claim_id: CLAIM,
        hold_groups,
        hours: &[
            timestamp("1970-01-01T00:00:00Z")..=timestamp("1970-01-01T01:00:00Z"),
            timestamp(FROM)..=timestamp("2026-01-01T02:00:00Z"),
        ],
    };
    sql::load_transactions(definition, SOURCE, load)
}

/// The load of files of history, with rows of any time.
fn load_history(definition: &Definition, source: CopySource<'_>) -> Vec<String> {
    let load = TransactionsLoad {
        turn: 8,
        claim_id: CLAIM,
        hold_groups: &[],
        hours: &[],
    };
    sql::load_transactions(definition, source, load)
}

fn load_reports(definition: &Definition) -> Vec<String> {
    let load = ReportsLoad {
        arrived_at: timestamp(AS_OF),
        hours: &[timestamp(FROM)..=timestamp("2026-01-01T02:00:00Z")],
    };
    sql::load_reports(definition, SOURCE, load)
}

fn load_outcomes(definition: &Definition) -> Vec<String> {
    sql::load_outcomes(definition, SOURCE, timestamp("2026-02-08T00:30:00Z"))
}

fn evidence(definition: &Definition) -> String {
    let rows = HeldRows {
        turn: 7,
        claim_id: CLAIM,
        from: 0,
        to: 5_000,
        cut_off: definition.cut_offs.map(|_| timestamp(TO)),
        hours: &[
            timestamp("1970-01-01T00:00:00Z")..=timestamp("1970-01-01T01:00:00Z"),
            timestamp("2026-02-01T08:00:00Z")..=timestamp("2026-02-01T09:00:00Z"),
        ],
    };
    sql::evidence(definition, rows)
}

fn evidence_again(definition: &Definition) -> String {
    let holds = PlacedHolds {
        count: 2,
        hours: &[timestamp("2026-02-01T08:00:00Z")..=timestamp("2026-02-01T09:00:00Z")],
        cut_off: definition.cut_offs.map(|_| timestamp(TO)),
        profiles_at: timestamp("2026-02-01T00:15:00Z"),
    };
    sql::evidence_again(definition, holds)
}

fn sql_files(definition: &Definition) -> BTreeMap<String, String> {
    let period = TrainingPeriod {
        from: timestamp(FROM),
        to: timestamp(TO),
        as_of: timestamp(AS_OF),
    };
    let training_set = sql::training_set(definition, &period);
    let training_count = sql::training_count(definition, &period);
    let training_export = sql::training_export(definition, &period, PREFIX, ROLE);
    let mut files = BTreeMap::from([
        ("tables".to_owned(), sql::schema_ddl(definition)),
        ("column_check".to_owned(), sql::column_check(definition)),
        ("table_columns".to_owned(), vec![sql::table_columns()]),
        ("evidence".to_owned(), vec![evidence(definition)]),
        ("hold_times".to_owned(), vec![sql::hold_times(2)]),
        (
            "evidence_again".to_owned(),
            vec![evidence_again(definition)],
        ),
        ("training_count".to_owned(), vec![training_count]),
        ("training_set".to_owned(), vec![training_set]),
        ("training_set_export".to_owned(), vec![training_export]),
    ]);
    let leave_out = CopySource {
        bad_rows: BadRows::LeaveOut,
        ..SOURCE
    };
    for (name, statements) in [
        ("load_transactions", load_batches(definition, &groups(2))),
        ("load_history", load_history(definition, leave_out)),
        ("load_fraud_reports", load_reports(definition)),
        ("load_outcomes", load_outcomes(definition)),
    ] {
        files.insert(name.to_owned(), statements);
    }
    for entity in definition.profiled_entities() {
        let name = &definition.schema().entities[entity];
        let query = sql::profiles(definition, entity, period.to).unwrap();
        let export = sql::profiles_export(definition, entity, period.to, PREFIX, ROLE).unwrap();
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

#[test]
fn the_load_of_2_500_batches_of_eight_ranges_of_hours_fits_one_statement() {
    let range = |day: i64| {
        let first = timestamp(FROM).as_second() + day * 86_400;
        let at = |second| Timestamp::from_second(second).unwrap();
        at(first)..=at(first + 3_600)
    };
    let hours: Vec<_> = (0..8).map(|place| range(2 * place)).collect();
    let mut hold_groups = groups(2_500);
    for group in &mut hold_groups {
        // The longest ordinals.
        group.first += 2_000_000_000;
    }
    let load = TransactionsLoad {
        turn: u64::MAX,
        claim_id: CLAIM,
        hold_groups: &hold_groups,
        hours: &hours,
    };
    for folder in bundle_folders() {
        let text = fs::read_to_string(folder.join("bundle.toml")).unwrap();
        let definition = Definition::parse(&text).unwrap();
        let statements = sql::load_transactions(&definition, SOURCE, load);
        let bytes: usize = statements.iter().map(String::len).sum();
        assert!(bytes < MOST_SQL, "{}: {bytes} bytes", folder.display());
    }
}

#[test]
fn an_empty_list_of_holds_adds_none() {
    let text = fs::read_to_string(bundle_folders()[0].join("bundle.toml")).unwrap();
    let definition = Definition::parse(&text).unwrap();
    let inserts_holds = |statements: &[String]| {
        let into = format!("INSERT INTO {} ", sql::HOLDS);
        statements.iter().any(|text| text.starts_with(&into))
    };
    assert!(!inserts_holds(&load_batches(&definition, &[])));
    assert!(inserts_holds(&load_batches(&definition, &groups(1))));
}
