//! A plot of named rows over one axis: the name above, the number at its right, the marks below.

use std::ops::Range;

use plotters::prelude::*;
use plotters::style::text_anchor::HPos;

use super::svg::{Area, Axis, Chart, Drawn, GRID, INK, MUTED, REFERENCE, anchored, font, line, px, whisker};

/// One row.
pub(super) struct Row {
    /// Name of the row.
    pub(super) name: String,
    /// Its number, in words.
    pub(super) number: String,
}

/// All rows and their axis.
pub(super) struct RowChart<'a> {
    pub(super) rows: &'a [Row],
    /// Range of the axis.
    pub(super) range: Range<f64>,
    /// Below the ticks.
    pub(super) axis: &'a str,
    /// A line over all rows, where it lies within the range.
    pub(super) reference: Option<f64>,
}

/// Pixels.
pub(super) const WIDTH: i32 = 360;
const ROW: i32 = 42;
const FOOT: i32 = 42;
/// Position of the marks in a row.
const CENTER: f64 = 0.70;

impl RowChart<'_> {
    /// In pixels.
    pub(super) fn size(&self) -> (i32, i32) {
        (WIDTH, ROW * self.rows.len().max(1) as i32 + FOOT)
    }

    /// Draws all but the marks; `marks` then is called for each row with its height on the chart.
    pub(super) fn draw(&self, area: &Area, mut marks: impl FnMut(&mut Chart, usize, f64) -> Drawn) -> Drawn {
        let x = Axis::linear(self.range.clone(), 6).inset();
        let digits = x.digits();
        let mut chart = ChartBuilder::on(area)
            .margin_left(px(8.0))
            .margin_right(px(8.0))
            .x_label_area_size(px(f64::from(FOOT)))
            .build_cartesian_2d(x, Axis::rows(self.rows.len().max(1)))?;
        let tick = |x: &f64| super::number::fixed(*x, digits);
        chart
            .configure_mesh()
            .disable_y_mesh()
            .disable_y_axis()
            .axis_style(line(GRID, 1.0))
            .bold_line_style(line(GRID, 1.0))
            .set_all_tick_mark_size(px(3.0))
            .x_label_style(font(11.0, MUTED))
            .axis_desc_style(font(11.0, MUTED))
            .x_label_formatter(&tick)
            .x_desc(self.axis)
            .draw()?;
        let Range { start, end } = self.range;
        if let Some(x) = self.reference.filter(|x| (start..=end).contains(x)) {
            let whole = self.rows.len().max(1) as f64;
            whisker(&mut chart, (x, 0.0), (x, whole), line(REFERENCE, 1.5))?;
        }
        for (i, row) in self.rows.iter().enumerate() {
            let top = i as f64;
            let name = super::number::shortened(&row.name, 28);
            chart.draw_series([Text::new(
                name,
                (start, top + 0.28),
                anchored(font(12.0, INK), HPos::Left),
            )])?;
            let number = anchored(font(12.0, MUTED), HPos::Right);
            chart.draw_series([Text::new(row.number.clone(), (end, top + 0.28), number)])?;
            marks(&mut chart, i, top + CENTER)?;
        }
        Ok(())
    }
}
