//! Training a bundle from unloaded rows.

#![expect(
    clippy::unwrap_used,
    reason = "a test fails by panicking, and says where it is"
)]

mod unloaded;

use std::error::Error as _;

use bundle::Bundle;
use decision::{Batch, Origin};
use features::{Definition, Report, TrainingPeriod};
use harness::fixture::{DEFINITION, categorised_definition};
use jiff::{SignedDuration, Timestamp};
use serde_json::Value;
use train::{Category, ImportedModels, LabelledHistory, TrainError, TrainingSet, train};

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
    assert_eq!((report.rows, report.frauds), (4_000, 200));
    assert_eq!(
        report.transactions, 7_800,
        "each good row stands for two transactions"
    );
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

/// A history of transactions `T0`, `T1` and so on, one a minute. Every tenth is a fraud.
fn history(definition: &Definition, ids: impl Iterator<Item = usize>) -> LabelledHistory {
    let mut history = LabelledHistory::default();
    for id in ids {
        let occurred_at = start() + SignedDuration::from_mins(id as i64);
        let json = format!(
            r#"{{"transaction_id":"T{id}","occurred_at":"{occurred_at}","amount":{id},
                "customer_id":"C","terminal_id":"S"}}"#
        );
        let mut batch = Batch::with_capacity(definition.schema(), 1);
        let origin = Origin { record: 0, item: 0 };
        batch.read(json.as_bytes(), origin, Timestamp::MAX).unwrap();
        let report = Report {
            reported_at: occurred_at,
            arrived_at: occurred_at,
            is_fraud: true,
        };
        history.add(&batch, |_| match id.is_multiple_of(10) {
            true => vec![report],
            false => Vec::new(),
        });
    }
    history
}

fn start() -> Timestamp {
    "2026-01-01T00:00:00Z".parse().unwrap()
}

#[test]
fn a_history_is_sampled_by_the_hash_of_the_ids() {
    let definition = Definition::parse(DEFINITION).unwrap();
    let period = TrainingPeriod {
        from: start(),
        to: Timestamp::MAX,
        as_of: Timestamp::MAX,
    };
    let amounts = |ids: Vec<usize>| {
        let history = history(&definition, ids.into_iter());
        TrainingSet::of_history(&definition, &history, &period).amounts
    };
    let sample = definition.training.good_sample();
    let is_in = |id: &usize| id.is_multiple_of(10) || sample.contains(&format!("T{id}"));
    let expected: Vec<f64> = (0..1_000).filter(is_in).map(|id| id as f64).collect();
    assert!((500..600).contains(&expected.len()), "{}", expected.len());
    assert_eq!(amounts((0..1_000).collect()), expected);
    // Rows before a transaction do not change whether it is in the sample.
    let later: Vec<f64> = expected.iter().copied().filter(|id| *id >= 300.0).collect();
    assert_eq!(amounts((300..1_000).collect()), later);
    let past = history(&definition, 0..1_000);
    let whole = TrainingSet::of_whole_history(&definition, &past, &period);
    assert_eq!((whole.len(), whole.good_weight), (1_000, 1.0));
}

#[test]
fn a_category_rate_is_that_of_all_transactions_not_of_the_sample() {
    let text = categorised_definition();
    let definition = Definition::parse(&text).unwrap();
    let mut set = set(&lines(2_000));
    set.categories = vec![Category {
        names: vec!["web".to_owned()],
        rows: vec![Some(0); 2_000],
    }];
    let rate = |set: &TrainingSet| set.tables(&definition).value("channel", Some("web"));
    set.good_weight = 1.0;
    assert!((rate(&set) - 0.05).abs() < 0.005, "{}", rate(&set));
    set.good_weight = 10.0;
    let expected = 0.05 / (0.05 + 0.95 * 10.0);
    assert!((rate(&set) - expected).abs() < 0.0005, "{}", rate(&set));
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
        let (before, id) = (fields[..9].join(","), fields[10]);
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
    let matrix = set.matrix(&definition, &definition.first, &set.profiles);
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
        "the unloaded CSV has no column `_profile_customer_mean_7d_values`: unload it again with \
         this definition"
    );
    let time = "2026-01-01 00:00:00,2026-01-01 00:00:00";
    let wrong = format!("{HEADER}\n{time},1.5,C,S,,,,,0,T\n{time},1.5,C,S,1,much,,,0,T\n");
    assert_eq!(
        read(&wrong),
        "unloaded CSV, line 3, column `_profile_customer_mean_7d_sum`: expected a number or an \
         empty field"
    );
    let empty = format!("{HEADER}\n{time},,C,S,,,,,0,T\n");
    assert_eq!(
        read(&empty),
        "unloaded CSV, line 2, column `amount`: expected a number"
    );
}
