//! Histograms as SVG.

use maud::{Markup, PreEscaped, html};
use plotters::prelude::{
    ChartBuilder, IntoDrawingArea as _, IntoFont as _, RGBColor, Rectangle, SVGBackend,
    SeriesLabelPosition,
};
use plotters::style::Color as _;

use crate::show::thousands;

const BINS: usize = 20;
// Visible on light and on dark paper.
pub(super) const BLUE: RGBColor = RGBColor(0x2b, 0x7c, 0xc4);
pub(super) const ORANGE: RGBColor = RGBColor(0xd9, 0x6c, 0x2c);
const SOFT: RGBColor = RGBColor(0x80, 0x8c, 0x99);

pub(super) struct Histogram {
    /// The label of the x axis.
    pub(super) caption: &'static str,
    pub(super) series: Vec<Series>,
    /// The ends of the x axis. By default from 0 to the largest value.
    pub(super) range: Option<(f64, f64)>,
}

pub(super) struct Series {
    pub(super) name: &'static str,
    pub(super) colour: RGBColor,
    pub(super) values: Vec<f64>,
}

impl Histogram {
    pub(super) fn svg(&self) -> Markup {
        let all = self
            .series
            .iter()
            .flat_map(|series| &series.values)
            .copied();
        let (low, high) = self
            .range
            .unwrap_or((0.0, all.fold(0.0, f64::max).max(0.1)));
        let mut svg = String::new();
        match bars(&mut svg, self.caption, &self.series, low, high) {
            Ok(()) => html! {
                figure role="img" aria-label=(self.caption) { (PreEscaped(svg)) }
            },
            Err(error) => html! { p.bad { "No plot of " (self.caption) ": " (error) } },
        }
    }
}

fn bars(
    svg: &mut String,
    caption: &str,
    series: &[Series],
    low: f64,
    high: f64,
) -> Result<(), String> {
    let counted: Vec<Vec<usize>> = series
        .iter()
        .map(|series| counts(&series.values, low, high))
        .collect();
    let most = counted.iter().flatten().copied().max().unwrap_or(1).max(1) as f64;
    let area = SVGBackend::with_string(svg, (900, 280)).into_drawing_area();
    // A square-root scale: a bin of one is still visible beside a bin of thousands.
    let mut chart = ChartBuilder::on(&area)
        .margin(8)
        // Half of the last label lies beyond the end of the axis.
        .margin_right(24)
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
        .y_desc("holds (square-root scale)")
        .x_label_formatter(&|x| format!("{x:.2}"))
        .y_label_formatter(&|root| format!("{:.0}", root * root))
        .draw()
        .map_err(|error| error.to_string())?;
    let wide = (high - low) / BINS as f64;
    let each = wide * 0.9 / series.len() as f64;
    for (place, (one, counts)) in series.iter().zip(&counted).enumerate() {
        let colour = one.colour;
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
            .label(format!("{} ({})", one.name, thousands(one.values.len())))
            .legend(move |(x, y)| Rectangle::new([(x, y - 5), (x + 12, y + 5)], colour.filled()));
    }
    chart
        .configure_series_labels()
        .position(SeriesLabelPosition::UpperMiddle)
        .label_font(("sans-serif", 13).into_font().color(&SOFT))
        .draw()
        .map_err(|error| error.to_string())?;
    area.present().map_err(|error| error.to_string())
}

/// How many values lie in each bin. Values beyond an end count in the last bin there.
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
