//! What the template is given: a study as tables and plots.

use serde::Serialize;

use super::svg::{Named, Plot, palette};
use super::table::{self, Table, pair};
use super::{confusion, curves, forest, gap, number, reliability, size, temperature};
use crate::error::Result;
use crate::metrics::Scores;
use crate::study::names;
use crate::study::results::{
    ArmInfo, ArmKind, Cell, Comparison, MeanStd, Overall, Results, SetResults, Summary,
};

/// The page.
#[derive(Serialize)]
pub(super) struct Page<'a> {
    results: &'a Results,
    palette: Vec<Named>,
    /// Of the teacher and the student.
    widths: [String; 2],
    overall: Vec<Whole>,
    sets: Vec<Set<'a>>,
}

/// All sets of one condition.
#[derive(Serialize)]
struct Whole {
    title: String,
    condition: String,
    scores: Table,
    across: Vec<Table>,
    forests: Vec<Plot>,
    by_set: Vec<Plot>,
    comparisons: Table,
    ratios: Table,
}

/// One data set.
#[derive(Serialize)]
struct Set<'a> {
    results: &'a SetResults,
    condition: String,
    scores: Table,
    gap: Option<Plot>,
    forests: Vec<Plot>,
    comparisons: Table,
    nll_curves: Vec<Plot>,
    accuracy_curves: Vec<Plot>,
    reliability: Vec<Plot>,
    confusion: Vec<Plot>,
    sizes: Vec<Plot>,
    size_table: Table,
    temperature: Vec<Plot>,
}

impl<'a> Page<'a> {
    pub(super) fn new(results: &'a Results) -> Result<Self> {
        let overall = results.overall.iter().map(|overall| whole(results, overall)).collect::<Result<_>>()?;
        let sets = results.sets.iter().map(|set| one(results, set)).collect::<Result<_>>()?;
        let widths =
            [&results.settings.teacher_hidden, &results.settings.hidden].map(|hidden| number::widths(hidden));
        Ok(Page { results, palette: palette(), widths, overall, sets })
    }
}

fn whole(results: &Results, overall: &Overall) -> Result<Whole> {
    let among = |set: &&SetResults| set.condition == overall.condition && overall.sets.contains(&set.name);
    let sets: Vec<&SetResults> = results.sets.iter().filter(among).collect();
    let used = |metric: &str| {
        sets.iter().flat_map(|set| &set.summaries).any(|summary| summary.scores.contains_key(metric))
    };
    let tables = [("Test accuracy, %, by data set", "test accuracy"), ("NLL, nats, by data set", "nll")];
    let across = tables.into_iter().filter(|(_, metric)| used(metric));
    let mut by_set = Vec::new();
    let student = student(&results.arms).map(|arm| arm.name.as_str());
    for of in overall.comparisons.iter().filter(|of| Some(of.a.as_str()) == student && of.metric != "gap") {
        let same = |other: &&Comparison| (&other.a, &other.b, &other.metric) == (&of.a, &of.b, &of.metric);
        let found = sets
            .iter()
            .filter_map(|set| Some(difference(set.comparisons.iter().find(same)?, set.name.clone())));
        let rows: Vec<_> = found.chain([difference(of, overall.title.clone())]).collect();
        by_set.push(forest::plot(
            format!("{}: {}", pair(&of.a, &of.b), number::name(&of.metric)),
            &of.metric,
            &rows,
        )?);
    }
    Ok(Whole {
        title: overall.title.clone(),
        condition: number::condition(&overall.condition),
        scores: table::scores(
            "Means over data sets of means over seeds ± standard deviation between data sets".into(),
            &overall.summaries,
            |_| None,
        ),
        across: across
            .map(|(caption, metric)| table::across(caption, metric, &results.arms, &sets))
            .collect(),
        forests: forests(&overall.comparisons)?,
        by_set,
        comparisons: table::comparisons("Mean differences, paired by data set".into(), &overall.comparisons),
        ratios: table::ratios(overall),
    })
}

/// One for each score that is compared.
fn forests(comparisons: &[Comparison]) -> Result<Vec<Plot>> {
    let mut metrics: Vec<&str> = Vec::new();
    for of in comparisons {
        if !metrics.contains(&of.metric.as_str()) {
            metrics.push(&of.metric);
        }
    }
    metrics.sort_by_key(|metric| *metric != "gap"); // beside the gap itself
    let plot = |metric: &str| {
        let rows =
            comparisons.iter().filter(|of| of.metric == metric).map(|of| difference(of, pair(&of.a, &of.b)));
        forest::plot(format!("Differences in {}", number::name(metric)), metric, &rows.collect::<Vec<_>>())
    };
    metrics.into_iter().map(plot).collect()
}

fn difference(of: &Comparison, name: String) -> forest::Difference {
    forest::Difference { name, mean: of.mean, interval: of.low.zip(of.high), p: of.p_adjusted }
}

fn one<'a>(results: &'a Results, set: &'a SetResults) -> Result<Set<'a>> {
    let kind =
        |arm: &str| results.arms.iter().find(|info| info.name == arm).map_or(ArmKind::Hard, |info| info.kind);
    let cells = |arm: &'a str| set.cells.iter().filter(move |cell| cell.arm == arm);
    let arms: Vec<&ArmInfo> = results.arms.iter().filter(|arm| cells(&arm.name).next().is_some()).collect();

    let gaps: Vec<gap::Arm> =
        set.summaries.iter().filter_map(|summary| both_parts(summary, kind(&summary.arm))).collect();
    let curves: Vec<curves::Curve> = arms
        .iter()
        .filter_map(|arm| {
            let points = &cells(&arm.name).find(|cell| !cell.curve.is_empty())?.curve;
            Some(curves::Curve { name: &arm.name, kind: arm.kind, points })
        })
        .collect();

    let mut diagrams = Vec::new();
    for arm in &arms {
        let bins =
            reliability::pooled(cells(&arm.name).flat_map(|cell| &cell.reliability), results.settings.bins);
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
    let reference = set.summaries.iter().find(|summary| teacher.is_some_and(|arm| arm.name == summary.arm));
    let reference = reference.and_then(|summary| Some(summary.scores.get("test accuracy")?.mean));
    let sizes =
        if set.sizes.is_empty() { Vec::new() } else { size::plots(&set.sizes, kind, reference)?.into() };
    let temperature =
        if set.temperatures.is_empty() { Vec::new() } else { temperature::plots(&set.temperatures)?.into() };
    Ok(Set {
        results: set,
        condition: number::condition(&set.condition),
        scores: table::scores("Means over seeds ± standard deviation".into(), &set.summaries, |arm| {
            chosen(set.cells.iter().filter(|cell| cell.arm == arm))
        }),
        gap: if gaps.is_empty() { None } else { Some(gap::plot(&gaps)?) },
        forests: forests(&set.comparisons)?,
        comparisons: table::comparisons("Mean differences, paired by seed".into(), &set.comparisons),
        nll_curves: curves::plots(&curves, curves::NLL)?,
        accuracy_curves: curves::plots(&curves, curves::ACCURACY)?,
        reliability: diagrams,
        confusion: matrices,
        sizes,
        size_table: table::sizes(&set.sizes),
        temperature,
    })
}

/// An arm's accuracies, where it has them.
fn both_parts(summary: &Summary, kind: ArmKind) -> Option<gap::Arm> {
    let score = |metric: &str| -> Option<MeanStd> { summary.scores.get(metric).copied() };
    Some(gap::Arm {
        name: summary.arm.clone(),
        kind,
        train: score("train accuracy")?,
        test: score("test accuracy")?,
        gap: score("gap")?,
    })
}

/// The default recipe, or the last that was distilled.
fn student(arms: &[ArmInfo]) -> Option<&ArmInfo> {
    let distilled = || arms.iter().filter(|arm| arm.kind == ArmKind::Distilled);
    distilled().find(|arm| arm.name == names::DEFAULT).or_else(|| distilled().next_back())
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
