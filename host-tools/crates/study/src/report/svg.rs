//! Drawings for the page: how plotters draws here, and the colors that the style sheet knows.

use std::ops::Range;

use plotters::coord::Shift;
use plotters::coord::combinators::IntoLogRange as _;
use plotters::coord::ranged1d::{
    BoldPoints, KeyPointHint, KeyPointWeight, NoDefaultFormatting, Ranged, ValueFormatter,
};
use plotters::coord::types::RangedCoordf64;
use plotters::prelude::*;
use plotters::style::text_anchor::{HPos, Pos, VPos};
use serde::Serialize;

use crate::study::results::ArmKind;
use microdistill_train::error::{Error, Result};
use microdistill_train::number::Scale;

/// An inline `<svg>`.
#[derive(Clone, Debug, Serialize)]
pub(super) struct Plot {
    /// Title of the figure, and accessible name of the drawing.
    pub(super) title: String,
    /// Description of the drawing, in words and numbers.
    pub(super) description: String,
    /// Pixels of CSS.
    pub(super) width: i32,
    /// Pixels of CSS.
    pub(super) height: i32,
    /// Units of the drawing a pixel.
    pub(super) unit: i32,
    /// The elements within `<svg>`.
    pub(super) marks: String,
}

/// The library places everything on whole units: tenths of a pixel.
const UNIT: i32 = 10;

/// Pixels in units.
pub(super) fn px(pixels: f64) -> i32 {
    (pixels * f64::from(UNIT)).round() as i32
}

/// The area that is drawn on.
pub(super) type Area<'a> = DrawingArea<SVGBackend<'a>, Shift>;
/// Result of drawing. Writing to a string cannot fail.
pub(super) type Drawn = std::result::Result<(), DrawingAreaErrorKind<std::io::Error>>;
/// Axes and what is between them.
pub(super) type Chart<'a, 'b> = ChartContext<'a, SVGBackend<'b>, Cartesian2d<Axis, Axis>>;

impl Plot {
    /// Draws a figure of this width and height, in pixels.
    pub(super) fn draw(
        title: impl Into<String>,
        description: impl Into<String>,
        (width, height): (i32, i32),
        paint: impl FnOnce(&Area) -> Drawn,
    ) -> Result<Plot> {
        let mut svg = String::new();
        let size = ((width * UNIT) as u32, (height * UNIT) as u32);
        let area = SVGBackend::with_string(&mut svg, size).into_drawing_area();
        let drawn = paint(&area).and_then(|()| area.present());
        drop(area);
        drawn.map_err(|error| Error::Invalid(format!("a plot cannot be drawn: {error}")))?;
        // The page's own `<svg>` has a name, a description and no fixed size.
        let inner = svg.split_once('>').and_then(|(_, rest)| rest.rsplit_once("</svg>"));
        Ok(Plot {
            title: title.into(),
            description: description.into(),
            width,
            height,
            unit: UNIT,
            marks: inner.map_or(String::new(), |(marks, _)| marks.trim().into()),
        })
    }
}

const fn rgb(hex: u32) -> RGBColor {
    RGBColor((hex >> 16) as u8, (hex >> 8) as u8, hex as u8)
}

/// Words, and marks that belong to no arm.
pub(super) const INK: RGBColor = rgb(0x1F2328);
/// Numbers beside an axis.
pub(super) const MUTED: RGBColor = rgb(0x59636E);
/// Lines behind.
pub(super) const GRID: RGBColor = rgb(0xD1D9E0);
/// Color of a reference line, such as zero or a diagonal. The style sheet dashes it.
pub(super) const REFERENCE: RGBColor = rgb(0x818B98);
/// The page.
pub(super) const SURFACE: RGBColor = rgb(0xFFFFFF);
// The three kinds are green, vermilion and blue of Okabe and Ito's palette for all color visions.
const TEACHER: RGBColor = rgb(0x009E73);
const HARD: RGBColor = rgb(0xD55E00);
/// Distilled students.
pub(super) const DISTILLED: RGBColor = rgb(0x0072B2);
/// A large share, behind words.
pub(super) const HEAT: RGBColor = rgb(0x7DB8E0);
/// On training rows. Dashed by the style sheet.
pub(super) const TRAINING: RGBColor = rgb(0x6E7781);

/// A color by which the style sheet finds marks, and the name of the variable that it gives them instead.
#[derive(Serialize)]
pub(super) struct Named {
    name: &'static str,
    hex: String,
}

/// Every color that a plot may have.
pub(super) fn palette() -> Vec<Named> {
    let colors = [
        ("ink", INK),
        ("muted", MUTED),
        ("grid", GRID),
        ("reference", REFERENCE),
        ("surface", SURFACE),
        ("teacher", TEACHER),
        ("hard", HARD),
        ("distilled", DISTILLED),
        ("heat", HEAT),
        ("training", TRAINING),
    ];
    let named = |(name, RGBColor(r, g, b))| Named { name, hex: format!("#{r:02X}{g:02X}{b:02X}") };
    colors.map(named).into()
}

/// The color of a kind of arm.
pub(super) fn color(kind: ArmKind) -> RGBColor {
    match kind {
        ArmKind::Teacher => TEACHER,
        ArmKind::Hard => HARD,
        ArmKind::Distilled => DISTILLED,
    }
}

/// A number in a plot, linear or by its logarithm.
#[derive(Clone)]
pub(super) struct Axis {
    range: Range<f64>,
    logarithmic: bool,
    ticks: Vec<f64>,
}

impl Axis {
    /// From low to high, both finite.
    pub(super) fn linear(range: Range<f64>, ticks: usize) -> Axis {
        let ticks = RangedCoordf64::from(range.clone()).key_points(BoldPoints(ticks));
        Axis { range, logarithmic: false, ticks }
    }

    /// From low to high, both positive, with a tick at powers of two.
    pub(super) fn logarithmic(range: Range<f64>, ticks: usize) -> Axis {
        let coordinate: LogCoord<f64> = range.clone().log_scale().base(2.0).into();
        Axis { ticks: coordinate.key_points(BoldPoints(ticks)), range, logarithmic: true }
    }

    /// Without ticks whose numbers would leave a plot that has no room beside it.
    pub(super) fn inset(mut self) -> Axis {
        let Range { start, end } = self.range;
        self.ticks.retain(|tick| (0.04..0.96).contains(&((tick - start) / (end - start))));
        self
    }

    /// From low to high, with ticks at these places.
    pub(super) fn marked(range: Range<f64>, ticks: Vec<f64>) -> Axis {
        Axis { range, logarithmic: false, ticks }
    }

    /// Positions of the labelled ticks.
    pub(super) fn ticks(&self) -> &[f64] {
        &self.ticks
    }

    /// The scale at which the ticks are told apart.
    pub(super) fn scale(&self) -> Scale {
        Scale::of_ticks(&self.ticks, 1e-3 * (self.range.end - self.range.start).abs())
    }

    /// Start of the axis.
    pub(super) fn start(&self) -> f64 {
        self.range.start
    }

    /// End of the axis.
    pub(super) fn end(&self) -> f64 {
        self.range.end
    }

    /// A position next to `value`, by this share of the axis.
    pub(super) fn aside(&self, value: f64, share: f64) -> f64 {
        let Range { start, end } = self.range;
        if self.logarithmic { value * (end / start).powf(share) } else { value + share * (end - start) }
    }

    /// Without ticks; for rows counted from the top.
    pub(super) fn rows(count: usize) -> Axis {
        Axis { range: count as f64..0.0, logarithmic: false, ticks: Vec::new() }
    }
}

impl Ranged for Axis {
    type FormatOption = NoDefaultFormatting;
    type ValueType = f64;

    fn map(&self, &value: &f64, (low, high): (i32, i32)) -> i32 {
        let scale = |x: f64| if self.logarithmic { x.ln() } else { x };
        let (start, end) = (scale(self.range.start), scale(self.range.end));
        let share = ((scale(value) - start) / (end - start)).clamp(0.0, 1.0); // what lies outside is at the edge
        low + (share * f64::from(high - low)).round() as i32
    }

    fn key_points<H: KeyPointHint>(&self, hint: H) -> Vec<f64> {
        match hint.weight() {
            KeyPointWeight::Bold => self.ticks.clone(),
            KeyPointWeight::Any => Vec::new(), // no lighter lines between
        }
    }

    fn range(&self) -> Range<f64> {
        self.range.clone()
    }
}

impl ValueFormatter<f64> for Axis {
    fn format(value: &f64) -> String {
        value.to_string()
    }
}

/// A range with all finite `values` and some air around; 0 to 1 if there are none.
pub(super) fn span(values: impl IntoIterator<Item = f64>) -> Range<f64> {
    let finite = values.into_iter().filter(|value| value.is_finite());
    let (low, high) =
        finite.fold((f64::INFINITY, f64::NEG_INFINITY), |(low, high), x| (low.min(x), high.max(x)));
    if low > high {
        return 0.0..1.0;
    }
    let air = 0.06 * (high - low).max(1e-3 * low.abs().max(high.abs())).max(1e-6);
    low - air..high + air
}

/// A range with all positive finite `values`, for a logarithmic axis; 1 to 2 if there are none.
pub(super) fn span_of_ratios(values: impl IntoIterator<Item = f64>) -> Range<f64> {
    let logarithms: Vec<f64> =
        values.into_iter().filter(|&x| x > 0.0 && x.is_finite()).map(f64::ln).collect();
    if logarithms.is_empty() {
        return 1.0..2.0;
    }
    let Range { start, end } = span(logarithms);
    let air = (0.35 - 0.5 * (end - start)).max(0.1);
    (start - air).exp()..(end + air).exp()
}

/// Words of `size` pixels.
pub(super) fn font(size: f64, color: RGBColor) -> TextStyle<'static> {
    // The library draws letters smaller by this factor than it is told.
    ("sans-serif", 1.24 * size * f64::from(UNIT)).into_font().color(&color)
}

/// The same, placed by its left or right end or its middle, and by the middle of its height.
pub(super) fn anchored(style: TextStyle<'static>, horizontal: HPos) -> TextStyle<'static> {
    style.pos(Pos::new(horizontal, VPos::Center))
}

/// A line of `width` pixels.
pub(super) fn line(color: RGBColor, width: f64) -> ShapeStyle {
    color.stroke_width(px(width) as u32)
}

/// A mark in the shape of its kind, filled or not: color is never alone.
pub(super) fn mark(chart: &mut Chart, kind: ArmKind, at: (f64, f64), radius: f64, filled: bool) -> Drawn {
    // A surface below keeps lines from showing through.
    let (color, r) = (color(kind), px(radius));
    let corners: Vec<(i32, i32)> = match kind {
        ArmKind::Distilled => {
            let below = if filled { color } else { SURFACE };
            chart.draw_series([Circle::new(at, r, below.filled())])?;
            chart.draw_series([Circle::new(at, r, line(color, 1.5))])?;
            return Ok(());
        }
        ArmKind::Teacher => vec![(-r, -r), (r, -r), (r, r), (-r, r), (-r, -r)],
        ArmKind::Hard => vec![(0, -r * 6 / 5), (r * 6 / 5, r), (-r * 6 / 5, r), (0, -r * 6 / 5)],
    };
    let below = if filled { color } else { SURFACE };
    let element = EmptyElement::at(at)
        + Polygon::new(corners.clone(), below.filled())
        + PathElement::new(corners, line(color, 1.5));
    chart.draw_series([element])?;
    Ok(())
}

/// A vertical or horizontal whisker.
pub(super) fn whisker(chart: &mut Chart, from: (f64, f64), to: (f64, f64), style: ShapeStyle) -> Drawn {
    if [from.0, from.1, to.0, to.1].iter().all(|x| x.is_finite()) {
        chart.draw_series([PathElement::new(vec![from, to], style)])?;
    }
    Ok(())
}
