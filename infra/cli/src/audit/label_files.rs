//! The files of fraud reports under `labels/`, and their reports in the warehouse.

use std::collections::{BTreeSet, HashMap};

use anyhow::Result;
use decision::keys;
use futures_util::TryStreamExt as _;
use jiff::Timestamp;
use serde::Deserialize;
use store::{ObjectInfo, Objects as _, gunzip};
use turns::{Lane, WaitingEntry};
use warehouse::Value;

use super::AuditScope;
use super::stored::{is_old_enough, lines, read_all};
use crate::system::System;

/// A file that no waiting entry stands for.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct LabelFile {
    pub(super) object: ObjectInfo,
    /// `None` if the file is no gzip.
    pub(super) reports: Option<Vec<Report>>,
}

/// A line of a file.
#[derive(Clone, Debug, PartialEq, Deserialize)]
pub(super) struct Report {
    pub(super) transaction_id: String,
    pub(super) reported_at: Option<Timestamp>,
    pub(super) is_fraud: bool,
}

/// A report in the warehouse: the transaction's id, and whether it is a fraud.
pub(super) type LoadedReport = (String, bool);

/// A file with reports that the warehouse does not have.
#[derive(Debug, PartialEq)]
pub(super) struct NotLoaded<'a> {
    pub(super) object: &'a ObjectInfo,
    /// `None` if the file is no gzip.
    pub(super) missing: Option<usize>,
}

/// The files that the audit is about. The console of S3 creates an empty object for a folder.
pub(super) async fn read(
    system: &System,
    scope: &AuditScope,
    now: Timestamp,
) -> Result<Vec<LabelFile>> {
    let mut objects = system.objects.list(keys::LABELS).await?;
    objects.retain(|object| object.bytes > 0 && !object.key.ends_with('/'));
    objects.retain(|object| is_old_enough(object, scope, now));
    if let Some((first, _)) = scope.among_others {
        objects.retain(|object| object.modified >= first);
    }
    let waiting = waiting_files(system).await?;
    objects.retain(|object| !waiting.contains(&object.key));
    let mut files = Vec::with_capacity(objects.len());
    let mut objects = read_all(system, objects);
    while let Some((object, bytes)) = objects.try_next().await? {
        let text = gunzip(&object.key, &bytes).ok();
        files.push(LabelFile {
            object,
            reports: text.map(|text| reports(&text)),
        });
    }
    Ok(files)
}

/// The keys of the files that waiting entries stand for.
async fn waiting_files(system: &System) -> Result<BTreeSet<String>> {
    let entries = WaitingEntry::prefix(Lane::Labels);
    let mut keys = BTreeSet::new();
    for entry in system.objects.list(&entries).await? {
        let content = system.objects.get(&entry.key).await?;
        keys.extend(content.and_then(|key| String::from_utf8(key).ok()));
    }
    Ok(keys)
}

/// The readable lines. The warehouse refuses the other ones and names them in `quarantine/`.
fn reports(text: &[u8]) -> Vec<Report> {
    let report = |line| serde_json::from_slice(line).ok();
    lines(text).filter_map(report).collect()
}

/// The reports in the warehouse.
pub(super) async fn loaded(system: &System) -> Result<BTreeSet<LoadedReport>> {
    let query = "SELECT transaction_id, is_fraud FROM fraud_reports";
    let rows = system.query(vec![query.to_owned()]).await?;
    let report = |row: &warehouse::Row| {
        let is_fraud = row.0.get("is_fraud") == Some(&Value::Bool(true));
        Some((row.text("transaction_id")?.to_owned(), is_fraud))
    };
    Ok(rows.iter().filter_map(report).collect())
}

/// The files with a report that the warehouse lacks. A report that a later one supersedes may lack.
pub(super) fn not_loaded<'a>(
    files: &'a [LabelFile],
    loaded: &BTreeSet<LoadedReport>,
) -> Vec<NotLoaded<'a>> {
    let mut latest: HashMap<&str, Option<Timestamp>> = HashMap::new();
    for report in files
        .iter()
        .filter_map(|file| file.reports.as_ref())
        .flatten()
    {
        let time = latest.entry(&report.transaction_id).or_default();
        *time = (*time).max(report.reported_at);
    }
    let lacks = |report: &&Report| {
        let is_latest = latest.get(report.transaction_id.as_str()) == Some(&report.reported_at);
        is_latest && !loaded.contains(&(report.transaction_id.clone(), report.is_fraud))
    };
    let mut not_loaded = Vec::new();
    for LabelFile { object, reports } in files {
        let missing = reports
            .as_ref()
            .map(|reports| reports.iter().filter(lacks).count());
        if missing != Some(0) {
            not_loaded.push(NotLoaded { object, missing });
        }
    }
    not_loaded
}

#[cfg(test)]
mod tests {
    use super::*;

    fn file(key: &str, lines: &str) -> LabelFile {
        LabelFile {
            object: ObjectInfo {
                key: key.to_owned(),
                modified: Timestamp::UNIX_EPOCH,
                bytes: 1,
            },
            reports: Some(reports(lines.as_bytes())),
        }
    }

    fn line(id: &str, day: u32, is_fraud: bool) -> String {
        format!(
            "{{\"transaction_id\":\"{id}\",\"reported_at\":\"2026-01-{day:02}T00:00:00Z\",\
             \"is_fraud\":{is_fraud}}}\n"
        )
    }

    fn keys_of(not_loaded: &[NotLoaded<'_>]) -> Vec<String> {
        let keys = not_loaded.iter().map(|file| file.object.key.clone());
        keys.collect()
    }

    #[test]
    fn a_file_is_not_loaded_if_the_warehouse_lacks_one_of_its_reports() {
        let files = [file("a", &(line("1", 1, true) + &line("2", 1, true)))];
        let one = BTreeSet::from([("1".to_owned(), true)]);
        let both = BTreeSet::from([("1".to_owned(), true), ("2".to_owned(), true)]);
        let [found] = &not_loaded(&files, &one)[..] else {
            panic!("expected one file");
        };
        assert_eq!(found.missing, Some(1));
        assert_eq!(not_loaded(&files, &both), []);
    }

    #[test]
    fn a_superseded_report_may_lack_and_the_latest_may_not() {
        let files = [
            file("fraud", &line("1", 1, true)),
            file("retracted", &line("1", 2, false)),
        ];
        let old = BTreeSet::from([("1".to_owned(), true)]);
        let new = BTreeSet::from([("1".to_owned(), false)]);
        assert_eq!(keys_of(&not_loaded(&files, &old)), ["retracted"]);
        assert_eq!(not_loaded(&files, &new), []);
    }

    #[test]
    fn lines_that_are_no_reports_are_left_to_the_quarantine() {
        let files = [file("a", "{\"transaction_id\":\"1\"}\nno JSON\n")];
        assert_eq!(not_loaded(&files, &BTreeSet::new()), []);
        let unreadable = LabelFile {
            reports: None,
            ..files[0].clone()
        };
        let files = [unreadable];
        assert_eq!(keys_of(&not_loaded(&files, &BTreeSet::new())), ["a"]);
    }
}
