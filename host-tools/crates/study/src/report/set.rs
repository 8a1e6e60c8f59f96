//! One data set, for the template.

use serde::Serialize;

use super::answer::student;
use super::overall::forests;
use super::svg::Plot;
use super::table::{self, Table};
use super::{confusion, curves, gap, number, predictions, reliability, size, temperature};
use crate::study::results::{ArmInfo, ArmKind, Cell, Division, Results, SetResults};
use microdistill_train::error::Result;
use microdistill_train::metrics::Scores;

/// One data set.
#[derive(Serialize)]
pub(super) struct Set<'a> {
    results: &'a SetResults,
    condition: String,
    scores: Table,
    by_group: Table,
    gap: Option<Plot>,
    forests: Vec<Plot>,
    comparisons: Table,
    /// The ratios, unless a section about several sets has them.
    ratios: Option<Table>,
    curves: Vec<Curves>,
    /// Reliability diagrams of classifiers.
    reliability: Vec<Plot>,
    /// Confusion matrices of classifiers.
    confusion: Vec<Plot>,
    /// True if classes have numbers beside the confusion matrices.
    numbered: bool,
    /// Predictions of regressions.
    predictions: Vec<Plot>,
    /// Number of rows shown, if not all.
    sampled: Option<String>,
    sizes: Vec<Plot>,
    size_table: Table,
    temperature: Vec<Plot>,
}

/// Learning curves of one score.
#[derive(Serialize)]
struct Curves {
    score: &'static str,
    plots: Vec<Plot>,
}

impl<'a> Set<'a> {
    pub(super) fn new(results: &'a Results, set: &'a SetResults) -> Result<Self> {
        let figures = Figures { results, set };
        let pair = if results.settings.division == Division::LeaveOneGroupOut { "group" } else { "seed" };
        let alone =
            results.overall.iter().find(|of| of.sets == [&*set.name] && of.condition == set.condition);
        Ok(Set {
            results: set,
            condition: number::condition(&set.condition),
            scores: table::scores(
                format!("Means over {pair}s ± standard deviation"),
                &set.summaries,
                |arm| chosen(set.cells.iter().filter(|cell| cell.arm == arm)),
            ),
            by_group: table::by_group(&results.arms, set),
            gap: figures.gap()?,
            forests: forests(&set.comparisons)?,
            comparisons: table::comparisons(format!("Mean differences, paired by {pair}"), &set.comparisons),
            ratios: alone.map(table::ratios).filter(|table| !table.rows.is_empty()),
            curves: figures.curves()?,
            reliability: figures.reliability()?,
            confusion: figures.confusion()?,
            numbered: confusion::are_numbered(&set.labels),
            predictions: figures.predictions()?,
            sampled: set.cells.iter().find_map(sampled),
            sizes: figures.sizes()?,
            size_table: table::sizes(&set.sizes),
            temperature: if set.temperatures.is_empty() {
                Vec::new()
            } else {
                temperature::plots(&set.temperatures)?.into()
            },
        })
    }
}

/// Sources of the plots of a set.
struct Figures<'a> {
    results: &'a Results,
    set: &'a SetResults,
}

impl<'a> Figures<'a> {
    fn kind(&self, arm: &str) -> ArmKind {
        self.results.arms.iter().find(|info| info.name == arm).map_or(ArmKind::Hard, |info| info.kind)
    }

    /// The cells of an arm, by seed.
    fn cells(&self, arm: &'a str) -> impl Iterator<Item = &'a Cell> {
        self.set.cells.iter().filter(move |cell| cell.arm == arm)
    }

    /// The arms that have any cells.
    fn arms(&self) -> impl Iterator<Item = &'a ArmInfo> {
        self.results.arms.iter().filter(|arm| self.cells(&arm.name).next().is_some())
    }

    fn teacher(&self) -> Option<&'a ArmInfo> {
        self.results.arms.iter().find(|arm| arm.kind == ArmKind::Teacher)
    }

    /// The two arms shown in detail.
    fn teacher_and_student(&self) -> impl Iterator<Item = &'a ArmInfo> {
        self.teacher().into_iter().chain(student(&self.results.arms))
    }

    fn gap(&self) -> Result<Option<Plot>> {
        let of = |summary| gap::Arm::new(summary, self.kind(&summary.arm));
        let gaps: Vec<gap::Arm> = self.set.summaries.iter().filter_map(of).collect();
        // A study of one set begins with this plot.
        if gaps.is_empty() || self.results.sets.len() == 1 { Ok(None) } else { gap::plot(&gaps).map(Some) }
    }

    fn curves(&self) -> Result<Vec<Curves>> {
        let curve = |arm: &'a ArmInfo| {
            let points = &self.cells(&arm.name).find(|cell| !cell.curve.is_empty())?.curve;
            Some(curves::Curve { name: &arm.name, kind: arm.kind, points })
        };
        let curves: Vec<curves::Curve> = self.arms().filter_map(curve).collect();
        let mut found = Vec::new();
        for (score, pick) in curves::SCORES {
            let plots = curves::plots(&curves, pick)?;
            if !plots.is_empty() {
                found.push(Curves { score, plots });
            }
        }
        Ok(found)
    }

    fn reliability(&self) -> Result<Vec<Plot>> {
        let bins = |arm: &ArmInfo| {
            let bins = self.set.cells.iter().filter(|cell| cell.arm == arm.name);
            reliability::pooled(bins.flat_map(|cell| &cell.reliability), self.results.settings.bins)
        };
        let found = self.arms().map(|arm| (arm, bins(arm))).filter(|(_, bins)| !bins.is_empty());
        found.map(|(arm, bins)| reliability::plot(&arm.name, arm.kind, &bins)).collect()
    }

    fn confusion(&self) -> Result<Vec<Plot>> {
        let labels = &self.set.labels;
        let matrix = |arm: &'a ArmInfo| {
            let confusions = self.cells(&arm.name).filter_map(|cell| match &cell.test {
                Scores::Classification(scores) => Some(&scores.confusion),
                Scores::Regression(_) => None,
            });
            confusion::pooled(confusions, labels.len())
        };
        let found = self.teacher_and_student().map(|arm| (arm, matrix(arm)));
        let found = found.filter(|(_, matrix)| matrix.iter().flatten().any(|&rows| rows > 0));
        found.map(|(arm, matrix)| confusion::plot(arm.name.clone(), labels, &matrix)).collect()
    }

    fn predictions(&self) -> Result<Vec<Plot>> {
        let first = |arm: &'a ArmInfo| {
            let cell = self.cells(&arm.name).find(|cell| !cell.predictions.is_empty())?;
            Some((cell, arm.kind))
        };
        predictions::plots(&self.teacher_and_student().filter_map(first).collect::<Vec<_>>())
    }

    fn sizes(&self) -> Result<Vec<Plot>> {
        if self.set.sizes.is_empty() {
            return Ok(Vec::new());
        }
        let teacher = self.teacher().and_then(|arm| self.set.summaries.iter().find(|of| of.arm == arm.name));
        Ok(size::plots(&self.set.sizes, |arm| self.kind(arm), teacher)?.into())
    }
}

/// The share of the test rows that is shown, in words.
fn sampled(cell: &Cell) -> Option<String> {
    let (shown, all) = (cell.predictions.len(), cell.test.rows());
    let [of, all_of] = [shown, all].map(|rows| number::grouped(rows as f64));
    (0 < shown && shown < all).then(|| format!("{of} of {all_of}"))
}

/// The settings that tuning chose, over seeds.
fn chosen<'a>(cells: impl Iterator<Item = &'a Cell>) -> Option<String> {
    let mut choices: Vec<(&str, usize)> = Vec::new();
    for choice in cells.filter_map(|cell| cell.chosen.as_deref()) {
        match choices.iter_mut().find(|(known, _)| *known == choice) {
            Some((_, count)) => *count += 1,
            None => choices.push((choice, 1)),
        }
    }
    let words = choices.iter().map(|(choice, count)| match count {
        1 => (*choice).to_owned(),
        _ => format!("{choice} ({count}×)"),
    });
    let words: Vec<String> = words.collect();
    (!words.is_empty()).then(|| words.join(", "))
}
