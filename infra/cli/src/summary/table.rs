//! The summary of a run as a table for the terminal.

use super::{Impact, Percentiles, Summary};
use crate::audit::Audit;
use crate::show::thousands;

/// The figures of a run, and whether every guarantee holds.
pub fn table(summary: &Summary, audit: &Audit) -> String {
    let mut table = comfy_table::Table::new();
    table.load_style(comfy_table::presets::NOTHING);
    for (name, value) in rows(summary) {
        table.add_row([name.to_owned(), value]);
    }
    format!("{}\n{}", table.trim_fmt(), verdict(audit))
}

fn rows(summary: &Summary) -> Vec<(&'static str, String)> {
    let mut rows = vec![
        ("transactions", thousands(summary.transactions)),
        ("approved at once", thousands(summary.approved)),
        ("held by the first look", thousands(summary.held)),
        ("  released by the second look", thousands(summary.released)),
        ("  blocked", thousands(summary.blocked)),
        ("  sent to review", thousands(summary.review)),
        ("rejected as unreadable", thousands(summary.rejected)),
        ("put to decision", seconds(summary.put_to_decision_ms)),
        ("hold to final decision", seconds(summary.hold_to_final_ms)),
    ];
    if let Some(us) = summary.score_us_per_transaction {
        rows.push(("scoring time per transaction", format!("{us:.1} µs")));
    }
    rows.extend(quality(summary));
    rows.extend(summary.impact.map(impact).into_iter().flatten());
    rows.push(("lost", summary.lost.to_string()));
    rows.push(("unsettled", summary.unsettled.to_string()));
    rows
}

/// Quality against the labels, for a run with labels.
fn quality(summary: &Summary) -> Vec<(&'static str, String)> {
    let mut rows = Vec::new();
    if let Some(first) = summary.first_stage {
        let ranking = format!(
            "AUC {:.3}, average precision {:.3}",
            first.auc, first.average_precision
        );
        rows.push(("first look, ranking", ranking));
        let holds = precision_and_recall(first.precision, first.recall);
        rows.push(("first look, holds", holds));
    }
    if let Some(second) = summary.second_look {
        let effect = format!(
            "kept {} of the true holds, released {} of the false holds",
            percent(second.true_holds_kept),
            percent(second.false_holds_released)
        );
        rows.push(("second look", effect));
    }
    if let Some(both) = summary.both_looks {
        let stopped = precision_and_recall(both.precision, both.recall);
        rows.push(("both looks, blocked or review", stopped));
    }
    rows
}

/// The run in money and customers, for a run with labels and amounts.
fn impact(impact: Impact) -> Vec<(&'static str, String)> {
    let money = |amount: f64| thousands(amount.round().max(0.0) as usize);
    let share = if impact.fraud_amount > 0.0 {
        impact.fraud_amount_stopped / impact.fraud_amount
    } else {
        0.0
    };
    vec![
        (
            "good transactions held",
            format!(
                "{} from {} customers",
                thousands(impact.good_held),
                thousands(impact.customers_held)
            ),
        ),
        (
            "  released again",
            format!(
                "{} from {} customers, after {:.1} s (p50)",
                thousands(impact.good_released),
                thousands(impact.customers_released),
                impact.good_held_ms.p50 / 1e3
            ),
        ),
        (
            "amount of fraud stopped",
            format!(
                "{} of {} ({})",
                money(impact.fraud_amount_stopped),
                money(impact.fraud_amount),
                percent(share)
            ),
        ),
    ]
}

fn verdict(audit: &Audit) -> String {
    if audit.is_clean() {
        return "✓ every transaction has one decision and every hold one final decision \
                (audited in the bucket, the stream and the warehouse)"
            .to_owned();
    }
    let broken = audit.lines().into_iter().filter(|line| !line.holds);
    let broken: Vec<String> = broken
        .map(|line| format!("{}: {}", line.name, line.count))
        .collect();
    format!("✗ a guarantee is broken: {}", broken.join(", "))
}

fn seconds(times: Percentiles) -> String {
    format!("p50 {:.1} s, p99 {:.1} s", times.p50 / 1e3, times.p99 / 1e3)
}

fn percent(share: f64) -> String {
    format!("{:.0} %", share * 100.0)
}

fn precision_and_recall(precision: f64, recall: f64) -> String {
    format!(
        "precision {}, recall {}",
        percent(precision),
        percent(recall)
    )
}
