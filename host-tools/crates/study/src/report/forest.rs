//! Paired differences with their 95 % confidence intervals.

use plotters::prelude::*;

use super::number;
use super::rows::{Row, RowChart};
use super::svg::{INK, Plot, SURFACE, line, px, span, whisker};
use crate::study::results::Estimate;
use microdistill_train::error::Result;

/// One difference.
pub(super) struct Difference {
    pub(super) name: String,
    pub(super) estimate: Estimate,
}

impl Difference {
    /// With its interval.
    fn words(&self, metric: &str) -> String {
        match number::estimate(metric, &self.estimate) {
            (mean, Some([low, high])) => format!("{mean} [{low}, {high}]"),
            (mean, None) => mean,
        }
    }

    fn mean(&self) -> f64 {
        self.estimate.mean()
    }
}

/// A disc for each difference, filled where it is beyond chance: its interval does not hold zero.
pub(super) fn plot(title: String, metric: &str, differences: &[Difference]) -> Result<Plot> {
    let shown = |x: f64| number::shown(metric, x);
    let values = differences.iter().flat_map(|of| {
        let (low, high) = of.estimate.interval().unwrap_or((of.mean(), of.mean()));
        [of.mean(), low, high]
    });
    let range = span(values.map(shown).chain([0.0]));
    let rows: Vec<Row> =
        differences.iter().map(|of| Row { name: of.name.clone(), number: of.words(metric) }).collect();
    let described = differences.iter().map(|of| {
        let p = of.estimate.p().map_or(String::new(), |p| format!(", p {}", number::chance(Some(p))));
        format!("{}: {}{p}.", of.name, of.words(metric))
    });
    let description = described.collect::<Vec<_>>().join(" ");
    let better = if number::more_is_better(metric) { "more is better →" } else { "← less is better" };
    let axis = format!("difference in {}; {better}", number::difference_head(metric));
    let chart = RowChart { rows: &rows, range, axis: &axis, reference: Some(0.0) };
    Plot::draw(title, description, chart.size(), |area| {
        chart.draw(area, |chart, i, y| {
            let of = &differences[i];
            if let Some((low, high)) = of.estimate.interval() {
                whisker(chart, (shown(low), y), (shown(high), y), line(INK, 2.0))?;
            }
            if of.mean().is_finite() {
                let fill = if of.estimate.is_shown() { INK } else { SURFACE };
                let at = (shown(of.mean()), y);
                chart.draw_series([Circle::new(at, px(4.5), fill.filled())])?;
                chart.draw_series([Circle::new(at, px(4.5), line(INK, 1.5))])?;
            }
            Ok(())
        })
    })
}
