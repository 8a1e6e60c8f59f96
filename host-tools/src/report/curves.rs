//! Learning curves, one small plot an arm, all on the same scales.

use plotters::prelude::*;

use super::frame::Frame;
use super::number::{fixed, value};
use super::svg::{Axis, Plot, TRAINING, color, line, span};
use crate::error::Result;
use crate::study::results::{ArmKind, CurvePoint};

/// An arm's training.
pub(super) struct Curve<'a> {
    pub(super) name: &'a str,
    pub(super) kind: ArmKind,
    pub(super) points: &'a [CurvePoint],
}

/// A score of a curve's point, on training and validation rows.
pub(super) type Pick = fn(&CurvePoint) -> [f64; 2];

/// In nats.
pub(super) const NLL: Pick = |point| [point.train_nll, point.validation_nll];
/// In percent.
pub(super) const ACCURACY: Pick =
    |point| [point.train_accuracy, point.validation_accuracy].map(|share| 100.0 * share);

/// Pixels.
const SIZE: (i32, i32) = (200, 140);

/// A dashed line for training rows, a solid one for validation rows.
pub(super) fn plots(curves: &[Curve], pick: Pick) -> Result<Vec<Plot>> {
    let points = || curves.iter().flat_map(|curve| curve.points);
    let last = points().map(|point| point.epoch).max().unwrap_or(1).max(1) as f64;
    let scores = span(points().flat_map(pick));
    let digits = if scores.end - scores.start < 5.0 { 1 } else { 0 };
    let plot = |curve: &Curve| {
        let description = curve.points.last().map_or("No curve.".into(), |last| {
            let [train, validation] = pick(last).map(|score| value("", score));
            format!("After {} epochs: training {train}, validation {validation}.", last.epoch)
        });
        Plot::draw(curve.name, description, SIZE, |area| {
            let frame = Frame {
                x: Axis::linear(0.0..last, 5),
                y: Axis::linear(scores.clone(), 6),
                x_tick: &|x| fixed(x, 0),
                y_tick: &|y| fixed(y, digits),
                x_name: "",
                right: 12.0,
            };
            frame.draw(area, |chart| {
                for (part, style) in [(0, line(TRAINING, 1.5)), (1, line(color(curve.kind), 2.0))] {
                    let points = curve.points.iter().map(|point| (point.epoch as f64, pick(point)[part]));
                    chart
                        .draw_series(LineSeries::new(points.filter(|(_, score)| score.is_finite()), style))?;
                }
                Ok(())
            })
        })
    };
    curves.iter().map(plot).collect()
}
