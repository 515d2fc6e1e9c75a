//! The model card: what a bundle is, what it was made of and how good it is, for people.

mod plots;

use std::collections::BTreeMap;
use std::fmt::{Display, Write as _};

use features::{Definition, HoldBy, ReviewBy};

use crate::TrainError;
use crate::learn::IMPORTED;
use crate::report::{LookReport, TrainingReport};

/// `(probability, is fraud)` of the rows held out.
pub(crate) struct Curves<'a> {
    pub(crate) first: &'a [(f64, bool)],
    pub(crate) confirm: &'a [(f64, bool)],
}

/// `card.md` and its plots by name.
pub(crate) fn card(
    definition: &Definition,
    report: &TrainingReport,
    curves: &Curves<'_>,
) -> Result<BTreeMap<String, Vec<u8>>, TrainError> {
    let mut files = plots::all(report, curves)?;
    files.insert("card.md".to_owned(), text(definition, report).into_bytes());
    Ok(files)
}

fn text(definition: &Definition, report: &TrainingReport) -> String {
    let TrainingReport {
        first,
        confirm,
        held,
        settled,
        ..
    } = report;
    let [from, to] = report.between;
    let mut card = format!(
        "# {} {}\n\nTwo models that judge transactions one after the other: the first look holds what it suspects, the \
         confirming look, which knows the whole history, releases, blocks or hands to review.\n\n",
        report.bundle, report.version
    );
    let _ = write!(
        card,
        "## Data\n\n{} transactions from {from} to {to}, {} of them frauds ({}). What was not reported within {} counts as \
         good. Features are as they were known at each transaction's own moment.\n\nThe last {} were held out: {} \
         transactions, {} frauds. **All figures on this page are of these.** {} Learner, number of trees, calibration \
         and thresholds were chosen on them.\n\n",
        thousands(report.transactions),
        thousands(report.frauds),
        percent(report.frauds as f64 / report.transactions.max(1) as f64, 2),
        days(definition.training.label_delay.as_secs_f64() / 86_400.0),
        days(report.holdout_days),
        thousands(report.holdout),
        thousands(report.holdout_frauds),
        seen(report),
    );
    card.push_str("## Leaderboard\n\nWhat ranks best by average precision is served.\n\n");
    card.push_str(
        "| look | learner | trees | AUC | average precision | log loss | |\n|---|---|---:|---:|---:|---:|---|\n",
    );
    for (name, look) in [("first", first), ("confirming", confirm)] {
        leaderboard(&mut card, name, look);
    }
    card.push_str("\n![Precision and recall](precision-recall.svg)\n\n");
    thresholds(&mut card, definition, report);
    let _ = write!(
        card,
        "## What the confirming look changes\n\nThe first look would hold {} transactions ({} a day): {} of them frauds, \
         which is {} of all frauds. Of these holds, the confirming look would\n\n| | frauds | good |\n|---|---:|---:|\n",
        thousands(held.chosen),
        per_day(held.chosen, report),
        percent(held.precision, 1),
        percent(held.recall, 1),
    );
    for (name, count) in [
        ("release", settled.released),
        ("hand to review", settled.review),
        ("block", settled.blocked),
    ] {
        let _ = writeln!(
            card,
            "| {name} | {} | {} |",
            thousands(count.frauds),
            thousands(count.good)
        );
    }
    let share = |share: Option<f64>| {
        share.map_or_else(|| "none there".to_owned(), |share| percent(share, 1))
    };
    let _ = write!(
        card,
        "\nSo it keeps {} of the true holds and releases {} of the false ones.\n\n![Scores](scores.svg)\n\n",
        share(settled.true_holds_kept()),
        share(settled.false_holds_released()),
    );
    card.push_str(
        "## Calibration\n\nOf the transactions that were given a probability, the share that turned out to be frauds, with \
         its 95 % interval.\n\n![Calibration](calibration.svg)\n\n",
    );
    for (name, look) in [("First", first), ("Confirming", confirm)] {
        reliability(&mut card, name, look);
    }
    card.push_str(
        "## Importance\n\nA feature's share in what moves the served model's scores: the mean size of its contribution to \
         a held-out transaction's score, over the sum of all. It says what the model uses, not what causes fraud.\n\n\
         ![Importance](importance.svg)\n\n| first look | | confirming look | |\n|---|---:|---|---:|\n",
    );
    for place in 0..first.importance.len().max(confirm.importance.len()) {
        let cell = |look: &LookReport| {
            let feature = look.importance.get(place);
            feature.map_or_else(
                || " | ".to_owned(),
                |(name, share)| format!("{name} | {}", percent(*share, 1)),
            )
        };
        let _ = writeln!(card, "| {} | {} |", cell(first), cell(confirm));
    }
    card
}

/// Who has seen the transactions held out.
fn seen(report: &TrainingReport) -> String {
    let is_imported = |look: &LookReport| look.learner == IMPORTED;
    let learnt = "come from a model that was not trained on them. The served model was then trained in the \
                  same way on all transactions; it uses the same calibration and thresholds.";
    let unknown = "model was imported and is served unchanged. Whether it was trained on these transactions is unknown.";
    match (is_imported(&report.first), is_imported(&report.confirm)) {
        (false, false) => format!("They {learnt}"),
        (true, true) => format!("Each look's {unknown}"),
        (true, false) => format!("The confirming look's {learnt} The first look's {unknown}"),
        (false, true) => format!("The first look's {learnt} The confirming look's {unknown}"),
    }
}

fn leaderboard(card: &mut String, name: &str, look: &LookReport) {
    for entry in &look.leaderboard {
        let served = match (entry.learner == look.learner, entry.calibration) {
            (true, Some(_)) => "served",
            (true, None) => "served, not calibrated",
            (false, _) => "",
        };
        let trees = if entry.trees > 0 {
            entry.trees.to_string()
        } else {
            String::new()
        };
        let _ = writeln!(
            card,
            "| {name} | {} | {trees} | {} | {} | {:.5} | {served} |",
            entry.learner,
            entry.figure(|ranking| ranking.auc),
            entry.figure(|ranking| ranking.average_precision),
            entry.log_loss,
        );
    }
}

fn thresholds(card: &mut String, definition: &Definition, report: &TrainingReport) {
    let [hold_at, release_below, block_at] = report.thresholds;
    let costs = definition.costs;
    let hold = match definition.hold {
        HoldBy::Share(share) => {
            format!(
                "the lowest with which at most {} of the transactions held out are held",
                percent(share, 2)
            )
        }
        HoldBy::PerDay(holds) => format!("the lowest with which at most {holds} a day are held"),
        HoldBy::Cost { false_hold } => {
            format!(
                "where approving is expected to cost as much as holding: a false hold costs {false_hold}, a missed fraud {}",
                costs.missed_fraud
            )
        }
    };
    let review = match definition.review {
        ReviewBy::Cost { review } => format!("a review costs {review}"),
        ReviewBy::PerDay(reviews) => format!("there may be {reviews} reviews a day"),
    };
    let _ = write!(
        card,
        "## Thresholds\n\n| probability of fraud | what follows |\n|---|---|\n| first look, from {hold_at:.4} on | hold: {hold} \
         |\n| confirming look, below {release_below:.4} | release |\n| confirming look, from {block_at:.4} on | block |\n| \
         confirming look, between | review |\n\nThe confirming look's follow from what mistakes cost: a missed fraud {}, \
         a good transaction blocked {}; {review}. They are only as good as the calibration below.\n\n",
        costs.missed_fraud, costs.false_block,
    );
}

fn reliability(card: &mut String, name: &str, look: &LookReport) {
    let _ = write!(
        card,
        "{name} look:\n\n| probability | transactions | mean probability | frauds | share of frauds |\n\
         |---|---:|---:|---:|---:|\n"
    );
    for bin in &look.reliability {
        let _ = writeln!(
            card,
            "| {} to {} | {} | {} | {} | {} |",
            bin.from,
            bin.to,
            thousands(bin.transactions),
            percent(bin.said, 2),
            thousands(bin.frauds),
            percent(bin.frauds as f64 / bin.transactions.max(1) as f64, 2),
        );
    }
    card.push('\n');
}

fn percent(share: f64, digits: usize) -> String {
    format!("{:.digits$} %", share * 100.0)
}

fn days(days: f64) -> String {
    let plural = if days == 1.0 { "day" } else { "days" };
    format!("{} {plural}", (days * 100.0).round() / 100.0)
}

fn per_day(count: usize, report: &TrainingReport) -> impl Display {
    (count as f64 / report.holdout_days).round()
}

fn thousands(number: usize) -> String {
    let digits = number.to_string();
    let mut text = String::new();
    for (place, digit) in digits.chars().enumerate() {
        if place > 0 && (digits.len() - place).is_multiple_of(3) {
            text.push(',');
        }
        text.push(digit);
    }
    text
}
