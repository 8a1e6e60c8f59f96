//! Accuracy against size, and which students no other beats in both.

use super::lines::{Lines, Point, Series};
use super::number::{grouped, widths};
use super::svg::{Axis, Plot, span_of_ratios};
use crate::error::Result;
use crate::study::results::{ArmKind, SizePoint};

/// Over parameters, and over bytes of flash; `kind` tells an arm's, `teacher` is its accuracy, a share.
pub(super) fn plots(
    points: &[SizePoint],
    kind: impl Fn(&str) -> ArmKind,
    teacher: Option<f64>,
) -> Result<[Plot; 2]> {
    let plot = |title: &str, axis: &str, size: fn(&SizePoint) -> usize| {
        let point = |of: &SizePoint| Point {
            x: size(of) as f64,
            score: of.accuracy,
            filled: of.front,
            words: format!(
                "{}, {} {axis}{}",
                widths(&of.widths),
                size(of),
                if of.front { ", on the front" } else { "" }
            ),
        };
        let sized: Vec<&SizePoint> = points.iter().filter(|of| size(of) > 0).collect();
        let series = sized.chunk_by(|a, b| a.arm == b.arm).map(|of| Series {
            name: &of[0].arm,
            kind: kind(&of[0].arm),
            points: of.iter().map(|of| point(of)).collect(),
        });
        Lines {
            title: title.into(),
            metric: "test accuracy",
            x: Axis::logarithmic(span_of_ratios(sized.iter().map(|of| size(of) as f64)), 6),
            x_name: axis,
            x_tick: &grouped,
            series: series.collect(),
            reference: teacher.map(|accuracy| ("teacher", accuracy)),
        }
        .plot()
    };
    Ok([
        plot("Accuracy by parameters, %", "parameters", |of| of.parameters)?,
        plot("Accuracy by flash, %", "bytes of flash, f32", |of| of.flash_bytes)?,
    ])
}
