//! A plot of one number over another.

use plotters::prelude::*;

use super::svg::{Area, Axis, Chart, Drawn, GRID, MUTED, font, line, px};

/// The axes.
pub(super) struct Frame<'a> {
    pub(super) x: Axis,
    pub(super) y: Axis,
    /// Numbers beside a tick.
    pub(super) x_tick: &'a dyn Fn(f64) -> String,
    pub(super) y_tick: &'a dyn Fn(f64) -> String,
    /// Below the ticks; the y axis is named by the figure.
    pub(super) x_name: &'a str,
    /// Pixels beside the plot.
    pub(super) right: f64,
}

impl Frame<'_> {
    /// Draws the axes, then calls `marks`.
    pub(super) fn draw(self, area: &Area, marks: impl FnOnce(&mut Chart) -> Drawn) -> Drawn {
        let foot = if self.x_name.is_empty() { 20.0 } else { 38.0 };
        let longest = self.y.ticks().iter().map(|tick| (self.y_tick)(*tick).chars().count()).max();
        // Most numbers have up to four characters; those of some units are longer.
        let left = (12.0 + 6.5 * longest.unwrap_or_default() as f64).max(38.0);
        let mut chart = ChartBuilder::on(area)
            .margin_top(px(8.0))
            .margin_right(px(self.right))
            .x_label_area_size(px(foot))
            .y_label_area_size(px(left))
            .build_cartesian_2d(self.x, self.y)?;
        let mut mesh = chart.configure_mesh();
        mesh.disable_x_mesh()
            .axis_style(line(GRID, 1.0))
            .bold_line_style(line(GRID, 1.0))
            .set_all_tick_mark_size(px(3.0))
            .label_style(font(11.0, MUTED))
            .axis_desc_style(font(11.0, MUTED));
        if !self.x_name.is_empty() {
            mesh.x_desc(self.x_name);
        }
        let (x_tick, y_tick) = (|x: &f64| (self.x_tick)(*x), |y: &f64| (self.y_tick)(*y));
        mesh.x_label_formatter(&x_tick).y_label_formatter(&y_tick).draw()?;
        marks(&mut chart)
    }
}
