//! What the temperature does to the default recipe.

use plotters::prelude::*;

use super::frame::Frame;
use super::number::{fixed, mean_std, shown};
use super::svg::{Axis, DISTILLED, Plot, line, mark, span, span_of_ratios, whisker};
use crate::error::Result;
use crate::study::results::{ArmKind, MeanStd, TemperaturePoint};

/// Test accuracy, and NLL, over T.
pub(super) fn plots(points: &[TemperaturePoint]) -> Result<[Plot; 2]> {
    let accuracy = plot(points, "Accuracy by temperature, %", "test accuracy", |point| &point.accuracy)?;
    Ok([accuracy, plot(points, "NLL by temperature, nats", "nll", |point| &point.nll)?])
}

fn plot(
    points: &[TemperaturePoint],
    title: &str,
    metric: &str,
    score: fn(&TemperaturePoint) -> &MeanStd,
) -> Result<Plot> {
    let points: Vec<(f64, &MeanStd)> = points
        .iter()
        .map(|point| (point.temperature, score(point)))
        .filter(|(t, score)| *t > 0.0 && t.is_finite() && score.mean.is_finite())
        .collect();
    let ends = |of: &MeanStd| [of.mean - of.std, of.mean + of.std].map(|score| shown(metric, score));
    let scores = span(points.iter().flat_map(|(_, of)| ends(of)));
    let digits = if metric == "nll" { 2 } else { 1 };
    let described = points.iter().map(|(t, of)| format!("T = {t}: {}.", mean_std(metric, of)));
    let description = described.collect::<Vec<_>>().join(" ");
    Plot::draw(title, description, (360, 220), |area| {
        let frame = Frame {
            x: Axis::logarithmic(span_of_ratios(points.iter().map(|(t, _)| *t)), 6),
            y: Axis::linear(scores, 5),
            x_tick: &|t| if t < 1.0 { fixed(t, 2) } else { fixed(t, 0) },
            y_tick: &|score| fixed(score, digits),
            x_name: "temperature T",
        };
        frame.draw(area, |chart| {
            let at = |(t, of): &(f64, &MeanStd)| (*t, shown(metric, of.mean));
            chart.draw_series(LineSeries::new(points.iter().map(at), line(DISTILLED, 1.5)))?;
            for point in &points {
                let (t, [low, high]) = (point.0, ends(point.1));
                whisker(chart, (t, low), (t, high), line(DISTILLED, 1.5))?;
                mark(chart, ArmKind::Distilled, at(point), 4.0, true)?;
            }
            Ok(())
        })
    })
}
