//! Reliability diagrams: how often a model is right, against how sure it is (Guo et al. 2017, figure 1).

use plotters::prelude::*;

use super::axes::Frame;
use super::number::{value, whole};
use super::svg::{Axis, Plot, REFERENCE, color, line, px, whisker};
use crate::study::results::{ArmKind, Bin};
use microdistill_train::error::Result;

/// Bins of the same place of several models, as if all rows were one's.
pub(super) fn pooled<'a>(bins: impl IntoIterator<Item = &'a Bin>, count: usize) -> Vec<Bin> {
    let mut pooled = vec![Bin { confidence: 0.0, accuracy: 0.0, rows: 0 }; count.max(1)];
    let finite = |bin: &&Bin| bin.confidence.is_finite() && bin.accuracy.is_finite();
    for bin in bins.into_iter().filter(finite) {
        let place = ((bin.confidence * count as f64).ceil() as usize).clamp(1, pooled.len()) - 1;
        pooled[place].confidence += bin.confidence * bin.rows as f64;
        pooled[place].accuracy += bin.accuracy * bin.rows as f64;
        pooled[place].rows += bin.rows;
    }
    let mean = |bin: Bin| Bin {
        confidence: bin.confidence / bin.rows as f64,
        accuracy: bin.accuracy / bin.rows as f64,
        rows: bin.rows,
    };
    pooled.into_iter().filter(|bin| bin.rows > 0).map(mean).collect()
}

/// A disc for each bin, its area the share of rows; on the diagonal a model is as sure as it should be.
pub(super) fn plot(name: &str, kind: ArmKind, bins: &[Bin]) -> Result<Plot> {
    let all: usize = bins.iter().map(|bin| bin.rows).sum();
    let described = bins.iter().map(|bin| {
        let [confidence, accuracy] = [bin.confidence, bin.accuracy].map(|share| value("ece", share));
        format!("{} rows of confidence {confidence} %: {accuracy} % right.", bin.rows)
    });
    let description = described.collect::<Vec<_>>().join(" ");
    Plot::draw(name, description, (200, 196), |area| {
        let percent = |share: f64| whole(100.0 * share);
        let frame = Frame {
            x: Axis::linear(0.0..1.0, 6),
            y: Axis::linear(0.0..1.0, 6),
            x_tick: &percent,
            y_tick: &percent,
            x_name: "",
            right: 12.0,
        };
        frame.draw(area, |chart| {
            whisker(chart, (0.0, 0.0), (1.0, 1.0), line(REFERENCE, 1.5))?;
            let color = color(kind);
            let at = |bin: &Bin| (bin.confidence, bin.accuracy);
            chart.draw_series(LineSeries::new(bins.iter().map(at), line(color, 1.5)))?;
            for bin in bins {
                let radius = 1.5 + 6.5 * (bin.rows as f64 / all as f64).sqrt();
                chart.draw_series([Circle::new(at(bin), px(radius), color.mix(0.8).filled())])?;
            }
            Ok(())
        })
    })
}
