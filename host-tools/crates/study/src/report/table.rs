//! The tables of the page.

use serde::Serialize;

use super::number::{self, Fit, NONE, VALUES, chance, head, mean_std};
use crate::study::results::{
    ArmInfo, Cell, Comparison, METRICS, MeanStd, Overall, SetResults, SizePoint, Summary, VALUE_METRICS,
};
use microdistill_train::metrics::Scores;

/// A table with a head on every row and column.
#[derive(Clone, Debug, Default, Serialize)]
pub(super) struct Table {
    pub(super) caption: String,
    /// Heads of the columns, that of the rows' heads first.
    pub(super) columns: Vec<String>,
    pub(super) rows: Vec<Row>,
    /// True if the last column holds words, not numbers.
    pub(super) words: bool,
}

/// One row.
#[derive(Clone, Debug, Serialize)]
pub(super) struct Row {
    pub(super) head: String,
    pub(super) cells: Vec<String>,
}

impl Row {
    fn new(head: &str, cells: impl IntoIterator<Item = String>) -> Row {
        Row { head: head.into(), cells: cells.into_iter().collect() }
    }
}

/// Arms by scores; columns that no arm has are left out.
pub(super) fn scores(
    caption: String,
    summaries: &[Summary],
    chosen: impl Fn(&str) -> Option<String>,
) -> Table {
    let mut metrics: Vec<&str> =
        METRICS.into_iter().filter(|metric| !VALUE_METRICS.contains(metric)).chain(VALUE_METRICS).collect();
    let others = summaries.iter().flat_map(|summary| summary.scores.keys());
    metrics.extend(others.map(String::as_str));
    let mut seen = std::collections::BTreeSet::new();
    metrics.retain(|&metric| {
        let used = summaries.iter().any(|summary| summary.scores.contains_key(metric));
        used && seen.insert(metric)
    });
    let mut columns: Vec<String> =
        ["arm".into()].into_iter().chain(metrics.iter().map(|metric| head(metric))).collect();
    let choices: Vec<Option<String>> = summaries.iter().map(|summary| chosen(&summary.arm)).collect();
    let any_chosen = choices.iter().any(Option::is_some);
    if any_chosen {
        columns.push("chosen by tuning".into());
    }
    let row = |(summary, choice): (&Summary, Option<String>)| {
        let score =
            |metric: &&str| summary.scores.get(*metric).map_or(NONE.into(), |of| mean_std(metric, of));
        let choice = any_chosen.then(|| choice.unwrap_or_else(|| NONE.into()));
        Row::new(&summary.arm, metrics.iter().map(score).chain(choice))
    };
    Table { caption, columns, rows: summaries.iter().zip(choices).map(row).collect(), words: any_chosen }
}

/// Differences with their intervals, grouped by score.
pub(super) fn comparisons(caption: String, comparisons: &[Comparison]) -> Table {
    let family = comparisons.first().map_or(1, |of| of.estimate.family());
    let caption = format!("{caption}; intervals and p-values are corrected for {family} comparisons");
    let columns = ["score", "difference", "95 % interval", "p"];
    let row = |of: &Comparison| {
        let (mean, ends) = number::estimate(&of.metric, &of.estimate);
        let cells = [
            number::difference_head(&of.metric),
            mean,
            ends.map_or(NONE.into(), |[low, high]| format!("{low} to {high}")),
            chance(of.estimate.p()),
        ];
        Row::new(&pair(&of.a, &of.b), cells)
    };
    let columns = ["arms"].into_iter().chain(columns).map(String::from).collect();
    Table { caption, columns, rows: comparisons.iter().map(row).collect(), words: false }
}

/// The name of a difference.
pub(super) fn pair(a: &str, b: &str) -> String {
    format!("{a} − {b}")
}

/// Ratios of the loss.
pub(super) fn ratios(overall: &Overall) -> Table {
    let row = |ratio: &crate::study::results::Ratio| {
        Row::new(&format!("{} / {}", ratio.a, ratio.b), [number::value("", ratio.ratio)])
    };
    let loss = overall.ratios.first().map_or("", |ratio| number::name(&ratio.metric));
    Table {
        caption: format!("Ratio of {loss}, geometric mean over data sets; below 1 the first is better"),
        columns: vec!["arms".into(), "ratio".into()],
        rows: overall.ratios.iter().map(row).collect(),
        words: false,
    }
}

/// Data sets by arms, of one score.
pub(super) fn across(caption: &str, metric: &str, arms: &[ArmInfo], sets: &[&SetResults]) -> Table {
    let row = |set: &&SetResults| {
        let score = |arm: &ArmInfo| {
            let summary = set.summaries.iter().find(|summary| summary.arm == arm.name);
            let score = summary.and_then(|summary| summary.scores.get(metric));
            score.map_or(NONE.into(), |of| mean_std(metric, of))
        };
        Row::new(&set.name, arms.iter().map(score))
    };
    Table {
        caption: caption.into(),
        columns: ["data set".into()].into_iter().chain(arms.iter().map(|arm| arm.name.clone())).collect(),
        rows: sets.iter().map(row).collect(),
        words: false,
    }
}

/// Groups that were left out by arms, with the score on their rows; no rows if none were.
pub(super) fn by_group(arms: &[ArmInfo], set: &SetResults) -> Table {
    let metric = set.summaries.first().map_or("", |summary| Fit::of(summary).test);
    let mut groups: Vec<&str> = set.cells.iter().filter_map(|cell| cell.group.as_deref()).collect();
    groups.sort_unstable();
    groups.dedup();
    let row = |group: &&str| {
        let of = |arm: &str| -> Vec<&Cell> {
            let among = |cell: &&Cell| cell.arm == arm && cell.group.as_deref() == Some(group);
            set.cells.iter().filter(among).collect()
        };
        let rows = arms.first().and_then(|arm| Some(of(&arm.name).first()?.test.rows()));
        let scores = arms.iter().map(|arm| {
            let scores: Vec<f64> = of(&arm.name).iter().map(|cell| test_score(&cell.test)).collect();
            if scores.is_empty() { NONE.into() } else { number::value(metric, MeanStd::of(&scores).mean) }
        });
        Row::new(group, std::iter::once(number::grouped(rows.unwrap_or_default() as f64)).chain(scores))
    };
    let names = arms.iter().map(|arm| arm.name.clone());
    Table {
        caption: format!("{} of each group, by models that are trained on the others", head(metric)),
        columns: ["group".into(), "rows".into()].into_iter().chain(names).collect(),
        rows: groups.iter().map(row).collect(),
        words: false,
    }
}

/// Accuracy or R².
fn test_score(scores: &Scores) -> f64 {
    match scores {
        Scores::Classification(scores) => scores.accuracy,
        Scores::Regression(scores) => scores.r2,
    }
}

/// Students of other sizes.
pub(super) fn sizes(points: &[SizePoint]) -> Table {
    let fit = Fit::of_sizes(points);
    let columns = ["arm", "widths", "parameters", "flash, bytes"].map(String::from);
    let scores = [head(fit.test), head(fit.loss), "on the front".into()];
    let score = |metric: &str, of: Option<MeanStd>| of.map_or(NONE.into(), |of| mean_std(metric, &of));
    let row = |point: &SizePoint| {
        let cells = [
            number::widths(&point.widths),
            number::grouped(point.parameters as f64),
            number::grouped(point.flash_bytes as f64),
            score(fit.test, point.score()),
            score(fit.loss, point.loss()),
            if point.front { "yes" } else { "no" }.into(),
        ];
        Row::new(&point.arm, cells)
    };
    Table {
        caption: format!(
            "Students of other sizes; on the front is one that no other beats in {} and bytes",
            if *fit == VALUES { "R²" } else { "accuracy" }
        ),
        columns: columns.into_iter().chain(scores).collect(),
        rows: points.iter().map(row).collect(),
        words: false,
    }
}
