//! The report of a run: one HTML file with everything in it.

use std::fmt::Write as _;

use decision::{Action, Decision, Evidence, Reason};

use crate::run::Outcome;
use crate::show::thousands;

const STYLE: &str = "
:root { color-scheme: light dark; --ink: #1d2733; --soft: #66727f; --line: #d9dfe5; --paper: #fff; --a: #2b6cb0; --b: #c05621; --ok: #2f855a; }
@media (prefers-color-scheme: dark) { :root { --ink: #e6ebf0; --soft: #9aa7b4; --line: #38434e; --paper: #161b20; --a: #63b3ed; --b: #f6ad55; --ok: #68d391; } }
body { font: 16px/1.5 system-ui, sans-serif; color: var(--ink); background: var(--paper); max-width: 62rem; margin: 2rem auto; padding: 0 1.2rem; }
h1 { margin-bottom: .2rem } h2 { margin-top: 2.4rem } p.lead, figcaption, .soft { color: var(--soft) }
.cards { display: flex; flex-wrap: wrap; gap: .8rem } .card { border: 1px solid var(--line); border-radius: .5rem; padding: .6rem 1rem; min-width: 8rem }
.card b { display: block; font-size: 1.6rem; font-variant-numeric: tabular-nums }
table { border-collapse: collapse; width: 100%; font-size: .9rem; font-variant-numeric: tabular-nums } th, td { text-align: left; padding: .3rem .7rem .3rem 0; border-bottom: 1px solid var(--line); vertical-align: top } th { color: var(--soft); font-weight: 500 }
figure { margin: 1rem 0 } svg { width: 100%; height: auto } svg text { fill: var(--soft); font-size: 12px } .bad { color: #e53e3e } .good { color: var(--ok) }
";

/// The whole page.
pub fn html(outcome: &Outcome) -> String {
    let mut page = String::new();
    let _ = write!(
        page,
        "<!doctype html><html lang=en><meta charset=utf-8><meta name=viewport content='width=device-width'>\
         <title>Second Look: a run</title><style>{STYLE}</style><h1>A run of Second Look</h1><p class=lead>{}</p>",
        escaped(&outcome.source)
    );
    cards(&mut page, outcome);
    promises(&mut page, outcome);
    looks(&mut page, outcome);
    latency(&mut page, outcome);
    scores(&mut page, outcome);
    examples(&mut page, outcome);
    page.push_str(
        "<h2>What this machine does not show</h2><p>The streams, bucket, queues, rules, schedule and functions are \
         LocalStack's, the warehouse is PostgreSQL behind a stand-in for the Redshift Data API. Times are of one \
         machine that runs all of it: on AWS, a stream is polled once a second, and Redshift takes seconds. IAM is not \
         enforced, memory is not limited, and a failing batch is not bisected here.</p></html>",
    );
    page
}

fn cards(page: &mut String, outcome: &Outcome) {
    let summary = &outcome.summary;
    page.push_str("<div class=cards>");
    for (name, value) in [
        ("transactions", summary.transactions),
        ("approved at once", summary.approved),
        ("held", summary.held),
        ("released", summary.released),
        ("blocked", summary.blocked),
        ("to review", summary.review),
        ("lost", summary.lost),
        ("unsettled", summary.unsettled),
    ] {
        let _ = write!(page, "<div class=card><b>{}</b>{name}</div>", thousands(value));
    }
    page.push_str("</div>");
}

fn promises(page: &mut String, outcome: &Outcome) {
    page.push_str(
        "<h2>The promises</h2><p>What was sent, against what lies in the bucket, what the warehouse holds, and what \
         came out on the stream.</p><table>",
    );
    for (name, count, fine) in outcome.audit.lines() {
        let class = if fine { "good" } else { "bad" };
        let _ = write!(page, "<tr><td>{name}<td class={class}>{}", thousands(count));
    }
    page.push_str("</table>");
}

fn looks(page: &mut String, outcome: &Outcome) {
    let summary = &outcome.summary;
    let (Some(first), Some(end), Some(confirming)) = (summary.first_stage, summary.end, summary.confirming) else {
        return;
    };
    let percent = |share: f64| format!("{:.1} %", share * 100.0);
    let _ = write!(
        page,
        "<h2>The two looks, against the labels</h2><table><tr><th><th>first look: held<th>after the second: stopped\
         <tr><td>of them, frauds (precision)<td>{}<td>{}<tr><td>of all frauds (recall)<td>{}<td>{}</table>\
         <p>The first look ranks with AUC {:.3} and average precision {:.3}. Of its holds, the second look kept {} of \
         the true ones and released {} of the false ones. Stopped means blocked or handed to review.</p>",
        percent(first.precision),
        percent(end.precision),
        percent(first.recall),
        percent(end.recall),
        first.auc,
        first.average_precision,
        percent(confirming.true_holds_kept),
        percent(confirming.false_holds_released),
    );
}

fn latency(page: &mut String, outcome: &Outcome) {
    let summary = &outcome.summary;
    let held: Vec<f64> =
        outcome.seen.finals.values().filter_map(|(end, _)| end.held_ms).map(|ms| ms as f64 / 1e3).collect();
    let _ = write!(
        page,
        "<h2>How long it took</h2><p>From the stream to a decision: median {:.1} s, 99th percentile {:.1} s. From a hold \
         to its end: median {:.1} s, 99th percentile {:.1} s.{}</p>",
        summary.put_to_decision_ms.p50 / 1e3,
        summary.put_to_decision_ms.p99 / 1e3,
        summary.hold_to_final_ms.p50 / 1e3,
        summary.hold_to_final_ms.p99 / 1e3,
        summary
            .score_us_per_transaction
            .map_or_else(String::new, |us| format!(" Of it, score itself takes {us:.1} µs a transaction.")),
    );
    histogram(page, "Seconds from hold to end", &[("holds", "var(--a)", held)], None);
}

fn scores(page: &mut String, outcome: &Outcome) {
    let of = |fraud: bool| -> Vec<f64> {
        let known = outcome.seen.finals.iter().filter(|(id, _)| outcome.fraud.get(*id) == Some(&fraud));
        known.filter(|(_, (end, _))| end.evidence.is_some()).map(|(_, (end, _))| end.score).collect()
    };
    page.push_str("<h2>What the history knew</h2><p>The second look's probability of fraud for every hold.</p>");
    let series = [("good", "var(--a)", of(false)), ("frauds", "var(--b)", of(true))];
    histogram(page, "Probability of fraud, second look", &series, Some((0.0, 1.0)));
}

/// Bars over twenty bins, series beside each other, counts as heights.
fn histogram(page: &mut String, caption: &str, series: &[(&str, &str, Vec<f64>)], range: Option<(f64, f64)>) {
    const BINS: usize = 20;
    const SIZE: (f64, f64) = (900.0, 220.0);
    let all = || series.iter().flat_map(|(_, _, values)| values).copied();
    let (low, high) = range.unwrap_or((0.0, all().fold(0.0, f64::max).max(0.1)));
    let mut counts = vec![[0usize; BINS]; series.len()];
    for (counts, (_, _, values)) in counts.iter_mut().zip(series) {
        for value in values {
            let bin = ((value - low) / (high - low) * BINS as f64).floor().clamp(0.0, BINS as f64 - 1.0) as usize;
            if let Some(count) = counts.get_mut(bin) {
                *count += 1;
            }
        }
    }
    let most = counts.iter().flatten().copied().max().unwrap_or(1).max(1) as f64;
    let (wide, tall) = (SIZE.0 / BINS as f64, SIZE.1);
    let _ = write!(
        page,
        "<figure><svg viewBox='-40 -10 {} {}' role=img aria-label='{caption}'>",
        SIZE.0 + 60.0,
        tall + 40.0
    );
    let each = (wide - 6.0) / series.len() as f64;
    for (place, (counts, (name, colour, _))) in counts.iter().zip(series).enumerate() {
        for (bin, count) in counts.iter().enumerate().filter(|(_, count)| **count > 0) {
            // Square roots, so that a bin of one is still seen beside a bin of thousands.
            let height = ((*count as f64).sqrt() / most.sqrt()) * tall;
            let _ = write!(
                page,
                "<rect x='{:.1}' y='{:.1}' width='{each:.1}' height='{height:.1}' fill='{colour}'><title>{count} {name}</title></rect>",
                bin as f64 * wide + 3.0 + place as f64 * each,
                tall - height,
            );
        }
    }
    let _ = write!(page, "<line x1=0 x2={} y1={tall} y2={tall} stroke='var(--line)'/>", SIZE.0);
    for tick in 0..=4 {
        let share = f64::from(tick) / 4.0;
        let value = low + (high - low) * share;
        let _ =
            write!(page, "<text x='{:.0}' y='{}' text-anchor=middle>{value:.2}</text>", share * SIZE.0, tall + 18.0);
    }
    let legend: Vec<String> = series
        .iter()
        .map(|(name, colour, values)| {
            format!("<span style='color:{colour}'>■</span> {name} ({})", thousands(values.len()))
        })
        .collect();
    let _ = write!(
        page,
        "</svg><figcaption>{caption}; heights are square roots of counts. {}</figcaption></figure>",
        legend.join(" ")
    );
}

fn examples(page: &mut String, outcome: &Outcome) {
    page.push_str(
        "<h2>Some holds, and how they ended</h2><table><tr><th>transaction<th>first look<th>because<th>second look\
         <th>because<th>the label",
    );
    for action in [Action::Block, Action::Release, Action::Review] {
        let mut ends: Vec<&(Decision, _)> =
            outcome.seen.finals.values().filter(|(end, _)| end.action == action && end.evidence.is_some()).collect();
        ends.sort_by(|a, b| a.0.transaction_id.cmp(&b.0.transaction_id));
        for (end, _) in ends.into_iter().take(4) {
            let Some((held, _)) = outcome.seen.provisional.get(&end.transaction_id) else { continue };
            let label = outcome.fraud.get(&end.transaction_id);
            let label = label.map_or("unknown", |fraud| if *fraud { "fraud" } else { "good" });
            let _ = write!(
                page,
                "<tr><td>{}<td>hold {:.2}<td>{}<td>{} {:.2}<td>{}<td>{label}",
                escaped(&end.transaction_id),
                held.score,
                reasons(&held.reasons),
                end.action.as_str(),
                end.score,
                reasons(&end.reasons),
            );
        }
    }
    page.push_str(
        "</table><p class=soft>Each reason: the feature, its value, and what it added to the log odds of fraud.</p>",
    );
    let last = outcome.seen.finals.values().find_map(|(end, _)| end.evidence.as_ref());
    if let Some(evidence) = last {
        page.push_str(&evidence_table(evidence));
    }
}

fn evidence_table(evidence: &Evidence) -> String {
    let mut table = "<details><summary>The evidence behind one of them</summary><table>".to_owned();
    for (name, value) in evidence {
        let value = value.map_or_else(|| "nothing known".to_owned(), |value| format!("{value:.3}"));
        let _ = write!(table, "<tr><td>{}<td>{value}", escaped(name));
    }
    table + "</table></details>"
}

fn reasons(reasons: &[Reason]) -> String {
    let one = |reason: &Reason| {
        format!(
            "{} = {:.2} <span class=soft>({:+.2})</span>",
            escaped(&reason.feature),
            reason.value,
            reason.contribution
        )
    };
    reasons.iter().map(one).collect::<Vec<_>>().join("<br>")
}

fn escaped(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;").replace('\'', "&#39;")
}
