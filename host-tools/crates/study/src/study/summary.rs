//! Summary of the models: means, differences and Pareto fronts.

use std::collections::BTreeMap;

use super::arms::names;
use super::data::{self, Problem, Source};
use super::journal::Journal;
use super::results::{
    ArmKind, Cell, Comparison, Condition, METRICS, Overall, Ratio, Results, RowCounts, SetResults, SizePoint,
    StudySettings, Summary, TemperaturePoint, VALUE_METRICS,
};
use super::run::Replicate;
use super::statistics::{holm, mean_std, t_test};
use super::{Arm, BINS, CANDIDATES, SIZE_SEEDS, SIZES, Study, narrative};
use microdistill_train::error::{Error, Result};
use microdistill_train::metrics::Scores;

/// Compared metrics. Training and test rows together show whether a student overfits; the test rows alone
/// show how good it is.
const COMPARED: [&str; 3] = ["test accuracy", "nll", "gap"];

/// Compared metrics for values.
const COMPARED_VALUES: [&str; 3] = ["r2", "rmse", "r2 gap"];

impl Study {
    fn metrics(&self) -> &'static [&'static str] {
        if self.has_values() { &VALUE_METRICS } else { &METRICS }
    }

    fn compared(&self) -> [&'static str; 3] {
        if self.has_values() { COMPARED_VALUES } else { COMPARED }
    }
}

/// Returns true if the metric has the same meaning in all data sets.
fn is_common(metric: &str) -> bool {
    !metric.ends_with("rmse")
}

pub(super) fn results(study: &Study, journal: &Journal, command: &str) -> Result<Results> {
    let hashes = study.hashes();
    let mut sets = Vec::new();
    for (problem, hash) in study.problems.iter().zip(&hashes) {
        for &condition in &study.conditions {
            sets.push(set(study, journal, problem, hash, condition)?);
        }
    }
    let mut results = Results {
        title: study.title.clone(),
        command: command.into(),
        version: env!("CARGO_PKG_VERSION").into(),
        preset: study.preset.clone(),
        seeds: study.seeds.clone(),
        settings: StudySettings {
            hidden: study.hidden.clone(),
            teacher_hidden: study.teacher_hidden.clone(),
            bins: BINS,
            candidates: CANDIDATES,
            folds: study.folds,
            redrawn: study.problems.iter().all(|problem| !matches!(problem.source, Source::Given { .. })),
        },
        arms: study.arms.iter().map(Arm::info).collect(),
        overall: study.conditions.iter().flat_map(|&condition| over(study, &sets, condition)).collect(),
        sets,
        sentences: Vec::new(),
    };
    results.sentences = narrative::write(&results);
    Ok(results)
}

/// The pairs of arms that are compared: each distilled student with the students on hard labels, and the
/// default recipe with the other distilled ones.
fn pairs(arms: &[Arm]) -> Vec<(&str, &str)> {
    let hard = || arms.iter().filter(|arm| arm.method.kind == ArmKind::Hard).map(|arm| arm.name.as_str());
    let distilled = arms.iter().filter(|arm| arm.method.kind == ArmKind::Distilled);
    let mut pairs = Vec::new();
    for arm in distilled.map(|arm| arm.name.as_str()) {
        // Rivals that lose to tuned L2 are compared only with the default, because a shorter list needs less
        // correction.
        let against =
            hard().filter(|name| arm == names::DEFAULT || [names::HARD, names::HARD_L2].contains(name));
        pairs.extend(against.map(|name| (arm, name)));
        if arm != names::DEFAULT && arms.iter().any(|other| other.name == names::DEFAULT) {
            pairs.push((names::DEFAULT, arm));
        }
    }
    let last = arms.iter().rfind(|arm| [names::DEFAULT, names::OUTPUT_MSE].contains(&arm.name.as_str()));
    pairs.extend(last.map(|arm| (arm.name.as_str(), names::TEACHER)));
    pairs
}

fn set(
    study: &Study,
    journal: &Journal,
    problem: &Problem,
    hash: &str,
    condition: Condition,
) -> Result<SetResults> {
    let replicate = |index| Replicate { study, problem, hash, condition, index };
    let cell = |arm: &Arm, hidden: &[usize], index: usize| {
        let missing =
            || Error::Invalid(format!("{}: {} is not finished: run the study again", problem.name, arm.name));
        replicate(index).cell(journal, arm, hidden).ok_or_else(missing)
    };
    let seeds = 0..study.seeds.len();
    let mut cells = Vec::new();
    for arm in &study.arms {
        for index in seeds.clone() {
            cells.push(cell(arm, &study.hidden_of(arm), index)?);
        }
    }
    let first = problem.draw(condition, study.folds, study.seeds[0])?;
    let summaries = study.arms.iter().map(|arm| summary(study, &arm.name, &of(&cells, &arm.name))).collect();
    let mut temperatures = Vec::new();
    for arm in study.temperatures() {
        let cells =
            seeds.clone().map(|index| cell(&arm, &study.hidden, index)).collect::<Result<Vec<_>>>()?;
        temperatures.push(TemperaturePoint {
            temperature: arm.method.recipe.temperature().into(),
            accuracy: mean_std(&values(&cells, "test accuracy")),
            nll: mean_std(&values(&cells, "nll")),
        });
    }
    let mut sizes = Vec::new();
    for arm in study.sized() {
        for hidden in SIZES {
            let seeds = seeds.clone().take(SIZE_SEEDS);
            let cells = seeds.map(|index| cell(&arm, &[hidden], index)).collect::<Result<Vec<_>>>()?;
            sizes.extend(size_point(&cells));
        }
    }
    front(&mut sizes);
    Ok(SetResults {
        name: problem.name.clone(),
        held_out: study.held_out.contains(&problem.name),
        condition,
        rows: RowCounts {
            train: first.train.rows(),
            validation: first.folds[0].validation.len(),
            test: first.test.rows(),
        },
        features: first.train.features.len(),
        labels: first.train.task.labels().to_vec(),
        groups: data::groups(&first.train).zip(data::groups(&first.test)).map(|(a, b)| a + b),
        hash: hash.into(),
        notes: problem.notes().to_vec(),
        summaries,
        comparisons: compare(&study.compared(), &pairs(&study.arms), problem.overlap(), |arm, metric| {
            values(&of(&cells, arm), metric)
        }),
        cells,
        temperatures,
        sizes,
    })
}

/// Summaries over the data sets of one condition.
fn over(study: &Study, sets: &[SetResults], condition: Condition) -> Vec<Overall> {
    let sets: Vec<&SetResults> = sets.iter().filter(|set| set.condition == condition).collect();
    let part = |title: &str, held_out: Option<bool>| {
        let sets: Vec<&SetResults> =
            sets.iter().copied().filter(|set| held_out.is_none_or(|wanted| set.held_out == wanted)).collect();
        (!sets.is_empty()).then(|| overall(study, title, &sets, condition))
    };
    if study.held_out.is_empty() {
        return part("All data sets", None).into_iter().collect();
    }
    let parts = [
        part("Data sets that recipes were developed on", Some(false)),
        part("Data sets held out", Some(true)),
        part("All data sets", None),
    ];
    parts.into_iter().flatten().collect()
}

fn overall(study: &Study, title: &str, sets: &[&SetResults], condition: Condition) -> Overall {
    let pairs = pairs(&study.arms);
    let means = |arm: &str, metric: &str| -> Vec<f64> {
        let summaries = sets.iter().filter_map(|set| set.summaries.iter().find(|summary| summary.arm == arm));
        summaries.filter_map(|summary| summary.scores.get(metric)).map(|score| score.mean).collect()
    };
    let summary = |arm: &Arm| Summary {
        arm: arm.name.clone(),
        scores: study
            .metrics()
            .iter()
            .filter(|metric| is_common(metric))
            .map(|&metric| (metric.into(), mean_std(&means(&arm.name, metric))))
            .collect(),
    };
    let loss = study.compared()[1];
    let ratio = |&(a, b): &(&str, &str)| {
        let logs: Vec<f64> = means(a, loss).iter().zip(means(b, loss)).map(|(a, b)| (a / b).ln()).collect();
        Ratio { a: a.into(), b: b.into(), metric: loss.into(), ratio: mean_std(&logs).mean.exp() }
    };
    let common: Vec<&str> = study.compared().into_iter().filter(|metric| is_common(metric)).collect();
    // A single set is not a sample of data sets, so its seeds are used instead.
    let (summaries, comparisons) = match sets {
        [one] => (one.summaries.clone(), one.comparisons.clone()),
        _ => (study.arms.iter().map(summary).collect(), compare(&common, &pairs, 0.0, means)),
    };
    Overall {
        title: title.into(),
        sets: sets.iter().map(|set| set.name.clone()).collect(),
        condition,
        summaries,
        comparisons,
        ratios: pairs.iter().map(ratio).collect(),
    }
}

/// Paired differences of all `pairs`, with p-values corrected for the number of comparisons.
fn compare(
    metrics: &[&str],
    pairs: &[(&str, &str)],
    overlap: f64,
    values: impl Fn(&str, &str) -> Vec<f64>,
) -> Vec<Comparison> {
    let mut comparisons = Vec::new();
    for &metric in metrics {
        for &(a, b) in pairs {
            let differences: Vec<f64> =
                values(a, metric).iter().zip(values(b, metric)).map(|(a, b)| a - b).collect();
            let test = t_test(&differences, overlap);
            comparisons.push(Comparison {
                a: a.into(),
                b: b.into(),
                metric: metric.into(),
                mean: mean_std(&differences).mean,
                larger: differences.iter().filter(|&&difference| difference > 0.0).count(),
                smaller: differences.iter().filter(|&&difference| difference < 0.0).count(),
                low: test.map(|test| test.interval.0),
                high: test.map(|test| test.interval.1),
                p: test.map(|test| test.p),
                p_adjusted: None,
            });
        }
    }
    let tested = || comparisons.iter().filter_map(|comparison| comparison.p);
    let mut adjusted = holm(&tested().collect::<Vec<_>>()).into_iter();
    for comparison in comparisons.iter_mut().filter(|comparison| comparison.p.is_some()) {
        comparison.p_adjusted = adjusted.next();
    }
    comparisons
}

fn of(cells: &[Cell], arm: &str) -> Vec<Cell> {
    cells.iter().filter(|cell| cell.arm == arm).cloned().collect()
}

fn summary(study: &Study, arm: &str, cells: &[Cell]) -> Summary {
    let scores = study.metrics().iter().map(|&metric| (metric.to_owned(), mean_std(&values(cells, metric))));
    Summary { arm: arm.into(), scores: scores.collect::<BTreeMap<_, _>>() }
}

/// One value per cell for a metric in [`METRICS`] or [`VALUE_METRICS`].
fn values(cells: &[Cell], metric: &str) -> Vec<f64> {
    cells.iter().filter_map(|cell| value(cell, metric)).collect()
}

fn value(cell: &Cell, metric: &str) -> Option<f64> {
    match (metric, &cell.train, &cell.test) {
        ("parameters", ..) => Some(cell.parameters as f64),
        ("flash", ..) => Some(cell.flash_bytes as f64),
        (_, Scores::Classification(train), Scores::Classification(test)) => match metric {
            "train accuracy" => Some(train.accuracy),
            "test accuracy" => Some(test.accuracy),
            "gap" => Some(train.accuracy - test.accuracy),
            "nll" => Some(test.nll),
            "brier" => Some(test.brier),
            "ece" => Some(test.ece),
            _ => None,
        },
        (_, Scores::Regression(train), Scores::Regression(test)) => match metric {
            "train r2" => Some(train.r2),
            "r2" => Some(test.r2),
            "r2 gap" => Some(train.r2 - test.r2),
            "train rmse" => Some(train.rmse),
            "rmse" => Some(test.rmse),
            _ => None,
        },
        _ => None,
    }
}

/// Makes the point of one arm and size.
fn size_point(cells: &[Cell]) -> Option<SizePoint> {
    let first = cells.first()?;
    let of = |metric: &str| Some(values(cells, metric)).filter(|of| !of.is_empty()).map(|of| mean_std(&of));
    Some(SizePoint {
        arm: first.arm.clone(),
        widths: first.widths.clone(),
        parameters: first.parameters,
        flash_bytes: first.flash_bytes,
        accuracy: of("test accuracy"),
        nll: of("nll"),
        r2: of("r2"),
        rmse: of("rmse"),
        front: false,
    })
}

/// Marks the points on the Pareto front.
fn front(points: &mut [SizePoint]) {
    let score = |point: &SizePoint| point.score().map_or(f64::NAN, |score| score.mean);
    let all: Vec<(usize, f64)> = points.iter().map(|point| (point.flash_bytes, score(point))).collect();
    for (point, &(bytes, score)) in points.iter_mut().zip(&all) {
        let beats = |&(other_bytes, other): &(usize, f64)| {
            other_bytes <= bytes && other >= score && (other_bytes, other) != (bytes, score)
        };
        point.front = !all.iter().any(beats);
    }
}
