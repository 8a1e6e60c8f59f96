//! Scores over a number, a line an arm, which is named at its end.

use std::ops::Range;

use plotters::prelude::*;
use plotters::style::text_anchor::HPos;

use super::axes::Frame;
use super::number::{mean_std, scaled, shortened, shown};
use super::svg::{
    Area, Axis, Chart, Drawn, MUTED, Plot, REFERENCE, anchored, color, font, line, mark, px, span, whisker,
};
use crate::study::results::{ArmKind, MeanStd};
use microdistill_train::error::Result;

/// An arm.
pub(super) struct Series<'a> {
    pub(super) name: &'a str,
    pub(super) kind: ArmKind,
    pub(super) points: Vec<Point>,
}

/// A score with a whisker of one standard deviation.
pub(super) struct Point {
    pub(super) x: f64,
    pub(super) score: MeanStd,
    /// True if the mark is filled.
    pub(super) filled: bool,
    /// Text of the entry.
    pub(super) words: String,
}

/// Some arms over one axis.
pub(super) struct Lines<'a> {
    pub(super) title: String,
    /// Metric of all scores.
    pub(super) metric: &'a str,
    pub(super) x: Axis,
    pub(super) x_name: &'a str,
    pub(super) x_tick: &'a dyn Fn(f64) -> String,
    /// Points that are not finite are left out.
    pub(super) series: Vec<Series<'a>>,
    /// A score that is the same all along.
    pub(super) reference: Option<(&'a str, f64)>,
}

/// Pixels.
const SIZE: (i32, i32) = (360, 260);
/// Between the middles of two names.
const SPACING: f64 = 12.5;
/// Arms stand side by side at the same number, that their whiskers can be told apart: as shares of the axis, between two
/// and between the first and the last.
const ASIDE: (f64, f64) = (0.012, 0.07);

impl Lines<'_> {
    pub(super) fn plot(mut self) -> Result<Plot> {
        for of in &mut self.series {
            of.points.retain(|point| point.x.is_finite() && point.score.mean.is_finite());
        }
        self.series.retain(|of| !of.points.is_empty());
        self.reference = self.reference.filter(|(_, score)| score.is_finite());
        let shown = |score: f64| shown(self.metric, score);
        let ends = |of: &MeanStd| [of.mean - of.std, of.mean + of.std].map(shown);
        let points = || self.series.iter().flat_map(|of| &of.points);
        let reference = self.reference.map(|(name, score)| (name, shown(score)));
        let scores = span(points().flat_map(|point| ends(&point.score)).chain(reference.map(|of| of.1)));
        let y = Axis::linear(scores, 6);
        let scale = y.scale();
        let description = self.description();
        let names: Vec<String> = self.series.iter().map(|of| shortened(of.name, 15)).collect();
        let alone = self.series.len() < 2 && reference.is_none();
        let longest =
            names.iter().map(String::as_str).chain(reference.map(|of| of.0)).map(|name| name.chars().count());
        let right = if alone { 12.0 } else { 22.0 + 6.4 * longest.max().unwrap_or(0) as f64 };
        let (first, last) = (self.x.start(), self.x.end());
        Plot::draw(self.title, description, SIZE, |area| {
            let x = self.x.clone();
            let frame = Frame {
                x: self.x,
                y,
                x_tick: self.x_tick,
                y_tick: &|score| scaled(scale, score),
                x_name: self.x_name,
                right,
            };
            frame.draw(area, |chart| {
                let mut labels = Vec::new();
                if let Some((name, score)) = reference {
                    whisker(chart, (first, score), (last, score), line(REFERENCE, 1.5))?;
                    labels.push(Label { name, color: REFERENCE, from: (last, score) });
                }
                let others = self.series.len().saturating_sub(1) as f64;
                let step = ASIDE.0.min(ASIDE.1 / others.max(1.0));
                for (i, (of, name)) in self.series.iter().zip(&names).enumerate() {
                    let color = color(of.kind);
                    let aside = step * (i as f64 - others / 2.0);
                    let at = |point: &Point| (x.aside(point.x, aside), shown(point.score.mean));
                    chart.draw_series(LineSeries::new(of.points.iter().map(at), line(color, 1.5)))?;
                    for point in &of.points {
                        let ((x, _), [low, high]) = (at(point), ends(&point.score));
                        whisker(chart, (x, low), (x, high), line(color, 1.0))?;
                        mark(chart, of.kind, at(point), 4.0, point.filled)?;
                    }
                    labels.extend(of.points.last().map(|point| Label { name, color, from: at(point) }));
                }
                if alone { Ok(()) } else { name_lines(area, chart, labels) }
            })
        })
    }

    fn description(&self) -> String {
        let told = self.series.iter().flat_map(|of| of.points.iter().map(move |point| (of, point)));
        let told = told.map(|(of, point)| {
            format!("{}, {}: {}.", of.name, point.words, mean_std(self.metric, &point.score))
        });
        told.collect::<Vec<_>>().join(" ")
    }
}

/// The name of a line and where that ends.
struct Label<'a> {
    name: &'a str,
    color: RGBColor,
    from: (f64, f64),
}

/// Names right of all lines, below each other, each led to from its line's end.
fn name_lines(area: &Area, chart: &Chart, labels: Vec<Label>) -> Drawn {
    let mut ends: Vec<((i32, i32), Label)> =
        labels.into_iter().map(|label| (chart.backend_coord(&label.from), label)).collect();
    ends.sort_by_key(|((_, y), _)| *y);
    let (x, y) = chart.plotting_area().get_pixel_range();
    let wanted: Vec<i32> = ends.iter().map(|((_, y), _)| *y).collect();
    for (((from_x, from_y), label), y) in ends.iter().zip(spread(&wanted, px(SPACING), y)) {
        let elbow = x.end + px(5.0);
        let led = [(from_x + px(5.0), *from_y), (elbow, y), (x.end + px(9.0), y)];
        area.draw(&PathElement::new(led, line(label.color, 0.75)))?;
        area.draw_text(label.name, &anchored(font(11.0, MUTED), HPos::Left), (x.end + px(12.0), y))?;
    }
    Ok(())
}

/// Ascending places within `range` and at least `spacing` apart, by least squares near those that are wanted, which ascend.
fn spread(wanted: &[i32], spacing: i32, range: Range<i32>) -> Vec<i32> {
    // Places less their least distances need only ascend: neighbours that do not are pooled to their mean.
    let mut pools: Vec<(i32, i32)> = Vec::new();
    for (i, place) in (0..).zip(wanted) {
        let mut last = (place - i * spacing, 1);
        while let Some(&(sum, count)) = pools.last().filter(|(sum, count)| sum / count >= last.0 / last.1) {
            pools.pop();
            last = (sum + last.0, count + last.1);
        }
        pools.push(last);
    }
    let limit = range.end - (wanted.len() as i32 - 1) * spacing;
    let pooled = pools.iter().flat_map(|&(sum, count)| (0..count).map(move |_| sum / count));
    (0..).zip(pooled).map(|(i, place)| place.min(limit).max(range.start) + i * spacing).collect()
}

#[cfg(test)]
mod tests {
    use super::spread;

    #[test]
    fn names_keep_apart_and_within() {
        assert_eq!(spread(&[10, 50, 90], 12, 0..100), [10, 50, 90]);
        assert_eq!(spread(&[50, 50, 53], 12, 0..100), [39, 51, 63]);
        assert_eq!(spread(&[20, 50, 50, 90], 12, 0..100), [20, 44, 56, 90]);
        assert_eq!(spread(&[90, 95, 99], 12, 0..100), [76, 88, 100]);
        assert_eq!(spread(&[10, 11, 12], 12, 8..100), [8, 20, 32]);
        assert!(spread(&[], 12, 0..100).is_empty());
    }
}
