//! Learning curves, one small plot an arm, all on the same scales.

use plotters::prelude::*;

use super::axes::Frame;
use super::number::{scaled, value, whole};
use super::svg::{Axis, Plot, TRAINING, color, line, span};
use crate::study::results::{ArmKind, CurvePoint};
use microdistill_train::error::Result;

/// An arm's training.
pub(super) struct Curve<'a> {
    pub(super) name: &'a str,
    pub(super) kind: ArmKind,
    pub(super) points: &'a [CurvePoint],
}

/// A score of a curve's point, on training and validation rows; none where it has another task's.
pub(super) type Pick = fn(&CurvePoint) -> Option<[f64; 2]>;

/// The scores drawn, with their units. For values, R² alone: RMSE would be the same curve upside down.
pub(super) const SCORES: [(&str, Pick); 3] = [
    ("NLL in nats", |point| Some([point.train_nll?, point.validation_nll?])),
    ("Accuracy in %", |point| Some([100.0 * point.train_accuracy?, 100.0 * point.validation_accuracy?])),
    ("R²", |point| Some([point.train_r2?, point.validation_r2?])),
];

/// Pixels.
const SIZE: (i32, i32) = (200, 140);

/// A dashed line for training rows, a solid one for validation rows; no plots of a score that no point has.
pub(super) fn plots(curves: &[Curve], pick: Pick) -> Result<Vec<Plot>> {
    let points = || curves.iter().flat_map(|curve| curve.points);
    if points().filter_map(pick).next().is_none() {
        return Ok(Vec::new());
    }
    let last = points().map(|point| point.epoch).max().unwrap_or(1).max(1) as f64;
    let scores = span(points().filter_map(pick).flatten());
    let y = Axis::linear(scores, 6);
    let scale = y.scale();
    let plot = |curve: &Curve| {
        let end = curve.points.last().and_then(|last| Some((last.epoch, pick(last)?)));
        let description = end.map_or("No curve.".into(), |(epochs, scores)| {
            let [train, validation] = scores.map(|score| value("", score));
            format!("After {epochs} epochs: training {train}, validation {validation}.")
        });
        Plot::draw(curve.name, description, SIZE, |area| {
            let frame = Frame {
                x: Axis::linear(0.0..last, 5),
                y: y.clone(),
                x_tick: &whole,
                y_tick: &|y| scaled(scale, y),
                x_name: "",
                right: 12.0,
            };
            frame.draw(area, |chart| {
                for (part, style) in [(0, line(TRAINING, 1.5)), (1, line(color(curve.kind), 2.0))] {
                    let at = |point: &CurvePoint| Some((point.epoch as f64, pick(point)?[part]));
                    let points = curve.points.iter().filter_map(at);
                    chart
                        .draw_series(LineSeries::new(points.filter(|(_, score)| score.is_finite()), style))?;
                }
                Ok(())
            })
        })
    };
    curves.iter().map(plot).collect()
}
