//! The card's plots as SVG.

mod chart;

use std::collections::BTreeMap;

use plotters::prelude::{
    Circle, IntoDrawingArea as _, PathElement, RGBColor, Rectangle, SVGBackend,
    SeriesLabelPosition, Text, WHITE,
};
use plotters::style::Color as _;
use plotters::style::text_anchor::{HPos, Pos, VPos};

use self::chart::{Area, Axes, BLUE, INK, ORANGE, chart, font, legend, line, right, text_of};
use super::{Curves, percent, thousands};
use crate::TrainError;
use crate::calibrate::Bin;
use crate::metrics::{ScoredLabel, by_descending_score, count_frauds};
use crate::report::{LookReport, TrainingReport};

pub(super) fn all(
    report: &TrainingReport,
    curves: &Curves<'_>,
) -> Result<BTreeMap<String, Vec<u8>>, TrainError> {
    let mut plots = BTreeMap::new();
    let mut draw = |name: &'static str, size, paint: &dyn Fn(&Area<'_>) -> Result<(), String>| {
        let mut svg = String::new();
        let drawn = {
            let area = SVGBackend::with_string(&mut svg, size).into_drawing_area();
            area.fill(&WHITE)
                .map_err(text_of)
                .and_then(|()| paint(&area))
                .and_then(|()| area.present().map_err(text_of))
        };
        drawn.map_err(|error| TrainError::Plot(name, error))?;
        plots.insert(name.to_owned(), svg.into_bytes());
        Ok::<(), TrainError>(())
    };
    draw("precision-recall.svg", (760, 480), &|area| {
        precision_recall(area, report, curves)
    })?;
    draw("calibration.svg", (760, 520), &|area| {
        calibration(area, report)
    })?;
    draw("scores.svg", (760, 680), &|area| {
        scores(area, report, curves)
    })?;
    draw("importance.svg", (1000, 420), &|area| {
        importance(area, report)
    })?;
    Ok(plots)
}

/// One look as the plots show it.
struct PlottedLook<'a> {
    name: &'static str,
    colour: RGBColor,
    report: &'a LookReport,
    scored: &'a [ScoredLabel],
}

fn looks<'a>(report: &'a TrainingReport, curves: &'a Curves<'_>) -> [PlottedLook<'a>; 2] {
    [
        PlottedLook {
            name: "first look",
            colour: BLUE,
            report: &report.first,
            scored: curves.first,
        },
        PlottedLook {
            name: "second look",
            colour: ORANGE,
            report: &report.confirm,
            scored: curves.confirm,
        },
    ]
}

fn precision_recall(
    area: &Area<'_>,
    report: &TrainingReport,
    curves: &Curves<'_>,
) -> Result<(), String> {
    let whole = |share: &f64| percent(*share, 0);
    let mut chart = chart(
        area,
        &Axes {
            title: "Precision and recall on the holdout",
            x: (0.0, 1.0),
            y: (0.0, 1.0),
            x_name: "recall",
            y_name: "precision",
            x_label: whole,
            y_label: whole,
            labels: (11, 11),
        },
    )?;
    for look in looks(report, curves) {
        let name = look.name;
        let label = look.report.ranking.map_or_else(
            || format!("{name}: no frauds in the holdout"),
            |ranking| format!("{name}: average precision {:.3}", ranking.average_precision),
        );
        line(&mut chart, curve(look.scored), look.colour, Some(label))?;
    }
    let held = (report.held.recall, report.held.precision);
    chart
        .draw_series([Circle::new(held, 6, BLUE.filled())])
        .map_err(text_of)?
        .label(format!(
            "hold threshold: {} holds a day",
            (report.held.chosen as f64 / report.holdout_days).round()
        ))
        .legend(|(x, y)| Circle::new((x + 7, y), 5, BLUE.filled()));
    legend(&mut chart, SeriesLabelPosition::LowerLeft)
}

/// (recall, precision) at each score of a fraud, from the highest score down.
fn curve(scored: &[ScoredLabel]) -> Vec<(f64, f64)> {
    let frauds = count_frauds(scored);
    let (mut seen, mut found, mut points) = (0.0, 0.0, Vec::new());
    for equal in by_descending_score(scored) {
        seen += equal.transactions;
        found += equal.frauds;
        if equal.frauds > 0.0 {
            points.push((found / frauds as f64, found / seen));
        }
    }
    if let Some(first) = points.first().copied() {
        points.insert(0, (0.0, first.1));
    }
    points
}

/// Probabilities and rates below this are drawn as this.
const LEAST: f64 = 1e-4;

fn decade(exponent: &f64) -> String {
    let share = 10f64.powf(*exponent) * 100.0;
    if *exponent <= LEAST.log10() {
        format!("≤ {share} %")
    } else {
        format!("{} %", (share * 100.0).round() / 100.0)
    }
}

fn exponent(share: f64) -> f64 {
    share.max(LEAST).log10()
}

fn calibration(area: &Area<'_>, report: &TrainingReport) -> Result<(), String> {
    let least = LEAST.log10();
    let mut chart = chart(
        area,
        &Axes {
            title: "Calibration on the holdout",
            x: (least, 0.0),
            y: (least, 0.0),
            x_name: "mean predicted probability of the bin",
            y_name: "fraud rate",
            x_label: decade,
            y_label: decade,
            labels: (5, 5),
        },
    )?;
    let diagonal = PathElement::new([(least, least), (0.0, 0.0)], INK.mix(0.5).stroke_width(1));
    chart
        .draw_series([diagonal])
        .map_err(text_of)?
        .label("perfect calibration")
        .legend(|(x, y)| PathElement::new([(x, y), (x + 14, y)], INK.mix(0.5)));
    for (name, colour, look, aside) in [
        ("first look", BLUE, &report.first, -0.008),
        ("second look", ORANGE, &report.confirm, 0.008),
    ] {
        let at = |bin: &Bin| (exponent(bin.said) + aside).clamp(least, 0.0);
        let whisker = |bin: &Bin| {
            let (low, high) = interval(bin, report.good_weight);
            PathElement::new(
                [(at(bin), exponent(low)), (at(bin), exponent(high))],
                colour.stroke_width(2),
            )
        };
        chart
            .draw_series(look.reliability.iter().map(whisker))
            .map_err(text_of)?;
        let point = |bin: &Bin| {
            let share = bin.frauds as f64 / bin.transactions as f64;
            Circle::new((at(bin), exponent(share)), 5, colour.filled())
        };
        chart
            .draw_series(look.reliability.iter().map(point))
            .map_err(text_of)?
            .label(format!("{name}, 95 % confidence interval"))
            .legend(move |(x, y)| Circle::new((x + 7, y), 5, colour.filled()));
    }
    legend(&mut chart, SeriesLabelPosition::UpperLeft)
}

/// The 95 % confidence interval of a rate (Wilson 1927). It is computed for the rows; their odds of
/// fraud are `good_weight` times those of all transactions.
fn interval(bin: &Bin, good_weight: f64) -> (f64, f64) {
    let frauds = bin.frauds as f64;
    let n = frauds + (bin.transactions as f64 - frauds) / good_weight;
    let z = 1.96;
    let share = frauds / n;
    let centre = (share + z * z / (2.0 * n)) / (1.0 + z * z / n);
    let half = z / (1.0 + z * z / n) * (share * (1.0 - share) / n + z * z / (4.0 * n * n)).sqrt();
    let of_all = |share: f64| share / (share + (1.0 - share) * good_weight);
    (
        of_all((centre - half).max(0.0)),
        of_all((centre + half).min(1.0)),
    )
}

const BINS: usize = 32;

fn scores(area: &Area<'_>, report: &TrainingReport, curves: &Curves<'_>) -> Result<(), String> {
    let [hold_at, release_below, block_at] = report.thresholds;
    let thresholds: [&[(&str, f64)]; 2] = [
        &[("hold at or above", hold_at)],
        &[
            ("release below", release_below),
            ("block at or above", block_at),
        ],
    ];
    let names = [
        "First look: all transactions of the holdout",
        "Second look: transactions held by the first look",
    ];
    let held: Vec<ScoredLabel> = curves
        .first
        .iter()
        .zip(curves.confirm)
        .filter(|(first, _)| first.score >= hold_at)
        .map(|(_, second)| *second)
        .collect();
    let scored = [curves.first, &held];
    for (((area, name), thresholds), scored) in area
        .split_evenly((2, 1))
        .iter()
        .zip(names)
        .zip(thresholds)
        .zip(scored)
    {
        distribution(area, name, thresholds, scored)?;
    }
    Ok(())
}

fn distribution(
    area: &Area<'_>,
    title: &str,
    thresholds: &[(&str, f64)],
    scored: &[ScoredLabel],
) -> Result<(), String> {
    let least = LEAST.log10();
    let wide = -least / BINS as f64;
    let count = |of: bool| {
        let mut counts = vec![0.0; BINS];
        for one in scored.iter().filter(|one| one.is_fraud == of) {
            let bin = ((exponent(one.score) - least) / wide).floor() as usize;
            if let Some(count) = counts.get_mut(bin.min(BINS - 1)) {
                *count += one.weight;
            }
        }
        counts
    };
    let (good, frauds) = (count(false), count(true));
    let most = good.iter().chain(&frauds).copied().fold(10.0, f64::max);
    // The axis begins below 1, so that a bar of one transaction is visible. The room above the
    // highest bar is for the legend.
    let (floor, top) = (-0.3, most.log10() * 1.35);
    let mut chart = chart(
        area,
        &Axes {
            title,
            x: (least, 0.0),
            y: (floor, top),
            x_name: "fraud probability",
            y_name: "transactions",
            x_label: decade,
            y_label: |exponent| thousands(10f64.powf(exponent.round()) as usize),
            labels: (5, 5),
        },
    )?;
    for (place, (name, colour, counts)) in [("good", BLUE, &good), ("frauds", ORANGE, &frauds)]
        .into_iter()
        .enumerate()
    {
        let bar = |(bin, count): (usize, &f64)| {
            let left = least + wide * (bin as f64 + 0.06 + 0.44 * place as f64);
            Rectangle::new(
                [(left, floor), (left + wide * 0.44, count.log10())],
                colour.filled(),
            )
        };
        let of = counts.iter().sum::<f64>().round() as usize;
        chart
            .draw_series(
                counts
                    .iter()
                    .enumerate()
                    .filter(|(_, count)| **count > 0.0)
                    .map(bar),
            )
            .map_err(text_of)?
            .label(format!("{name} ({})", thousands(of)))
            .legend(move |(x, y)| Rectangle::new([(x, y - 5), (x + 14, y + 5)], colour.filled()));
    }
    for (place, (name, threshold)) in thresholds.iter().enumerate() {
        let x = exponent(*threshold);
        line(&mut chart, vec![(x, floor), (x, top)], INK, None)?;
        let (side, aside) = if x < least / 2.0 {
            (HPos::Left, 0.03)
        } else {
            (HPos::Right, -0.03)
        };
        let style = font(13).pos(Pos::new(side, VPos::Top));
        let label = format!("{name}: {}", percent(*threshold, 2));
        let y = top * (0.97 - 0.08 * place as f64);
        chart
            .draw_series([Text::new(label, (x + aside, y), style)])
            .map_err(text_of)?;
    }
    legend(&mut chart, SeriesLabelPosition::UpperLeft)
}

const SHOWN: usize = 14;
/// Longest feature name next to a bar, in characters.
const FITS: usize = 28;

fn short(name: &str) -> String {
    if name.chars().count() <= FITS {
        name.to_owned()
    } else {
        name.chars().take(FITS - 1).chain(['…']).collect()
    }
}

fn importance(area: &Area<'_>, report: &TrainingReport) -> Result<(), String> {
    let area = area
        .titled("Importance: share of contributions to scores", font(20))
        .map_err(text_of)?;
    let looks = [
        ("First look", BLUE, &report.first),
        ("Second look", ORANGE, &report.confirm),
    ];
    for (area, (name, colour, look)) in area.split_evenly((1, 2)).iter().zip(looks) {
        let (names, bars, step) = (215, 225, 25);
        area.draw(&Text::new(
            format!("{name}: {}", look.learner),
            (names, 14),
            right(15),
        ))
        .map_err(text_of)?;
        let most = look
            .importance
            .first()
            .map_or(1.0, |(_, share)| share.max(1e-9));
        for ((feature, share), row) in look.importance.iter().take(SHOWN).zip(0..) {
            let y = 36 + row * step;
            let end = bars + (share / most * 200.0).round() as i32;
            area.draw(&Text::new(short(feature), (names, y), right(13)))
                .map_err(text_of)?;
            area.draw(&Rectangle::new(
                [(bars, y - 8), (end.max(bars + 1), y + 8)],
                colour.filled(),
            ))
            .map_err(text_of)?;
            let value = font(13).pos(Pos::new(HPos::Left, VPos::Center));
            area.draw(&Text::new(percent(*share, 1), (end + 6, y), value))
                .map_err(text_of)?;
        }
    }
    Ok(())
}
