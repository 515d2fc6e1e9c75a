//! The report of a run: one HTML file without external parts.

mod histogram;
mod style;

use decision::{Action, Decision, Evidence, Reason};
use maud::{DOCTYPE, Markup, PreEscaped, html};

use crate::outcome::Outcome;
use crate::show::thousands;
use crate::summary::{Impact, Percentiles};
use histogram::{BLUE, Histogram, ORANGE, Series};

pub fn html(outcome: &Outcome) -> String {
    let page = html! {
        (DOCTYPE)
        html lang="en" {
            head {
                meta charset="utf-8";
                meta name="viewport" content="width=device-width";
                title { "Second Look: report of a run" }
                style { (PreEscaped(style::STYLE)) }
            }
            body {
                h1 { "Second Look: report of a run" }
                p.lead {
                    "Transactions: " (outcome.source) ". The first look holds doubtful transactions at once. The \
                     second look asks the warehouse's history and releases, blocks or sends them to review."
                }
                (cards(outcome))
                (impact(outcome))
                (quality(outcome))
                (guarantees(outcome))
                (latency(outcome))
                (scores(outcome))
                (examples(outcome))
                (limits())
            }
        }
    };
    page.into_string()
}

fn cards(outcome: &Outcome) -> Markup {
    let summary = &outcome.summary;
    let cards = [
        ("transactions", summary.transactions),
        ("approved at once", summary.approved),
        ("held", summary.held),
        ("released", summary.released),
        ("blocked", summary.blocked),
        ("sent to review", summary.review),
        ("lost", summary.lost),
        ("unsettled", summary.unsettled),
    ];
    html! {
        div.cards {
            @for (name, count) in cards {
                div.card { b { (thousands(count)) } (name) }
            }
        }
    }
}

/// The run in money and customers.
fn impact(outcome: &Outcome) -> Markup {
    let Some(impact) = outcome.summary.impact else {
        return html! {};
    };
    let Impact {
        good_held,
        good_released,
        customers_held,
        customers_released,
        good_held_ms,
        fraud_amount,
        fraud_amount_stopped,
    } = impact;
    let amount = |amount: f64| thousands(amount.round().max(0.0) as usize);
    html! {
        h2 { "Money and customers" }
        p {
            "The first look held " (thousands(good_held)) " good transactions from " (thousands(customers_held))
            " customers. The second look released " (thousands(good_released)) " of them, from "
            (thousands(customers_released)) " customers, after " (seconds(good_held_ms.p50)) " (p50). An instant \
             decline would have refused all of them."
        }
        p {
            "Fraud worth " (amount(fraud_amount_stopped)) " of " (amount(fraud_amount))
            " was blocked or sent to review. Amounts are in the unit of the transactions."
        }
    }
}

fn quality(outcome: &Outcome) -> Markup {
    let summary = &outcome.summary;
    let (Some(first), Some(both), Some(second)) =
        (summary.first_stage, summary.both_looks, summary.second_look)
    else {
        return html! {};
    };
    let percent = |share: f64| format!("{:.1} %", share * 100.0);
    html! {
        h2 { "Quality against the labels" }
        table {
            tr { th { } th { "precision" } th { "recall" } }
            tr {
                td { "first look: held" }
                td { (percent(first.precision)) }
                td { (percent(first.recall)) }
            }
            tr {
                td { "both looks: blocked or sent to review" }
                td { (percent(both.precision)) }
                td { (percent(both.recall)) }
            }
        }
        p.soft {
            "Precision: the share of these transactions that are frauds. Recall: the share of all frauds that \
             are among them."
        }
        p {
            "The second look kept " (percent(second.true_holds_kept)) " of the holds that are frauds and released "
            (percent(second.false_holds_released)) " of the holds that are good. The first look ranks transactions \
             with AUC " (format!("{:.3}", first.auc)) " and average precision "
            (format!("{:.3}", first.average_precision)) "."
        }
    }
}

fn guarantees(outcome: &Outcome) -> Markup {
    html! {
        h2 { "Audit" }
        p {
            "The transactions that were sent, compared with the bucket, the warehouse and the stream of decisions. \
             Every count from \u{201c}lost\u{201d} on must be 0."
        }
        table {
            @for line in outcome.audit.lines() {
                tr {
                    td { (line.name) }
                    td class=(if line.holds { "good" } else { "bad" }) { (thousands(line.count)) }
                }
            }
        }
    }
}

fn latency(outcome: &Outcome) -> Markup {
    let summary = &outcome.summary;
    let times = |times: Percentiles| {
        html! { td { (seconds(times.p50)) } td { (seconds(times.p99)) } }
    };
    let held_for = outcome
        .log
        .finals
        .values()
        .filter_map(|read| read.decision.held_ms);
    let histogram = Histogram {
        caption: "seconds from hold to final decision",
        series: vec![Series {
            name: "holds",
            colour: BLUE,
            values: held_for.map(|ms| ms as f64 / 1e3).collect(),
        }],
        range: None,
    };
    html! {
        h2 { "Latency" }
        table {
            tr { th { } th { "p50" } th { "p99" } }
            tr { td { "from the stream to a decision" } (times(summary.put_to_decision_ms)) }
            tr { td { "from a hold to its final decision" } (times(summary.hold_to_final_ms)) }
        }
        @if let Some(us) = summary.score_us_per_transaction {
            p { "Scoring itself takes " (format!("{us:.1} µs")) " per transaction." }
        }
        (histogram.svg())
    }
}

fn scores(outcome: &Outcome) -> Markup {
    let with_label = |fraud: bool| -> Vec<f64> {
        let mut scores = Vec::new();
        for read in outcome.log.finals.values() {
            let decision = &read.decision;
            let label = outcome.fraud.get(decision.transaction_id.as_str());
            if decision.evidence.is_some() && label == Some(&fraud) {
                scores.push(decision.score);
            }
        }
        scores
    };
    let histogram = Histogram {
        caption: "probability of fraud, second look",
        series: vec![
            Series {
                name: "good",
                colour: BLUE,
                values: with_label(false),
            },
            Series {
                name: "frauds",
                colour: ORANGE,
                values: with_label(true),
            },
        ],
        range: Some((0.0, 1.0)),
    };
    html! {
        h2 { "Scores of the second look" }
        p { "The probability of fraud of every hold, after the warehouse was asked, by its label." }
        (histogram.svg())
    }
}

/// How many holds of each final action are shown.
const EXAMPLES: usize = 4;

fn examples(outcome: &Outcome) -> Markup {
    let evidence = outcome
        .log
        .finals
        .values()
        .find_map(|read| read.decision.evidence.as_ref());
    html! {
        h2 { "Examples of holds" }
        table {
            tr {
                th { "transaction" } th { "first look" } th { "reasons" }
                th { "second look" } th { "reasons" } th { "label" }
            }
            @for action in [Action::Block, Action::Release, Action::Review] {
                @for decision in settled_with(outcome, action).into_iter().take(EXAMPLES) {
                    (example(outcome, decision))
                }
            }
        }
        p.soft {
            "A reason is a feature, its value, and its contribution to the log odds of fraud in parentheses."
        }
        @if let Some(evidence) = evidence { (evidence_table(evidence)) }
    }
}

/// The final decisions with this action that were made from evidence, by transaction id.
fn settled_with(outcome: &Outcome, action: Action) -> Vec<&Decision> {
    let finals = outcome.log.finals.values().map(|read| &read.decision);
    let mut chosen: Vec<&Decision> = finals
        .filter(|decision| decision.action == action && decision.evidence.is_some())
        .collect();
    chosen.sort_by(|one, two| one.transaction_id.cmp(&two.transaction_id));
    chosen
}

fn example(outcome: &Outcome, decision: &Decision) -> Markup {
    let id = decision.transaction_id.as_str();
    let Some(read) = outcome.log.provisional.get(&decision.decision_id) else {
        return html! {};
    };
    let hold = &read.decision;
    let label = match outcome.fraud.get(id) {
        Some(true) => "fraud",
        Some(false) => "good",
        None => "unknown",
    };
    html! {
        tr {
            td { (id) }
            td { "hold " (format!("{:.2}", hold.score)) }
            td { (reasons(&hold.reasons)) }
            td { (decision.action.as_str()) " " (format!("{:.2}", decision.score)) }
            td { (reasons(&decision.reasons)) }
            td { (label) }
        }
    }
}

fn reasons(reasons: &[Reason]) -> Markup {
    html! {
        @for (place, reason) in reasons.iter().enumerate() {
            @if place > 0 { br; }
            (reason.feature) " = " (value(reason.value)) " "
            span.soft { "(" (format!("{:+.2}", reason.contribution)) ")" }
        }
    }
}

fn value(value: f64) -> String {
    if value.is_nan() {
        "missing".to_owned()
    } else {
        format!("{value:.2}")
    }
}

fn evidence_table(evidence: &Evidence) -> Markup {
    html! {
        details {
            summary { "The evidence behind one of them" }
            table {
                @for (name, value) in evidence {
                    tr {
                        td { (name) }
                        td { (value.map_or_else(|| "unknown".to_owned(), |value| format!("{value:.3}"))) }
                    }
                }
            }
        }
    }
}

fn limits() -> Markup {
    html! {
        h2 { "Limits of a run on one machine" }
        p {
            "LocalStack plays the streams, the bucket, the queues, the rules, the schedule and the functions. \
             PostgreSQL behind a stand-in for the Redshift Data API plays the warehouse. All of it shares one \
             machine. On AWS, a stream is polled once a second, and Redshift takes seconds. IAM is not enforced \
             here, memory is not limited, and a failing batch is not bisected."
        }
    }
}

fn seconds(ms: f64) -> String {
    format!("{:.1} s", ms / 1e3)
}

#[cfg(test)]
mod tests;
