//! The model card: a bundle's data, quality and thresholds as Markdown with plots.

mod plots;

use std::collections::BTreeMap;
use std::fmt::{Display, Write as _};

use features::{Definition, HoldBy, ReviewBy};

use crate::TrainError;
use crate::learn::IMPORTED;
use crate::metrics::ScoredLabel;
use crate::report::{LookReport, TrainingReport};

/// The looks' probabilities of the holdout's rows.
pub(crate) struct Curves<'a> {
    pub(crate) first: &'a [ScoredLabel],
    pub(crate) confirm: &'a [ScoredLabel],
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
        "# {} {}\n\nTwo models judge transactions. The first look holds suspicious transactions. The second look \
         knows the whole history and releases, blocks or hands each hold to review.\n\n",
        report.bundle, report.version
    );
    let _ = write!(
        card,
        "## Data\n\n{} transactions from {from} to {to}, {} frauds ({}). Transactions without a fraud report within {} \
         count as good. {}Features have the values that were known at each transaction's timestamp.\n\n\
         The holdout is the last {}: {} transactions, {} frauds. **All figures on this page are \
         measured on the holdout.** {} The learner, the number of trees, the calibration and the \
         thresholds were chosen on the holdout.\n\n",
        thousands(report.transactions),
        thousands(report.frauds),
        percent(report.frauds as f64 / report.transactions.max(1) as f64, 2),
        days(definition.training.label_delay.as_secs_f64() / 86_400.0),
        sample(report),
        days(report.holdout_days),
        thousands(report.holdout),
        thousands(report.holdout_frauds),
        holdout_use(report),
    );
    card.push_str("## Leaderboard\n\nThe learner with the best average precision is served.\n\n");
    let columns = TrainingReport::LEADERBOARD_COLUMNS.join(" | ");
    let _ = write!(card, "| {columns} |\n|---|---|---:|---:|---:|---:|---|\n");
    for row in report.leaderboard() {
        let _ = writeln!(card, "| {} |", row.join(" | "));
    }
    card.push_str("\n![Precision and recall](precision-recall.svg)\n\n");
    thresholds(&mut card, definition, report);
    let _ = write!(
        card,
        "## Effect of the second look\n\nThe first look would hold {} transactions ({} a day): hold \
         precision {}, recall {}. The second look's decisions on these holds:\n\n| | frauds | good |\n|---|---:|---:|\n",
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
        share.map_or_else(|| "none held".to_owned(), |share| percent(share, 1))
    };
    let _ = write!(
        card,
        "\nThe second look keeps {} of the true holds and releases {} of the false holds.\n\n![Scores](scores.svg)\n\n",
        share(settled.true_holds_kept()),
        share(settled.false_holds_released()),
    );
    card.push_str(
        "## Calibration\n\nFraud rate by predicted probability, with 95 % confidence intervals.\n\n![Calibration](calibration.svg)\n\n",
    );
    for (name, look) in [("First", first), ("Second", confirm)] {
        reliability(&mut card, name, look);
    }
    card.push_str(
        "## Importance\n\nA feature's importance is the mean absolute value of its contributions to the served model's \
         scores on the holdout, as a share of all features. It shows what the model uses, not what \
         causes fraud.\n\n\
         ![Importance](importance.svg)\n\n| first look | | second look | |\n|---|---:|---|---:|\n",
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

/// Says which share of the good transactions was read. Empty if all were.
fn sample(report: &TrainingReport) -> String {
    if report.good_weight <= 1.0 {
        return String::new();
    }
    format!(
        "The training set has all frauds and a sample of the good transactions ({} of them), which a \
         hash of the id decides: {} rows. Each good row counts as {:.2} transactions, so numbers \
         of good transactions are estimates. ",
        percent(1.0 / report.good_weight, 2),
        thousands(report.rows),
        report.good_weight,
    )
}

/// Says which models were trained on the holdout.
fn holdout_use(report: &TrainingReport) -> String {
    let is_imported = |look: &LookReport| look.learner == IMPORTED;
    let held_out = "come from a model that was not trained on them. The served model was then trained in the \
                  same way on all transactions; it uses the same calibration and thresholds.";
    let unknown = "model was imported and is served unchanged. Whether it was trained on these transactions is unknown.";
    match (is_imported(&report.first), is_imported(&report.confirm)) {
        (false, false) => format!("They {held_out}"),
        (true, true) => format!("Each look's {unknown}"),
        (true, false) => format!("The second look's {held_out} The first look's {unknown}"),
        (false, true) => format!("The first look's {held_out} The second look's {unknown}"),
    }
}

fn thresholds(card: &mut String, definition: &Definition, report: &TrainingReport) {
    let [hold_at, release_below, block_at] = report.thresholds;
    let costs = definition.costs;
    let hold = match definition.hold {
        HoldBy::Share(share) => {
            format!(
                "the lowest threshold that holds at most {} of the holdout's transactions",
                percent(share, 2)
            )
        }
        HoldBy::PerDay(holds) => {
            format!("the lowest threshold that holds at most {holds} transactions a day")
        }
        HoldBy::Cost { false_hold } => {
            format!(
                "approving and holding have equal expected costs: a false hold costs {false_hold}, a missed fraud {}",
                costs.missed_fraud
            )
        }
    };
    let review = match definition.review {
        ReviewBy::Cost { review } => format!("a review costs {review}"),
        ReviewBy::PerDay(reviews) => format!("at most {reviews} reviews a day"),
    };
    let _ = write!(
        card,
        "## Thresholds\n\n| fraud probability | action |\n|---|---|\n| first look, {hold_at:.4} or above | hold: {hold} |\n\
         | second look, below {release_below:.4} | release |\n| second look, {block_at:.4} or above \
         | block |\n| second look, between | review |\n\nThe second look's thresholds follow from the \
         costs: a missed fraud {}, a blocked good transaction {}; {review}. They depend on the \
         calibration below.\n\n",
        costs.missed_fraud, costs.false_block,
    );
}

fn reliability(card: &mut String, name: &str, look: &LookReport) {
    let _ = write!(
        card,
        "{name} look:\n\n| probability | transactions | mean probability | frauds | fraud rate |\n\
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
