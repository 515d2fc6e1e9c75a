//! The learners, their budgets and the model card.

#![expect(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    reason = "a test fails by panicking, and says where it is"
)]

mod sample;

use std::error::Error as _;

use bundle::Bundle;
use harness::fixture::DEFINITION;
use jiff::Timestamp;
use scoring::{Linear, Model, Scaling};
use train::{ImportedModels, TrainError, TrainingReport, TrainingResult, TrainingSet, train};

const BOOST: &str = "[training.boost]\nrounds = 40\ndepth = 2\nlearning_rate = 0.3\nmin_leaf = 5\n";
const SAMPLED: &str = "rows = 0.7\ncolumns = 0.5\nl2 = 1.0\n";
const FOREST: &str = "[training.forest]\ntrees = 30\ndepth = 4\nmin_leaf = 5\n";
const LOGISTIC: &str = "[training.logistic]\npenalty = 1.0\n";

/// The definition with other learners. All transactions are held, because the first look has little
/// information.
fn definition(learners: &str) -> String {
    let (before, _) = DEFINITION.split_once("[training.boost]").unwrap();
    before.replace("hold_share = 0.02", "hold_share = 1.0") + learners
}

/// A number in [0, 1) that differs from row to row.
fn noise(row: usize, salt: u64) -> f64 {
    let mut z = (row as u64 + 1)
        .wrapping_mul(0x9E37_79B9_7F4A_7C15)
        .wrapping_add(salt);
    z = (z ^ (z >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
    z = (z ^ (z >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
    ((z ^ (z >> 31)) >> 11) as f64 / (1u64 << 53) as f64
}

/// Transactions over seven days. `chance(amount, mean)` is the fraud probability; a tenth has no
/// mean.
fn world(rows: usize, chance: impl Fn(f64, Option<f64>) -> f64) -> TrainingSet {
    let mut set = TrainingSet::default();
    let mut means = Vec::new();
    for row in 0..rows {
        let seconds = 1_767_225_600 + row * 7 * 86_400 / rows;
        let (amount, mean) = (1000.0 * noise(row, 1), 1000.0 * noise(row, 2));
        let mean = (noise(row, 3) > 0.1).then_some(mean);
        set.occurred_at
            .push(Timestamp::from_second(seconds as i64).unwrap());
        set.amounts.push(amount);
        means.push(mean.unwrap_or(f64::NAN));
        set.frauds.push(noise(row, 4) < chance(amount, mean));
    }
    set.windows.insert("customer_mean_7d".to_owned(), means);
    set
}

fn logistic(log_odds: f64) -> f64 {
    1.0 / (1.0 + (-log_odds).exp())
}

/// A relation that logistic regression fits best.
fn straight(amount: f64, mean: Option<f64>) -> f64 {
    logistic(amount / 150.0 - mean.unwrap_or(500.0) / 150.0 - 2.0)
}

/// A relation that logistic regression can't fit.
fn corners(amount: f64, mean: Option<f64>) -> f64 {
    if mean.is_some_and(|mean| (amount > 500.0) == (mean > 500.0)) {
        0.3
    } else {
        0.01
    }
}

fn trained(definition: &str, set: &TrainingSet) -> TrainingResult {
    train(definition, set, None, ImportedModels::default(), |_| {}).unwrap()
}

#[test]
fn every_learner_repeats_itself_to_the_byte() {
    let set = world(3_000, corners);
    for learners in [
        BOOST,
        &format!("{BOOST}{SAMPLED}"),
        FOREST,
        LOGISTIC,
        &format!("{BOOST}{FOREST}{LOGISTIC}"),
    ] {
        let (one, other) = (
            trained(&definition(learners), &set),
            trained(&definition(learners), &set),
        );
        assert!(one.files == other.files, "{learners}");
        assert!(one.card == other.card, "{learners}");
    }
    for learners in [&format!("{BOOST}{SAMPLED}"), FOREST] {
        let one = trained(&definition(learners), &set);
        let reseeded = trained(&definition(learners).replace("seed = 1", "seed = 2"), &set);
        assert!(
            one.files["confirm.model"] != reseeded.files["confirm.model"],
            "{learners}"
        );
    }
}

#[test]
fn the_learner_with_the_best_average_precision_is_served() {
    let all = definition(&format!("{BOOST}{FOREST}{LOGISTIC}"));
    for (world, best) in [
        (world(6_000, straight), "logistic regression"),
        (world(6_000, corners), "boosted trees"),
    ] {
        let TrainingReport { confirm, .. } = trained(&all, &world).report;
        assert_eq!(confirm.leaderboard.len(), 3);
        assert_eq!(
            (confirm.learner.as_str(), &confirm.leaderboard[0].learner),
            (best, &confirm.learner)
        );
        let precisions: Vec<f64> = confirm
            .leaderboard
            .iter()
            .map(|entry| entry.ranking.unwrap().average_precision)
            .collect();
        assert!(precisions.is_sorted_by(|a, b| a >= b), "{precisions:?}");
        assert_eq!(confirm.ranking, confirm.leaderboard[0].ranking);
    }
}

#[test]
fn the_served_model_is_trained_on_the_holdout_and_the_report_is_not() {
    // Small amounts are frauds only in the last two days.
    let mut set = world(7_000, |_, _| 0.02);
    for row in 5_000..7_000 {
        set.frauds[row] = set.frauds[row] || set.amounts[row] < 100.0;
    }
    for (learner, least) in [(BOOST, 0.5), (FOREST, 0.5), (LOGISTIC, 0.1)] {
        let trained = trained(&definition(learner), &set);
        assert!(
            trained.report.first.ranking.unwrap().auc < 0.75,
            "{:?}",
            trained.report.first
        );
        let model = Model::from_bytes(&trained.files["first.model"]).unwrap();
        let mut rows = scoring::Matrix::new(2);
        [50.0, 0.0, 900.0, 0.0]
            .into_iter()
            .for_each(|value| rows.push(value));
        let (small, large) = (
            model.score_one(&rows, 0).unwrap(),
            model.score_one(&rows, 1).unwrap(),
        );
        assert!(
            small > 1.5 * large || small > least,
            "{learner}: {small} and {large}"
        );
    }
}

#[test]
fn depth_is_the_number_of_splits_on_a_path() {
    let set = world(3_000, corners);
    for (depth, most) in [(1, 3), (2, 7)] {
        for learner in [
            BOOST.replace("depth = 2", &format!("depth = {depth}")),
            FOREST.replace("depth = 4", &format!("depth = {depth}")),
        ] {
            let report = trained(&definition(&learner), &set).report.confirm;
            assert!(
                report.nodes > (most - 2) * report.trees / 2,
                "{learner}: {} of {}",
                report.nodes,
                report.trees
            );
            assert!(
                report.nodes <= most * report.trees,
                "{learner}: {} of {}",
                report.nodes,
                report.trees
            );
        }
    }
}

#[test]
fn daily_budgets_are_kept_on_the_holdout() {
    let set = world(7_000, corners);
    let text = definition(BOOST).replace("hold_share = 1.0", "holds_a_day = 150.5");
    let text = text
        .replace("review = 5", "")
        .replace("[confirm]", "[confirm]\nreviews_a_day = 12");
    let report = trained(&text, &set).report;
    assert!(
        (100..=301).contains(&report.held.chosen),
        "{:?}",
        report.held
    );
    let reviewed = report.settled.review.frauds + report.settled.review.good;
    assert!((1..=24).contains(&reviewed), "{:?}", report.settled);
    let [_, release_below, block_at] = report.thresholds;
    assert!(release_below < block_at);
}

#[test]
fn transactions_are_held_when_approving_has_the_higher_expected_cost() {
    let text = definition(BOOST)
        .replace("hold_share = 1.0", "")
        .replace("[costs]", "[costs]\nfalse_hold = 25");
    assert_eq!(
        trained(&text, &world(3_000, corners)).report.thresholds[0],
        0.2,
        "25 / (25 + 100)"
    );
}

#[test]
fn too_many_equal_scores_for_the_hold_budget_are_refused_with_a_remedy() {
    let mut set = world(3_000, corners);
    set.amounts
        .iter_mut()
        .for_each(|amount| *amount = if *amount > 700.0 { 700.0 } else { 10.0 });
    let text = definition(BOOST).replace("hold_share = 1.0", "hold_share = 0.01");
    let text = text.replace("[\"amount\", \"night\"]", "[\"amount\"]");
    let error = train(&text, &set, None, ImportedModels::default(), |_| {}).unwrap_err();
    assert!(
        matches!(
            error,
            TrainError::Ties {
                budget: 8,
                of: 858,
                tied: 200..700,
                ..
            }
        ),
        "{error:?}"
    );
    assert!(
        error
            .to_string()
            .starts_with("first.hold_share allows 8 holds among the 858"),
        "{error}"
    );
    assert!(
        error
            .to_string()
            .contains("raise first.hold_share, or give the first look features"),
        "{error}"
    );
}

#[test]
fn an_imported_model_is_served_unchanged() {
    let set = world(3_000, corners);
    let column = |coefficient| Scaling {
        mean: 500.0,
        sd: 100.0,
        coefficient,
    };
    let imported = || Model::from(Linear::new(-3.0, vec![column(0.5), column(0.0)]).unwrap());
    let trained = train(
        &definition(BOOST),
        &set,
        None,
        ImportedModels {
            first: Some(imported()),
            confirm: None,
        },
        |_| {},
    )
    .unwrap();
    assert_eq!(trained.files["first.model"], imported().to_bytes());
    let TrainingReport { first, confirm, .. } = &trained.report;
    assert_eq!(
        (first.learner.as_str(), confirm.learner.as_str()),
        ("imported", "boosted trees")
    );
    let card = String::from_utf8(trained.card["card.md"].clone()).unwrap();
    assert!(
        card.contains("The first look's model was imported"),
        "{card}"
    );
    // A learner is needed unless both models are imported.
    let none = definition("");
    train(
        &none,
        &set,
        None,
        ImportedModels {
            first: Some(imported()),
            confirm: Some(imported()),
        },
        |_| {},
    )
    .unwrap();
    let error = train(
        &none,
        &set,
        None,
        ImportedModels {
            first: Some(imported()),
            confirm: None,
        },
        |_| {},
    )
    .unwrap_err();
    assert!(
        error
            .source()
            .unwrap()
            .to_string()
            .contains("add [training.boost], or import a model"),
        "{error:?}"
    );
    let narrow = Model::from(Linear::new(0.0, vec![column(1.0)]).unwrap());
    let error = train(
        &none,
        &set,
        None,
        ImportedModels {
            first: Some(narrow),
            confirm: Some(imported()),
        },
        |_| {},
    )
    .unwrap_err();
    assert_eq!(
        error.source().unwrap().to_string(),
        "the imported model has 1 columns, expected the look's 2 features"
    );
}

#[test]
fn the_card_has_the_leaderboard_the_thresholds_and_all_plots() {
    let trained = trained(
        &definition(&format!("{BOOST}{FOREST}{LOGISTIC}")),
        &world(6_000, corners),
    );
    let card = String::from_utf8(trained.card["card.md"].clone()).unwrap();
    for said in [
        &format!("# small {}", trained.report.version),
        "6,000 transactions from 2026-01-01T00:00:00Z",
        "| second | boosted trees |",
        "| second | logistic regression |  |",
        "a missed fraud 100, a blocked good transaction 20; a review costs 5",
        "of the true holds and releases",
        "| 0.003 to 0.01 |",
        "| amount | ",
    ] {
        assert!(card.contains(said), "{said} is not in {card}");
    }
    let plots: Vec<&String> = trained
        .card
        .keys()
        .filter(|name| *name != "card.md")
        .collect();
    assert_eq!(
        plots,
        [
            "calibration.svg",
            "importance.svg",
            "precision-recall.svg",
            "scores.svg"
        ]
    );
    for plot in plots {
        assert!(
            card.contains(&format!("]({plot})")),
            "{plot} is not in the card"
        );
        let svg = String::from_utf8(trained.card[plot].clone()).unwrap();
        assert!(
            svg.starts_with("<svg")
                && svg.trim_end().ends_with("</svg>")
                && svg.matches("<text").count() > 8,
            "{plot}"
        );
        assert!(!svg.contains("NaN") && !svg.contains("inf"), "{plot}");
    }
    Bundle::open(&trained.files).unwrap();
    assert!(
        !trained.files.contains_key("card.md"),
        "the card is not part of the bundle"
    );
}
