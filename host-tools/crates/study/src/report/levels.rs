//! The effect of wrong labels and of fewer training rows on each arm.

use serde::Serialize;

use super::lines::{Lines, Point, Series};
use super::number;
use super::svg::{Axis, Plot, span};
use crate::study::figures::setting;
use crate::study::results::{ArmInfo, Condition, METRICS, MeanStd, Summary, VALUE_METRICS};
use microdistill_train::error::Result;

/// Each score over the levels of one kind, all else equal.
#[derive(Serialize)]
pub(super) struct Sweep {
    /// Title common to all levels.
    pub(super) title: String,
    pub(super) plots: Vec<Plot>,
}

/// The quantity that levels measure, in percent of the training rows.
struct Kind {
    name: &'static str,
    level: fn(&Condition) -> f64,
    rest: fn(&Condition) -> Condition,
}

const KINDS: [Kind; 2] = [
    Kind {
        name: "wrong labels, % of the training rows",
        level: |of| 100.0 * of.label_noise,
        rest: |of| Condition { label_noise: 0.0, ..*of },
    },
    Kind {
        name: "training rows used, %",
        level: |of| 100.0 * of.training_share,
        rest: |of| Condition { training_share: 1.0, ..*of },
    },
];

/// Plots for one data set, or for several together. Those have no whiskers, because sets differ more than
/// arms do.
pub(super) fn sweeps(
    name: &str,
    arms: &[ArmInfo],
    conditions: &[(Condition, &[Summary])],
    whiskers: bool,
) -> Result<Vec<Sweep>> {
    let mut sweeps = Vec::new();
    for kind in KINDS {
        let mut rests: Vec<Condition> = Vec::new();
        for rest in conditions.iter().map(|(condition, _)| (kind.rest)(condition)) {
            if !rests.contains(&rest) {
                rests.push(rest);
            }
        }
        for rest in rests {
            let mut levels: Vec<(f64, &[Summary])> = conditions
                .iter()
                .filter(|(condition, _)| (kind.rest)(condition) == rest)
                .map(|&(ref condition, summaries)| ((kind.level)(condition), summaries))
                .collect();
            levels.sort_by(|a, b| a.0.total_cmp(&b.0));
            if levels.len() > 1 {
                let constant = number::condition(&rest);
                let title = if constant.is_empty() { name.into() } else { format!("{name}: {constant}") };
                sweeps.push(Sweep { title, plots: plots(kind.name, arms, &levels, whiskers)? });
            }
        }
    }
    Ok(sweeps)
}

fn plots(axis: &str, arms: &[ArmInfo], levels: &[(f64, &[Summary])], whiskers: bool) -> Result<Vec<Plot>> {
    let score = |summaries: &[Summary], arm: &str, metric: &str| -> Option<MeanStd> {
        let of = summaries.iter().find(|summary| summary.arm == arm)?.scores.get(metric)?;
        Some(if whiskers { *of } else { number::without_spread(of) })
    };
    let plot = |metric: &str| {
        let series = arms.iter().map(|arm| Series {
            name: &arm.name,
            kind: arm.kind,
            points: levels
                .iter()
                .filter_map(|&(x, summaries)| {
                    let score = score(summaries, &arm.name, metric)?;
                    Some(Point { x, score, filled: true, words: format!("{} %", setting(x)) })
                })
                .collect(),
        });
        let places: Vec<f64> = levels.iter().map(|(level, _)| *level).collect();
        Lines {
            title: number::head(metric),
            metric,
            x: Axis::marked(span(places.iter().copied()), places),
            x_name: axis,
            x_tick: &setting,
            series: series.collect(),
            reference: None,
        }
        .plot()
    };
    let known = |metric: &&str| levels.iter().flat_map(|of| of.1).any(|of| of.scores.contains_key(*metric));
    // Sizes are the same at all levels, and training scores stand in the gap.
    let shown = |metric: &&str| !["parameters", "flash"].contains(metric) && !metric.starts_with("train");
    let metrics = METRICS.into_iter().chain(VALUE_METRICS).filter(shown);
    metrics.filter(known).map(plot).collect()
}
