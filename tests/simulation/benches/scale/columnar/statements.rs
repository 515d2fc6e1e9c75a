//! The statements that are measured, as the product sends them.

use std::ops::RangeInclusive;
use std::path::Path;

use features::sql::{BadRows, CopySource, HeldRows, HoldGroup, ReportsLoad, TransactionsLoad};
use features::{Definition, sql};
use jiff::{SignedDuration, Timestamp};
use serde::Serialize;
use turns::HourRanges;

use super::ROWS_PER_DAY;

const MICROSECONDS_PER_EIGHT_ROWS: u64 = 8 * 86_400_000_000 / ROWS_PER_DAY;
/// The histories end at one o'clock, just before the next profiles become active: then the
/// profiles are oldest, and evidence reads most.
const START: &str = "2024-01-01T01:00:00Z";
const ROWS_PER_TURN: u64 = 50_000;
const HOLDS: u32 = 1_000;
const HOLDS_PER_GROUP: u32 = 100;
const CLAIM: &str = "0123456789abcdef";
/// The same holds, but the last one is of 1970.
const CLAIM_OF_1970: &str = "fedcba9876543210";
const SOURCE: CopySource<'_> = CopySource {
    manifest: "s3://bucket/manifest.json",
    iam_role: "arn:aws:iam::123456789012:role/redshift",
    bad_rows: BadRows::Fail,
};

/// The input of measure.py.
#[derive(Serialize)]
pub(crate) struct Plan<'a> {
    folder: &'a Path,
    threads: u32,
    memory_limit: &'static str,
    /// When the first row occurred, in microseconds since 1970.
    start: i64,
    claim_id: &'static str,
    claim_of_1970: &'static str,
    tables: Vec<String>,
    histories: Vec<History>,
}

#[derive(Serialize)]
struct History {
    rows: u64,
    cut_off: Timestamp,
    statements: Statements,
}

#[derive(Serialize)]
struct Statements {
    evidence: Vec<String>,
    evidence_1970: Vec<String>,
    evidence_7d: Vec<String>,
    evidence_30d: Vec<String>,
    evidence_90d: Vec<String>,
    load: Vec<String>,
    labels: Vec<String>,
}

impl<'a> Plan<'a> {
    /// For histories of these numbers of rows.
    pub(crate) fn of(folder: &'a Path, sizes: &[u64]) -> Self {
        Self {
            folder,
            threads: 1,
            memory_limit: "8GB",
            start: time(0).as_microsecond(),
            claim_id: CLAIM,
            claim_of_1970: CLAIM_OF_1970,
            tables: sql::schema_ddl(&definition(None)),
            histories: sizes.iter().copied().map(History::of).collect(),
        }
    }
}

impl History {
    fn of(rows: u64) -> Self {
        let end = time(rows);
        let midnight = end.as_second().div_euclid(86_400) * 86_400;
        let cut_off = Timestamp::from_second(midnight - 86_400).unwrap();
        let held = [time(rows - ROWS_PER_TURN), time(rows - 1)];
        let held_1970 = [held[0], held[1], "1970-01-01T00:30:00Z".parse().unwrap()];
        let evidence = |windows, claim_id, held: &[Timestamp]| {
            let rows = HeldRows {
                turn: rows / ROWS_PER_TURN,
                claim_id,
                from: 0,
                to: HOLDS,
                cut_off: Some(cut_off),
                hours: &hours(held),
            };
            vec![sql::evidence(&definition(windows), rows)]
        };
        Self {
            rows,
            cut_off,
            statements: Statements {
                evidence: evidence(None, CLAIM, &held),
                evidence_1970: evidence(None, CLAIM_OF_1970, &held_1970),
                evidence_7d: evidence(Some("7d"), CLAIM, &held),
                evidence_30d: evidence(Some("30d"), CLAIM, &held),
                evidence_90d: evidence(Some("90d"), CLAIM, &held),
                load: load(rows),
                labels: labels(rows),
            },
        }
    }
}

/// One half of the rows is loaded already.
fn load(rows: u64) -> Vec<String> {
    let half = ROWS_PER_TURN / 2;
    let group = |place: u32| HoldGroup {
        group: format!("{place:016x}"),
        first: place * HOLDS_PER_GROUP,
    };
    let hold_groups: Vec<HoldGroup> = (0..HOLDS / HOLDS_PER_GROUP).map(group).collect();
    let load = TransactionsLoad {
        turn: rows / ROWS_PER_TURN + 1,
        claim_id: CLAIM,
        hold_groups: &hold_groups,
        hours: &hours(&[time(rows - half), time(rows), time(rows + half - 1)]),
    };
    sql::load_transactions(&definition(None), SOURCE, load)
}

/// The transactions were made in the last week.
fn labels(rows: u64) -> Vec<String> {
    let end = time(rows);
    let load = ReportsLoad {
        arrived_at: end,
        hours: &[end - SignedDuration::from_hours(7 * 24)..=end],
    };
    sql::load_reports(&definition(None), SOURCE, load)
}

/// The ranges that the product makes of these times.
fn hours(times: &[Timestamp]) -> Vec<RangeInclusive<Timestamp>> {
    let ranges = HourRanges::from_timestamps(times.iter().copied());
    let ranges = ranges.ranges().iter();
    ranges.filter_map(|range| range.times()).collect()
}

/// When this row occurred.
fn time(row: u64) -> Timestamp {
    let start: Timestamp = START.parse().unwrap();
    let microseconds = row * MICROSECONDS_PER_EIGHT_ROWS / 8;
    start + SignedDuration::from_micros(microseconds.try_into().unwrap())
}

/// The shipped definition, with windows of this length if one is given.
fn definition(window: Option<&str>) -> Definition {
    let root = local::root();
    let text = std::fs::read_to_string(root.join("infra/bundles/card-fraud/bundle.toml")).unwrap();
    let Some(window) = window else {
        return Definition::parse(&text).unwrap();
    };
    let line_of = |line: &str| match line.starts_with("window = ") {
        true => format!("window = \"{window}\"\n"),
        false => format!("{line}\n"),
    };
    Definition::parse(&text.lines().map(line_of).collect::<String>()).unwrap()
}
