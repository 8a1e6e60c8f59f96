//! The values that a model gives, against those that were measured.

use plotters::prelude::*;

use super::axes::Frame;
use super::number::{scaled, value};
use super::svg::{Axis, Plot, REFERENCE, color, line, px, span, whisker};
use crate::study::results::{ArmKind, Cell, Prediction};
use microdistill_train::error::Result;
use microdistill_train::metrics::Scores;

/// Pixels; what lies between the axes is square.
const SIZE: (i32, i32) = (360, 356);
/// Misses that are told in words.
const TOLD: usize = 3;

/// A disc for each row, all plots on the same scales; on the diagonal a model gives what was measured.
pub(super) fn plots(cells: &[(&Cell, ArmKind)]) -> Result<Vec<Plot>> {
    let finite = |of: &&Prediction| of.measured.is_finite() && of.predicted.is_finite();
    let all = cells.iter().flat_map(|(cell, _)| &cell.predictions).filter(finite);
    let range = span(all.flat_map(|of| [of.measured, of.predicted].map(f64::from)));
    let axis = Axis::linear(range.clone(), 6);
    let scale = axis.scale();
    let tick = |value: f64| scaled(scale, value);
    let plot = |&(cell, kind): &(&Cell, ArmKind)| {
        let rows: Vec<&Prediction> = cell.predictions.iter().filter(finite).collect();
        Plot::draw(cell.arm.as_str(), description(cell, &rows), SIZE, |area| {
            let frame = Frame {
                x: axis.clone(),
                y: axis.clone(),
                x_tick: &tick,
                y_tick: &tick,
                x_name: "measured",
                right: 12.0,
            };
            frame.draw(area, |chart| {
                let corner = |end: f64| (end, end);
                whisker(chart, corner(range.start), corner(range.end), line(REFERENCE, 1.5))?;
                // Where discs lie on each other, they are darker.
                let fill = color(kind).mix(0.6).filled();
                let at = |of: &&Prediction| (f64::from(of.measured), f64::from(of.predicted));
                chart.draw_series(rows.iter().map(|row| Circle::new(at(row), px(2.5), fill)))?;
                Ok(())
            })
        })
    };
    cells.iter().map(plot).collect()
}

/// A description of the predictions: their score, and the largest error.
fn description(cell: &Cell, rows: &[&Prediction]) -> String {
    let score = match &cell.test {
        Scores::Regression(of) => {
            format!(" R² {}, RMSE {} on all {}.", value("r2", of.r2), value("rmse", of.rmse), of.rows)
        }
        Scores::Classification(_) => String::new(),
    };
    let mut worst = rows.to_vec();
    let miss = |of: &Prediction| (of.predicted - of.measured).abs();
    worst.sort_by(|a, b| miss(b).total_cmp(&miss(a)));
    let told = worst.iter().take(TOLD).map(|of| {
        let [predicted, measured] = [of.predicted, of.measured].map(|of| value("rmse", of.into()));
        format!(" {predicted} where {measured} was measured.")
    });
    format!("{} test rows.{score} Furthest off:{}", rows.len(), told.collect::<String>())
}
