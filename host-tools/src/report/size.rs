//! Accuracy against size, and which students no other beats in both.

use plotters::prelude::*;
use plotters::style::text_anchor::HPos;

use super::frame::Frame;
use super::number::{fixed, grouped, mean_std, shortened, shown, widths};
use super::svg::{
    Axis, MUTED, Plot, REFERENCE, anchored, color, font, line, mark, px, span, span_of_ratios, whisker,
};
use crate::error::Result;
use crate::study::results::{ArmKind, MeanStd, SizePoint};

const METRIC: &str = "test accuracy";

/// Over parameters, and over bytes of flash; `kind` tells an arm's, `teacher` is its accuracy, a share.
pub(super) fn plots(
    points: &[SizePoint],
    kind: impl Fn(&str) -> ArmKind,
    teacher: Option<f64>,
) -> Result<[Plot; 2]> {
    let teacher = teacher.filter(|accuracy| accuracy.is_finite()).map(|accuracy| shown(METRIC, accuracy));
    let parameters =
        plot(points, &kind, teacher, "Accuracy by parameters, %", "parameters", |point| point.parameters)?;
    let flash = plot(points, &kind, teacher, "Accuracy by flash, %", "bytes of flash, f32", |point| {
        point.flash_bytes
    })?;
    Ok([parameters, flash])
}

fn plot(
    points: &[SizePoint],
    kind: &dyn Fn(&str) -> ArmKind,
    teacher: Option<f64>,
    title: &str,
    axis: &str,
    size: fn(&SizePoint) -> usize,
) -> Result<Plot> {
    let finite = |point: &&SizePoint| point.accuracy.mean.is_finite() && size(point) > 0;
    let points: Vec<&SizePoint> = points.iter().filter(finite).collect();
    let ends = |of: &MeanStd| [of.mean - of.std, of.mean + of.std].map(|score| shown(METRIC, score));
    let scores = span(points.iter().flat_map(|point| ends(&point.accuracy)).chain(teacher));
    let described = points.iter().map(|point| {
        let (accuracy, front) =
            (mean_std(METRIC, &point.accuracy), if point.front { ", on the front" } else { "" });
        format!("{} {}, {} {axis}: {accuracy} %{front}.", point.arm, widths(&point.widths), size(point))
    });
    let description = described.collect::<Vec<_>>().join(" ");
    let sizes = span_of_ratios(points.iter().map(|point| size(point) as f64));
    Plot::draw(title, description, (360, 260), |area| {
        let frame = Frame {
            x: Axis::logarithmic(sizes.clone(), 6),
            y: Axis::linear(scores, 6),
            x_tick: &|size| grouped(size),
            y_tick: &|score| fixed(score, 0),
            x_name: axis,
        };
        frame.draw(area, |chart| {
            if let Some(accuracy) = teacher {
                whisker(chart, (sizes.start, accuracy), (sizes.end, accuracy), line(REFERENCE, 1.5))?;
                let offset = (-px(4.0), px(9.0));
                let label = Text::new("teacher", offset, anchored(font(11.0, MUTED), HPos::Right));
                chart.draw_series([EmptyElement::at((sizes.end, accuracy)) + label])?;
            }
            let at = |point: &SizePoint| (size(point) as f64, shown(METRIC, point.accuracy.mean));
            for arm in points.chunk_by(|a, b| a.arm == b.arm) {
                let kind = kind(&arm[0].arm);
                chart.draw_series(LineSeries::new(
                    arm.iter().map(|point| at(point)),
                    line(color(kind), 1.5),
                ))?;
                for point in arm {
                    let (x, [low, high]) = (size(point) as f64, ends(&point.accuracy));
                    whisker(chart, (x, low), (x, high), line(color(kind), 1.0))?;
                    mark(chart, kind, at(point), 4.5, point.front)?;
                }
                let name = shortened(&arm[0].arm, 24);
                let beside = anchored(font(11.0, MUTED), HPos::Left);
                let offset = (px(8.0), px(10.0));
                let label = EmptyElement::at(at(arm[0])) + Text::new(name, offset, beside);
                chart.draw_series([label])?;
            }
            Ok(())
        })
    })
}
