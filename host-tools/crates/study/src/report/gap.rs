//! The overfitting gap: how much better a model is on the rows that it learned.

use super::number::{self, CLASSES, Fit, mean_std};
use super::rows::{Row, RowChart};
use super::svg::{MUTED, Plot, color, line, mark, span, whisker};
use crate::study::results::{ArmKind, MeanStd, Summary};
use microdistill_train::error::Result;

/// An arm on both parts.
pub(super) struct Arm {
    /// The scores' meaning, the same for all arms of a plot.
    pub(super) fit: &'static Fit,
    pub(super) name: String,
    pub(super) kind: ArmKind,
    pub(super) train: MeanStd,
    pub(super) test: MeanStd,
    pub(super) gap: MeanStd,
}

impl Arm {
    /// The bars of an arm that has such scores.
    pub(super) fn new(summary: &Summary, kind: ArmKind) -> Option<Arm> {
        let fit = Fit::of(summary);
        let score = |metric: &str| summary.scores.get(metric).copied();
        let (train, test, gap) = (score(fit.train)?, score(fit.test)?, score(fit.gap)?);
        Some(Arm { fit, name: summary.arm.clone(), kind, train, test, gap })
    }
}

/// A hollow mark for training rows, a filled one for test rows, each with a whisker of one standard deviation.
pub(super) fn plot(arms: &[Arm]) -> Result<Plot> {
    let fit = arms.first().map_or(&CLASSES, |arm| arm.fit);
    let shown = |x: f64| number::shown(fit.test, x);
    let ends = |of: &MeanStd| [of.mean - of.std, of.mean + of.std].map(shown);
    let range = span(arms.iter().flat_map(|arm| [ends(&arm.train), ends(&arm.test)]).flatten());
    let rows: Vec<Row> = arms
        .iter()
        .map(|arm| Row { name: arm.name.clone(), number: format!("gap {}", mean_std(fit.gap, &arm.gap)) })
        .collect();
    let described = arms.iter().map(|arm| {
        let [train, test] = [&arm.train, &arm.test].map(|of| mean_std(fit.test, of));
        format!("{}: training {train}, test {test}, gap {}.", arm.name, mean_std(fit.gap, &arm.gap))
    });
    let description = described.collect::<Vec<_>>().join(" ");
    let chart = RowChart { rows: &rows, range, axis: fit.axis, reference: None };
    Plot::draw("Overfitting gap", description, chart.size(), |area| {
        chart.draw(area, |chart, i, y| {
            let arm = &arms[i];
            let (train, test) = (shown(arm.train.mean), shown(arm.test.mean));
            whisker(chart, (train, y), (test, y), line(MUTED, 1.0))?;
            for (of, x, filled) in [(&arm.train, train, false), (&arm.test, test, true)] {
                let [low, high] = ends(of);
                whisker(chart, (low, y), (high, y), line(color(arm.kind), 3.0))?;
                if x.is_finite() {
                    mark(chart, arm.kind, (x, y), 5.0, filled)?;
                }
            }
            Ok(())
        })
    })
}
