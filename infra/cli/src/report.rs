//! The report of a run: one HTML file with everything in it.

use std::fmt::Write as _;

use decision::{Action, Decision, Evidence, Reason};
use plotters::prelude::{
    ChartBuilder, IntoDrawingArea as _, IntoFont as _, RGBColor, Rectangle, SVGBackend,
    SeriesLabelPosition,
};
use plotters::style::Color as _;

use crate::run::Outcome;
use crate::show::thousands;

const STYLE: &str = "
:root { color-scheme: light dark; --ink: #1d2733; --soft: #66727f; --line: #d9dfe5; --paper: #fff; --ok: #2f855a; }
@media (prefers-color-scheme: dark) { :root { --ink: #e6ebf0; --soft: #9aa7b4; --line: #38434e; --paper: #161b20; --ok: #68d391; } }
body { font: 16px/1.5 system-ui, sans-serif; color: var(--ink); background: var(--paper); max-width: 62rem; margin: 2rem auto; padding: 0 1.2rem; }
h1 { margin-bottom: .2rem } h2 { margin-top: 2.4rem } p.lead, .soft { color: var(--soft) }
.cards { display: flex; flex-wrap: wrap; gap: .8rem } .card { border: 1px solid var(--line); border-radius: .5rem; padding: .6rem 1rem; min-width: 8rem }
.card b { display: block; font-size: 1.6rem; font-variant-numeric: tabular-nums }
table { border-collapse: collapse; width: 100%; font-size: .9rem; font-variant-numeric: tabular-nums } th, td { text-align: left; padding: .3rem .7rem .3rem 0; border-bottom: 1px solid var(--line); vertical-align: top } th { color: var(--soft); font-weight: 500 }
figure { margin: 1rem 0 } svg { width: 100%; height: auto } svg text { fill: var(--soft) } .bad { color: #e53e3e } .good { color: var(--ok) }
";

const BINS: usize = 20;
// Seen on light and dark paper alike.
const BLUE: RGBColor = RGBColor(0x2b, 0x7c, 0xc4);
const ORANGE: RGBColor = RGBColor(0xd9, 0x6c, 0x2c);
const SOFT: RGBColor = RGBColor(0x80, 0x8c, 0x99);

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
        let _ = write!(
            page,
            "<div class=card><b>{}</b>{name}</div>",
            thousands(value)
        );
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
    let (Some(first), Some(end), Some(confirming)) =
        (summary.first_stage, summary.end, summary.confirming)
    else {
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
    let held: Vec<f64> = outcome
        .seen
        .finals
        .values()
        .filter_map(|(end, _)| end.held_ms)
        .map(|ms| ms as f64 / 1e3)
        .collect();
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
            .map_or_else(String::new, |us| format!(
                " Of it, score itself takes {us:.1} µs a transaction."
            )),
    );
    histogram(
        page,
        "Seconds from hold to end",
        &[("holds", BLUE, held)],
        None,
    );
}

fn scores(page: &mut String, outcome: &Outcome) {
    let of = |fraud: bool| -> Vec<f64> {
        let known = outcome
            .seen
            .finals
            .iter()
            .filter(|(id, _)| outcome.fraud.get(*id) == Some(&fraud));
        known
            .filter(|(_, (end, _))| end.evidence.is_some())
            .map(|(_, (end, _))| end.score)
            .collect()
    };
    page.push_str("<h2>What the history knew</h2><p>The second look's probability of fraud for every hold.</p>");
    let series = [("good", BLUE, of(false)), ("frauds", ORANGE, of(true))];
    histogram(
        page,
        "Probability of fraud, second look",
        &series,
        Some((0.0, 1.0)),
    );
}

type Series<'a> = (&'a str, RGBColor, Vec<f64>);

/// Bars over twenty bins, series beside each other.
fn histogram(page: &mut String, caption: &str, series: &[Series<'_>], range: Option<(f64, f64)>) {
    let all = series.iter().flat_map(|(_, _, values)| values).copied();
    let (low, high) = range.unwrap_or((0.0, all.fold(0.0, f64::max).max(0.1)));
    let mut svg = String::new();
    match bars(&mut svg, caption, series, low, high) {
        Ok(()) => {
            let _ = write!(
                page,
                "<figure role=img aria-label='{}'>{svg}</figure>",
                escaped(caption)
            );
        }
        Err(error) => {
            let _ = write!(
                page,
                "<p class=bad>No plot of {}: {}</p>",
                escaped(caption),
                escaped(&error)
            );
        }
    }
}

fn bars(
    svg: &mut String,
    caption: &str,
    series: &[Series<'_>],
    low: f64,
    high: f64,
) -> Result<(), String> {
    let counted: Vec<Vec<usize>> = series
        .iter()
        .map(|(_, _, values)| counts(values, low, high))
        .collect();
    let most = counted.iter().flatten().copied().max().unwrap_or(1).max(1) as f64;
    let area = SVGBackend::with_string(svg, (900, 280)).into_drawing_area();
    // Square roots, so that a bin of one is still seen beside a bin of thousands.
    let mut chart = ChartBuilder::on(&area)
        .margin(8)
        .x_label_area_size(44)
        .y_label_area_size(56)
        .build_cartesian_2d(low..high, 0.0..most.sqrt() * 1.25)
        .map_err(|error| error.to_string())?;
    chart
        .configure_mesh()
        .disable_mesh()
        .axis_style(SOFT)
        .label_style(("sans-serif", 13).into_font().color(&SOFT))
        .x_desc(caption)
        .y_desc("holds, on a root scale")
        .x_label_formatter(&|x| format!("{x:.2}"))
        .y_label_formatter(&|root| format!("{:.0}", root * root))
        .draw()
        .map_err(|error| error.to_string())?;
    let wide = (high - low) / BINS as f64;
    let each = wide * 0.9 / series.len() as f64;
    for (place, ((name, colour, values), counts)) in series.iter().zip(&counted).enumerate() {
        let bar = |(bin, count): (usize, &usize)| {
            let left = low + wide * (bin as f64 + 0.05) + each * place as f64;
            Rectangle::new(
                [(left, 0.0), (left + each, (*count as f64).sqrt())],
                colour.filled(),
            )
        };
        chart
            .draw_series(
                counts
                    .iter()
                    .enumerate()
                    .filter(|(_, count)| **count > 0)
                    .map(bar),
            )
            .map_err(|error| error.to_string())?
            .label(format!("{name} ({})", thousands(values.len())))
            .legend(|(x, y)| Rectangle::new([(x, y - 5), (x + 12, y + 5)], colour.filled()));
    }
    chart
        .configure_series_labels()
        .position(SeriesLabelPosition::UpperMiddle)
        .label_font(("sans-serif", 13).into_font().color(&SOFT))
        .draw()
        .map_err(|error| error.to_string())?;
    area.present().map_err(|error| error.to_string())
}

/// How many values lie in each bin; what is beyond an end is in the bin there.
fn counts(values: &[f64], low: f64, high: f64) -> Vec<usize> {
    let mut counts = vec![0; BINS];
    for value in values {
        let bin = ((value - low) / (high - low) * BINS as f64)
            .floor()
            .clamp(0.0, BINS as f64 - 1.0) as usize;
        if let Some(count) = counts.get_mut(bin) {
            *count += 1;
        }
    }
    counts
}

fn examples(page: &mut String, outcome: &Outcome) {
    page.push_str(
        "<h2>Some holds, and how they ended</h2><table><tr><th>transaction<th>first look<th>because<th>second look\
         <th>because<th>the label",
    );
    for action in [Action::Block, Action::Release, Action::Review] {
        let mut ends: Vec<&(Decision, _)> = outcome
            .seen
            .finals
            .values()
            .filter(|(end, _)| end.action == action && end.evidence.is_some())
            .collect();
        ends.sort_by(|a, b| a.0.transaction_id.cmp(&b.0.transaction_id));
        for (end, _) in ends.into_iter().take(4) {
            let Some((held, _)) = outcome.seen.provisional.get(end.transaction_id.as_str()) else {
                continue;
            };
            let label = outcome.fraud.get(end.transaction_id.as_str());
            let label = label.map_or("unknown", |fraud| if *fraud { "fraud" } else { "good" });
            let _ = write!(
                page,
                "<tr><td>{}<td>hold {:.2}<td>{}<td>{} {:.2}<td>{}<td>{label}",
                escaped(end.transaction_id.as_str()),
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
    let last = outcome
        .seen
        .finals
        .values()
        .find_map(|(end, _)| end.evidence.as_ref());
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
    text.replace('&', "&amp;")
        .replace('<', "&lt;")
        .replace('>', "&gt;")
        .replace('\'', "&#39;")
}
