//! The effect of the temperature of soft labels.

use super::lines::{Lines, Point, Series};
use super::svg::{Axis, Plot, span_of_ratios};
use crate::study::figures::setting;
use crate::study::names;
use crate::study::results::{ArmKind, MeanStd, TemperaturePoint};
use microdistill_train::error::Result;

/// Test accuracy, and NLL, over T.
pub(super) fn plots(points: &[TemperaturePoint]) -> Result<[Plot; 2]> {
    let points: Vec<&TemperaturePoint> =
        points.iter().filter(|of| of.temperature > 0.0 && of.temperature.is_finite()).collect();
    let plot = |title: &str, metric: &str, score: fn(&TemperaturePoint) -> MeanStd| {
        let point = |of: &&TemperaturePoint| Point {
            x: of.temperature,
            score: score(of),
            filled: true,
            words: format!("T = {}", of.temperature),
        };
        Lines {
            title: title.into(),
            metric,
            x: Axis::logarithmic(span_of_ratios(points.iter().map(|of| of.temperature)), 6),
            x_name: "temperature T",
            x_tick: &setting,
            series: vec![Series {
                name: names::SOFT,
                kind: ArmKind::Distilled,
                points: points.iter().map(point).collect(),
            }],
            reference: None,
        }
        .plot()
    };
    Ok([
        plot("Accuracy by temperature, %", "test accuracy", |of| of.accuracy)?,
        plot("NLL by temperature, nats", "nll", |of| of.nll)?,
    ])
}
