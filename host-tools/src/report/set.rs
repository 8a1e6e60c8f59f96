//! One data set, for the template.

use serde::Serialize;

use super::answer::student;
use super::overall::forests;
use super::svg::Plot;
use super::table::{self, Table};
use super::{confusion, curves, gap, number, reliability, size, temperature};
use crate::error::Result;
use crate::metrics::Scores;
use crate::study::results::{ArmInfo, ArmKind, Cell, Results, SetResults};

/// One data set.
#[derive(Serialize)]
pub(super) struct Set<'a> {
    results: &'a SetResults,
    condition: String,
    scores: Table,
    gap: Option<Plot>,
    forests: Vec<Plot>,
    comparisons: Table,
    /// Where no section of several sets has them.
    ratios: Option<Table>,
    nll_curves: Vec<Plot>,
    accuracy_curves: Vec<Plot>,
    reliability: Vec<Plot>,
    confusion: Vec<Plot>,
    sizes: Vec<Plot>,
    size_table: Table,
    temperature: Vec<Plot>,
}

impl<'a> Set<'a> {
    pub(super) fn new(results: &'a Results, set: &'a SetResults) -> Result<Self> {
        let kind = |arm: &str| {
            results.arms.iter().find(|info| info.name == arm).map_or(ArmKind::Hard, |info| info.kind)
        };
        let cells = |arm: &'a str| set.cells.iter().filter(move |cell| cell.arm == arm);
        let arms: Vec<&ArmInfo> =
            results.arms.iter().filter(|arm| cells(&arm.name).next().is_some()).collect();

        let of = |summary| gap::Arm::new(summary, kind(&summary.arm));
        let gaps: Vec<gap::Arm> = set.summaries.iter().filter_map(of).collect();
        // A study of one set begins with this plot.
        let gap = if gaps.is_empty() || results.sets.len() == 1 { None } else { Some(gap::plot(&gaps)?) };
        let curves: Vec<curves::Curve> = arms
            .iter()
            .filter_map(|arm| {
                let points = &cells(&arm.name).find(|cell| !cell.curve.is_empty())?.curve;
                Some(curves::Curve { name: &arm.name, kind: arm.kind, points })
            })
            .collect();

        let mut diagrams = Vec::new();
        for arm in &arms {
            let bins = reliability::pooled(
                cells(&arm.name).flat_map(|cell| &cell.reliability),
                results.settings.bins,
            );
            if !bins.is_empty() {
                diagrams.push(reliability::plot(&arm.name, arm.kind, &bins)?);
            }
        }
        let mut matrices = Vec::new();
        let teacher = results.arms.iter().find(|arm| arm.kind == ArmKind::Teacher);
        for arm in teacher.into_iter().chain(student(&results.arms)) {
            let confusions = cells(&arm.name).filter_map(|cell| match &cell.test {
                Scores::Classification(scores) => Some(&scores.confusion),
                Scores::Regression(_) => None,
            });
            let matrix = confusion::pooled(confusions, set.labels.len());
            if matrix.iter().flatten().any(|&rows| rows > 0) {
                matrices.push(confusion::plot(arm.name.clone(), &set.labels, &matrix)?);
            }
        }
        let reference =
            set.summaries.iter().find(|summary| teacher.is_some_and(|arm| arm.name == summary.arm));
        let reference = reference.and_then(|summary| Some(summary.scores.get("test accuracy")?.mean));
        let sizes =
            if set.sizes.is_empty() { Vec::new() } else { size::plots(&set.sizes, kind, reference)?.into() };
        let temperature = if set.temperatures.is_empty() {
            Vec::new()
        } else {
            temperature::plots(&set.temperatures)?.into()
        };
        let alone =
            results.overall.iter().find(|of| of.sets == [&*set.name] && of.condition == set.condition);
        Ok(Set {
            results: set,
            condition: number::condition(&set.condition),
            scores: table::scores("Means over seeds ± standard deviation".into(), &set.summaries, |arm| {
                chosen(set.cells.iter().filter(|cell| cell.arm == arm))
            }),
            gap,
            forests: forests(&set.comparisons)?,
            comparisons: table::comparisons("Mean differences, paired by seed".into(), &set.comparisons),
            ratios: alone.map(table::ratios).filter(|table| !table.rows.is_empty()),
            nll_curves: curves::plots(&curves, curves::NLL)?,
            accuracy_curves: curves::plots(&curves, curves::ACCURACY)?,
            reliability: diagrams,
            confusion: matrices,
            sizes,
            size_table: table::sizes(&set.sizes),
            temperature,
        })
    }
}

/// What tuning chose, over seeds.
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
