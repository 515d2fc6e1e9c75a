//! Colours, axes and legends that the plots share.

use plotters::coord::Shift;
use plotters::coord::types::RangedCoordf64;
use plotters::prelude::{
    Cartesian2d, ChartBuilder, ChartContext, DrawingArea, IntoFont as _, PathElement, RGBColor,
    Rectangle, SVGBackend, SeriesLabelPosition, TextStyle, WHITE,
};
use plotters::style::text_anchor::{HPos, Pos, VPos};
use plotters::style::{Color as _, FontFamily};

// Distinguishable with red-green colour blindness.
pub(super) const BLUE: RGBColor = RGBColor(0x2b, 0x7c, 0xc4);
pub(super) const ORANGE: RGBColor = RGBColor(0xd9, 0x6c, 0x2c);
pub(super) const SOFT: RGBColor = RGBColor(0xd5, 0xda, 0xdf);
pub(super) const INK: RGBColor = RGBColor(0x33, 0x3d, 0x47);

pub(super) type Area<'a> = DrawingArea<SVGBackend<'a>, Shift>;
pub(super) type Chart<'a, 'b> =
    ChartContext<'a, SVGBackend<'b>, Cartesian2d<RangedCoordf64, RangedCoordf64>>;

pub(super) fn text_of(error: impl std::fmt::Display) -> String {
    error.to_string()
}

pub(super) fn font(size: u32) -> TextStyle<'static> {
    TextStyle::from((FontFamily::SansSerif, size).into_font()).color(&INK)
}

pub(super) fn right(size: u32) -> TextStyle<'static> {
    font(size).pos(Pos::new(HPos::Right, VPos::Center))
}

pub(super) struct Axes<'a> {
    pub(super) title: &'a str,
    pub(super) x: (f64, f64),
    pub(super) y: (f64, f64),
    pub(super) x_name: &'a str,
    pub(super) y_name: &'a str,
    pub(super) x_label: fn(&f64) -> String,
    pub(super) y_label: fn(&f64) -> String,
    pub(super) labels: (usize, usize),
}

pub(super) fn chart<'a, 'b>(area: &Area<'b>, axes: &Axes<'_>) -> Result<Chart<'a, 'b>, String> {
    let mut chart = ChartBuilder::on(area)
        .caption(axes.title, font(20))
        .margin(12)
        .margin_right(28)
        .x_label_area_size(48)
        .y_label_area_size(64)
        .build_cartesian_2d(axes.x.0..axes.x.1, axes.y.0..axes.y.1)
        .map_err(text_of)?;
    chart
        .configure_mesh()
        .light_line_style(WHITE)
        .bold_line_style(SOFT)
        .axis_style(INK)
        .label_style(font(13))
        .axis_desc_style(font(15))
        .x_desc(axes.x_name)
        .y_desc(axes.y_name)
        .x_labels(axes.labels.0)
        .y_labels(axes.labels.1)
        .x_label_formatter(&axes.x_label)
        .y_label_formatter(&axes.y_label)
        .draw()
        .map_err(text_of)?;
    Ok(chart)
}

pub(super) fn legend<'a, 'b: 'a>(
    chart: &mut Chart<'a, 'b>,
    position: SeriesLabelPosition,
) -> Result<(), String> {
    chart
        .configure_series_labels()
        .position(position)
        .background_style(WHITE)
        .border_style(SOFT)
        .label_font(font(14))
        .margin(10)
        .draw()
        .map_err(text_of)
}

pub(super) fn line(
    chart: &mut Chart<'_, '_>,
    points: Vec<(f64, f64)>,
    colour: RGBColor,
    label: Option<String>,
) -> Result<(), String> {
    let drawn = chart
        .draw_series([PathElement::new(points, colour.stroke_width(2))])
        .map_err(text_of)?;
    if let Some(label) = label {
        drawn
            .label(label)
            .legend(move |(x, y)| Rectangle::new([(x, y - 5), (x + 14, y + 5)], colour.filled()));
    }
    Ok(())
}
