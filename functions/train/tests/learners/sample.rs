//! A sample of the good transactions gives the probabilities and figures of all.

use train::{TrainingReport, TrainingSet};

use super::{BOOST, FOREST, LOGISTIC, corners, definition, straight, trained, world};

/// All frauds, and one of `weight` good transactions.
fn sampled(set: &TrainingSet, weight: usize) -> TrainingSet {
    let is_in = |row: &usize| set.frauds[*row] || row.is_multiple_of(weight);
    let rows: Vec<usize> = (0..set.len()).filter(is_in).collect();
    let pick = |column: &[f64]| rows.iter().map(|row| column[*row]).collect::<Vec<f64>>();
    let windows = set.windows.iter();
    TrainingSet {
        occurred_at: rows.iter().map(|row| set.occurred_at[*row]).collect(),
        amounts: pick(&set.amounts),
        windows: windows
            .map(|(name, column)| (name.clone(), pick(column)))
            .collect(),
        frauds: rows.iter().map(|row| set.frauds[*row]).collect(),
        good_weight: weight as f64,
        ..TrainingSet::default()
    }
}

#[test]
fn sampling_good_transactions_does_not_change_probabilities() {
    let (corners, straight) = (world(20_000, corners), world(20_000, straight));
    for (learner, set) in [(BOOST, &corners), (FOREST, &corners), (LOGISTIC, &straight)] {
        for weight in [10, 1] {
            let trained = trained(&definition(learner), &sampled(set, weight));
            let found = trained.report.confirm.leaderboard[0].calibration.unwrap();
            // Without the correction of the prior this would differ by ln 0.1 = −2.3.
            assert!(
                (found.log_odds(-1.7) + 1.7).abs() < 0.35,
                "{learner}{weight}: {found:?}"
            );
        }
    }
}

#[test]
fn a_sample_gives_the_figures_and_thresholds_of_all_transactions() {
    let learners = "[training.logistic]\npenalty = 1.0\n";
    let text = definition(learners).replace("hold_share = 1.0", "hold_share = 0.1");
    let all = world(40_000, straight);
    let (all, sample) = (trained(&text, &all), trained(&text, &sampled(&all, 10)));
    let card = String::from_utf8(sample.card["card.md"].clone()).unwrap();
    let (all, sample) = (all.report, sample.report);
    assert!(sample.rows < 15_000, "{}", sample.rows);
    let close = |name: &str, one: f64, other: f64, share: f64| {
        assert!(
            (one - other).abs() <= share * one,
            "{name}: {one} of all, {other} of the sample"
        );
    };
    let count = |name, one: usize, other: usize| close(name, one as f64, other as f64, 0.03);
    count("transactions", all.transactions, sample.transactions);
    count("holdout", all.holdout, sample.holdout);
    assert_eq!(all.holdout_frauds, sample.holdout_frauds);
    count("holds", all.held.chosen, sample.held.chosen);
    close(
        "hold precision",
        all.held.precision,
        sample.held.precision,
        0.05,
    );
    close("hold recall", all.held.recall, sample.held.recall, 0.05);
    close("hold_at", all.thresholds[0], sample.thresholds[0], 0.05);
    let held = |report: &TrainingReport| report.settled.held().good;
    close("good holds", held(&all) as f64, held(&sample) as f64, 0.05);
    let (of_all, of_sample) = (all.confirm, sample.confirm);
    let ranked = [&of_all, &of_sample].map(|look| look.ranking.unwrap());
    close("AUC", ranked[0].auc, ranked[1].auc, 0.01);
    let [one, other] = ranked.map(|ranking| ranking.average_precision);
    close("average precision", one, other, 0.05);
    let [one, other] = [&of_all, &of_sample].map(|look| look.leaderboard[0].log_loss);
    close("log loss", one, other, 0.05);
    let bins = of_all.reliability.iter().zip(&of_sample.reliability);
    for (one, other) in bins.filter(|(one, _)| one.transactions > 1_000) {
        close(
            "bin",
            one.transactions as f64,
            other.transactions as f64,
            0.15,
        );
        close("mean probability", one.said, other.said, 0.15);
    }
    assert!(card.contains("Each good row counts as 10.00"), "{card}");
}
