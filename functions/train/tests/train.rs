//! Training a bundle from unloaded rows.

#![expect(
    clippy::unwrap_used,
    reason = "a test fails by panicking, and says where it is"
)]

mod unloaded;

use std::error::Error as _;

use bundle::Bundle;
use features::Definition;
use harness::fixture::{DEFINITION, categorised_definition};
use serde_json::Value;
use train::{ImportedModels, TrainError, TrainingSet, train};

use self::unloaded::{HEADER, csv, lines};

fn set(lines: &[String]) -> TrainingSet {
    let definition = Definition::parse(DEFINITION).unwrap();
    TrainingSet::read(&definition, [csv(lines).as_bytes()]).unwrap()
}

#[test]
fn the_second_look_finds_frauds_that_only_the_history_shows() {
    let mut rounds = 0;
    let trained = train(
        DEFINITION,
        &set(&lines(4_000)),
        None,
        ImportedModels::default(),
        |_| {
            rounds += 1;
        },
    )
    .unwrap();
    assert!(rounds > 0, "progress is reported");
    let report = &trained.report;
    let ranking = |look: &train::LookReport| look.ranking.as_ref().unwrap().auc;
    assert!(ranking(&report.confirm) > 0.999, "{report:?}");
    assert!(ranking(&report.first) < 0.98, "{report:?}");
    assert_eq!((report.transactions, report.frauds), (4_000, 200));
    assert!(
        report.held.chosen > 0 && report.kept.precision > 0.99,
        "{report:?}"
    );
    let bundle = Bundle::open(&trained.files).unwrap();
    assert_eq!(bundle.version(), report.version);
    let golden: Value = serde_json::from_slice(&trained.files["golden.json"]).unwrap();
    assert!(
        !golden.to_string().contains("C0"),
        "a bundle contains no customer's id"
    );
}

#[test]
fn the_bundle_does_not_depend_on_the_order_of_rows_and_files() {
    let lines = lines(1_000);
    let one = train(
        DEFINITION,
        &set(&lines),
        None,
        ImportedModels::default(),
        |_| {},
    )
    .unwrap();
    let mut other = lines.clone();
    other.reverse();
    let definition = Definition::parse(DEFINITION).unwrap();
    let parts = [csv(&other[..300]), csv(&[]), csv(&other[300..])];
    let other = train(
        DEFINITION,
        &TrainingSet::read(&definition, parts.iter().map(String::as_bytes)).unwrap(),
        None,
        ImportedModels::default(),
        |_| {},
    );
    assert_eq!(one.files, other.unwrap().files);
    let reseeded = train(
        &DEFINITION.replace("seed = 1", "seed = 2"),
        &set(&lines),
        None,
        ImportedModels::default(),
        |_| {},
    )
    .unwrap();
    assert_ne!(one.report.version, reseeded.report.version);
}

#[test]
fn a_rows_category_rate_does_not_contain_its_own_label() {
    // Frauds use the channel `phone`. Every second transaction has a channel of its own.
    let lines = lines(3_000);
    let channel = |row: usize| match row {
        _ if row.is_multiple_of(2) => format!("way {row}"),
        _ if row.is_multiple_of(3) => "phone".to_owned(),
        _ => "shop".to_owned(),
    };
    let label = |row: usize| {
        u8::from(!row.is_multiple_of(2) && row.is_multiple_of(3) || row.is_multiple_of(100))
    };
    let line = |(row, line): (usize, &String)| {
        let fields: Vec<&str> = line.split(',').collect();
        let (before, id) = (fields[..5].join(","), fields[6]);
        format!("{before},{},{id},{}", label(row), channel(row))
    };
    let lines: Vec<String> = lines.iter().enumerate().map(line).collect();
    // All transactions with the channel `phone` have the same score.
    let text = categorised_definition().replace("hold_share = 0.02", "hold_share = 0.2");
    let definition = Definition::parse(&text).unwrap();
    let read = |lines: &[String]| {
        let csv = format!("{HEADER},channel\n{}\n", lines.join("\n"));
        TrainingSet::read(&definition, [csv.as_bytes()]).unwrap()
    };
    let set = read(&lines);
    let matrix = set.matrix(&definition, &definition.first);
    let prior = set.tables(&definition).value("channel", None);
    for row in (0..set.len()).filter(|row| row.is_multiple_of(2)) {
        assert!(
            (f64::from(matrix.row(row)[1]) - prior).abs() < 0.01,
            "row {row} contains its own label"
        );
    }
    let trained = train(&text, &set, None, ImportedModels::default(), |_| {}).unwrap();
    assert!(
        trained.report.first.ranking.unwrap().auc > 0.95,
        "{:?}",
        trained.report
    );
    let tables: Value = serde_json::from_slice(&trained.files["categories.json"]).unwrap();
    let rate = |channel: &str| tables["channel"]["values"][channel].as_f64();
    assert!(rate("phone").unwrap() > 0.9 && rate("shop").unwrap() < 0.1);
    assert_eq!(
        rate("way 2998"),
        None,
        "values of the holdout are not listed"
    );

    let mut reversed = lines.clone();
    reversed.reverse();
    assert_eq!(
        train(
            &text,
            &read(&reversed),
            None,
            ImportedModels::default(),
            |_| {}
        )
        .unwrap()
        .files,
        trained.files
    );
}

#[test]
fn an_unusable_training_set_is_refused_with_a_remedy() {
    let lines = lines(1_000);
    let good: Vec<String> = lines
        .iter()
        .filter(|line| line.contains(",0,T"))
        .cloned()
        .collect();
    let error = train(
        DEFINITION,
        &set(&good),
        None,
        ImportedModels::default(),
        |_| {},
    )
    .unwrap_err();
    assert!(
        error.source().unwrap().to_string().contains("0 frauds and"),
        "{error:?}"
    );
    let error = train(
        DEFINITION,
        &set(&[]),
        None,
        ImportedModels::default(),
        |_| {},
    )
    .unwrap_err();
    assert!(matches!(error, TrainError::NoHoldout), "{error}");

    let definition = Definition::parse(DEFINITION).unwrap();
    let read = |text: &str| {
        TrainingSet::read(&definition, [text.as_bytes()])
            .unwrap_err()
            .to_string()
    };
    let without = csv(&lines[..3]).replace("customer_mean_7d", "customer_mean_8d");
    assert_eq!(
        read(&without),
        "the unloaded CSV has no column `customer_mean_7d`: unload it again with this definition"
    );
    let wrong = format!("{HEADER}\n1767225600,1.5,C,S,,0,T\n1767225600,much,C,S,1,0,T\n");
    assert_eq!(
        read(&wrong),
        "unloaded CSV, line 3, column `amount`: expected a number or an empty field"
    );
    let empty = format!("{HEADER}\n1767225600,,C,S,,0,T\n");
    assert_eq!(
        read(&empty),
        "unloaded CSV, line 2, column `amount`: expected a number"
    );
}
