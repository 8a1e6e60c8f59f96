//! Accuracy or R² against size, and which students no other beats in both.

use super::lines::{Lines, Point, Series};
use super::number::{Fit, VALUES, grouped, widths};
use super::svg::{Axis, Plot, span_of_ratios};
use crate::study::results::{ArmKind, SizePoint, Summary};
use microdistill_train::error::Result;

/// Over parameters, and over bytes of flash; `kind` tells an arm's, `teacher` is what they are compared with.
pub(super) fn plots(
    points: &[SizePoint],
    kind: impl Fn(&str) -> ArmKind,
    teacher: Option<&Summary>,
) -> Result<[Plot; 2]> {
    let fit = Fit::of_sizes(points);
    let (score, unit) = if *fit == VALUES { ("R²", "") } else { ("Accuracy", ", %") };
    let reference = teacher.and_then(|of| Some(("teacher", of.scores.get(fit.test)?.mean)));
    let plot = |what: &str, axis: &str, size: fn(&SizePoint) -> usize| {
        let point = |of: &&SizePoint| {
            Some(Point {
                x: size(of) as f64,
                score: of.score()?,
                filled: of.front,
                words: format!(
                    "{}, {} {axis}{}",
                    widths(&of.widths),
                    size(of),
                    if of.front { ", on the front" } else { "" }
                ),
            })
        };
        let sized: Vec<&SizePoint> = points.iter().filter(|of| size(of) > 0).collect();
        let series = sized.chunk_by(|a, b| a.arm == b.arm).map(|of| Series {
            name: &of[0].arm,
            kind: kind(&of[0].arm),
            points: of.iter().filter_map(point).collect(),
        });
        Lines {
            title: format!("{score} by {what}{unit}"),
            metric: fit.test,
            x: Axis::logarithmic(span_of_ratios(sized.iter().map(|of| size(of) as f64)), 6),
            x_name: axis,
            x_tick: &grouped,
            series: series.collect(),
            reference,
        }
        .plot()
    };
    Ok([
        plot("parameters", "parameters", |of| of.parameters)?,
        plot("flash", "bytes of flash, f32", |of| of.flash_bytes)?,
    ])
}
